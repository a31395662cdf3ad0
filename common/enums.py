"""The closed sets of words that appear on the wire and in the database."""

from enum import StrEnum


class Operation(StrEnum):
    """What a rule lets its holder do."""

    #: Read.
    VIEW = "VIEW"
    #: Change.
    EDIT = "EDIT"
    #: Add.
    CREATE = "CREATE"
    #: Remove.
    DELETE = "DELETE"


class Scope(StrEnum):
    """How far a rule reaches. Scopes do not imply each other."""

    #: The identity itself.
    OWN = "OWN"
    #: The identity's organization.
    ORGANIZATION = "ORGANIZATION"
    #: Every collaboration of the identity's organization.
    COLLABORATION = "COLLABORATION"
    #: Everything.
    GLOBAL = "GLOBAL"


class IdentityKind(StrEnum):
    """Who can hold a token."""

    #: A researcher or an administrator.
    USER = "user"
    #: The agent at a data station.
    NODE = "node"
    #: An algorithm that runs at a node.
    CONTAINER = "container"


class CardState(StrEnum):
    """How far a function card on the shelf is to be believed."""

    #: Written, and reviewed by no other user yet.
    DRAFT = "draft"
    #: Reviewed by a user that did not write it.
    REVIEWED = "reviewed"
    #: Not to be used any more.
    RETIRED = "retired"
