"""The rules that exist, in the order of their ids on a fresh database, and the default roles."""

from vantage6.common.enums import Operation, Scope

#: Resource, operation, scope, description.
RULES: tuple[tuple[str, Operation, Scope, str], ...] = (
    ("node", Operation.VIEW, Scope.GLOBAL, "See every registered node"),
    ("node", Operation.VIEW, Scope.ORGANIZATION, "See nodes owned by your own organization"),
    ("node", Operation.EDIT, Scope.GLOBAL, "Change any node and reset any API key"),
    (
        "node",
        Operation.EDIT,
        Scope.ORGANIZATION,
        "Change nodes of your own organization and reset their API keys",
    ),
    ("node", Operation.CREATE, Scope.GLOBAL, "Register a node for any organization"),
    ("node", Operation.CREATE, Scope.ORGANIZATION, "Register a node for your own organization"),
    ("node", Operation.DELETE, Scope.GLOBAL, "Remove any node"),
    ("node", Operation.DELETE, Scope.ORGANIZATION, "Remove a node of your own organization"),
    ("collaboration", Operation.VIEW, Scope.GLOBAL, "See every collaboration"),
    (
        "collaboration",
        Operation.VIEW,
        Scope.ORGANIZATION,
        "See collaborations your organization is a member of",
    ),
    (
        "collaboration",
        Operation.EDIT,
        Scope.GLOBAL,
        "Change any collaboration; add members; attach or detach nodes",
    ),
    ("collaboration", Operation.CREATE, Scope.GLOBAL, "Set up a collaboration"),
    (
        "collaboration",
        Operation.DELETE,
        Scope.GLOBAL,
        "Remove a collaboration or take a member organization out of it",
    ),
    ("organization", Operation.VIEW, Scope.GLOBAL, "See every organization"),
    ("organization", Operation.VIEW, Scope.ORGANIZATION, "See your own organization"),
    (
        "organization",
        Operation.VIEW,
        Scope.COLLABORATION,
        "See organizations you share a collaboration with",
    ),
    ("organization", Operation.EDIT, Scope.GLOBAL, "Change any organization"),
    (
        "organization",
        Operation.EDIT,
        Scope.ORGANIZATION,
        "Change your own organization (incl. its public key)",
    ),
    ("organization", Operation.CREATE, Scope.GLOBAL, "Add an organization"),
    ("task", Operation.VIEW, Scope.GLOBAL, "See every task"),
    (
        "task",
        Operation.VIEW,
        Scope.ORGANIZATION,
        "See tasks of collaborations your organization is in",
    ),
    (
        "task",
        Operation.CREATE,
        Scope.GLOBAL,
        "Create tasks (membership of the collaboration is still required)",
    ),
    (
        "task",
        Operation.CREATE,
        Scope.ORGANIZATION,
        "Create tasks in collaborations your organization is in",
    ),
    ("task", Operation.DELETE, Scope.GLOBAL, "Remove any task"),
    (
        "task",
        Operation.DELETE,
        Scope.ORGANIZATION,
        "Remove tasks of collaborations your organization is in",
    ),
    ("result", Operation.VIEW, Scope.GLOBAL, "See every result"),
    (
        "result",
        Operation.VIEW,
        Scope.ORGANIZATION,
        "See results of collaborations your organization is in",
    ),
    ("user", Operation.VIEW, Scope.GLOBAL, "See every user"),
    ("user", Operation.VIEW, Scope.ORGANIZATION, "See users of your own organization"),
    ("user", Operation.CREATE, Scope.GLOBAL, "Add a user to any organization"),
    ("user", Operation.CREATE, Scope.ORGANIZATION, "Add a user to your own organization"),
    ("user", Operation.EDIT, Scope.GLOBAL, "Change any user"),
    ("user", Operation.EDIT, Scope.ORGANIZATION, "Change users of your own organization"),
    ("user", Operation.EDIT, Scope.OWN, "Change your own account"),
    ("user", Operation.DELETE, Scope.GLOBAL, "Remove any user"),
    ("user", Operation.DELETE, Scope.ORGANIZATION, "Remove users of your own organization"),
    ("user", Operation.DELETE, Scope.OWN, "Remove your own account"),
    ("role", Operation.VIEW, Scope.GLOBAL, "See every role"),
    (
        "role",
        Operation.VIEW,
        Scope.ORGANIZATION,
        "See roles of your own organization (the list also shows server-wide roles)",
    ),
    ("role", Operation.CREATE, Scope.GLOBAL, "Define a role for any organization"),
    ("role", Operation.CREATE, Scope.ORGANIZATION, "Define a role for your own organization"),
    ("role", Operation.EDIT, Scope.GLOBAL, "Change any non-default role; add rules to any role"),
    ("role", Operation.EDIT, Scope.ORGANIZATION, "Change roles of your own organization"),
    ("role", Operation.DELETE, Scope.GLOBAL, "Remove any role or rules from any role"),
    (
        "role",
        Operation.DELETE,
        Scope.ORGANIZATION,
        "Remove roles of your own organization or rules from them",
    ),
    ("port", Operation.VIEW, Scope.GLOBAL, "See every VPN algorithm port"),
    (
        "port",
        Operation.VIEW,
        Scope.ORGANIZATION,
        "See VPN algorithm ports of collaborations your organization is in",
    ),
    (
        "event",
        Operation.VIEW,
        Scope.ORGANIZATION,
        "Receive real-time events about your own organization",
    ),
    (
        "event",
        Operation.VIEW,
        Scope.COLLABORATION,
        "Receive real-time events of collaborations your organization is in",
    ),
    ("event", Operation.VIEW, Scope.GLOBAL, "Receive real-time events of all collaborations"),
    (
        "event",
        Operation.CREATE,
        Scope.ORGANIZATION,
        "Send control events (kill) for tasks your organization is involved in",
    ),
    (
        "event",
        Operation.CREATE,
        Scope.COLLABORATION,
        "Send control events (kill) within collaborations your organization is in",
    ),
    ("event", Operation.CREATE, Scope.GLOBAL, "Send control events (kill) anywhere"),
    # What 3.11 does not have stands below, so that ids on a fresh database are the known ones.
    ("algorithm", Operation.VIEW, Scope.GLOBAL, "See every function card"),
    (
        "algorithm",
        Operation.VIEW,
        Scope.ORGANIZATION,
        "See function cards for all, and those of collaborations your organization is in",
    ),
    (
        "algorithm",
        Operation.CREATE,
        Scope.GLOBAL,
        "Add function cards for any collaboration, and for all",
    ),
    (
        "algorithm",
        Operation.CREATE,
        Scope.ORGANIZATION,
        "Add function cards for collaborations your organization is in",
    ),
    ("algorithm", Operation.EDIT, Scope.GLOBAL, "Change, review and retire any function card"),
    (
        "algorithm",
        Operation.EDIT,
        Scope.ORGANIZATION,
        "Change, review and retire function cards of collaborations your organization is in",
    ),
    (
        "algorithm",
        Operation.EDIT,
        Scope.OWN,
        "Change your own function cards that are drafts",
    ),
    ("algorithm", Operation.DELETE, Scope.GLOBAL, "Remove any function card"),
    (
        "algorithm",
        Operation.DELETE,
        Scope.ORGANIZATION,
        "Remove function cards of collaborations your organization is in",
    ),
    (
        "algorithm",
        Operation.DELETE,
        Scope.OWN,
        "Remove your own function cards that are drafts",
    ),
)

#: What a rule is apart from its description.
Grant = tuple[str, Operation, Scope]


#: Every rule there is, which the role Root bundles.
ALL_RULES: frozenset[Grant] = frozenset(rule[:3] for rule in RULES)

#: Those of them that a holder needs to reach everything: a user that got each rule by hand before
#: there were function cards reaches what it reached.
_DECISIVE = frozenset(grant for grant in ALL_RULES if grant[0] != "algorithm")

#: Resources that belong to an organization or to members who agreed on it.
_OWNED = frozenset({"user", "role", "node", "organization", "collaboration"})
#: What concerns nobody's property: names and public keys are for all, and what is new is free.
_FREE = frozenset(
    {
        ("organization", Operation.VIEW),
        ("organization", Operation.CREATE),
        ("collaboration", Operation.CREATE),
    }
)


def reaches_everything(held: frozenset[Grant], resource: str, operation: Operation) -> bool:
    """Tell whether scope GLOBAL reaches the whole server for the holder of some rules.

    Users, roles, nodes, organizations and collaborations have owners: only the holder of every
    rule but those about function cards reaches all of them. The others are reached as the rule
    says, which no default role but Root holds.
    """
    return resource not in _OWNED or (resource, operation) in _FREE or held >= _DECISIVE


def find_narrowed(held: frozenset[Grant]) -> frozenset[Grant]:
    """Return those of some rules whose scope GLOBAL does not reach the whole server."""
    return frozenset(
        (resource, operation, scope)
        for resource, operation, scope in held
        if scope == Scope.GLOBAL and not reaches_everything(held, resource, operation)
    )


def _grants(*texts: str) -> frozenset[Grant]:
    """Read lines such as ``task CREATE DELETE in ORGANIZATION``."""
    grants = set()
    for text in texts:
        head, _, scope = text.partition(" in ")
        resource, *operations = head.split()
        grants |= {(resource, Operation(operation), Scope(scope)) for operation in operations}
    return frozenset(grants)


_CONTAINER = _grants(
    "node VIEW in ORGANIZATION",
    "collaboration VIEW in ORGANIZATION",
    "organization VIEW in ORGANIZATION",
    "organization VIEW in COLLABORATION",
    "task VIEW in ORGANIZATION",
    "result VIEW in ORGANIZATION",
    "port VIEW in ORGANIZATION",
)
_NODE = _CONTAINER | _grants("node EDIT in ORGANIZATION", "organization EDIT in ORGANIZATION")
_VIEWER = _CONTAINER | _grants(
    "user EDIT DELETE in OWN",
    "user VIEW in ORGANIZATION",
    "role VIEW in ORGANIZATION",
    "event VIEW in ORGANIZATION",
    "algorithm VIEW in ORGANIZATION",
)
_RESEARCHER = _VIEWER | _grants(
    "task CREATE DELETE in ORGANIZATION",
    "algorithm CREATE in ORGANIZATION",
    "algorithm EDIT DELETE in OWN",
)
_ORGANIZATION_ADMIN = _RESEARCHER | _grants(
    "user CREATE EDIT DELETE in ORGANIZATION",
    "organization EDIT in ORGANIZATION",
    "role CREATE EDIT DELETE in ORGANIZATION",
    "node CREATE EDIT in ORGANIZATION",
    "event CREATE in ORGANIZATION",
    "algorithm EDIT in ORGANIZATION",
)
_COLLABORATION_ADMIN = _ORGANIZATION_ADMIN | _grants(
    "user VIEW CREATE EDIT in GLOBAL",
    "organization VIEW EDIT in GLOBAL",
    "collaboration VIEW EDIT in GLOBAL",
    "role VIEW in GLOBAL",
    "node CREATE VIEW DELETE in GLOBAL",
    "event VIEW CREATE in COLLABORATION",
    "algorithm DELETE in ORGANIZATION",
)

#: Name, description and rules of the server-wide roles, in the order of their ids.
DEFAULT_ROLES: tuple[tuple[str, str, frozenset[Grant]], ...] = (
    ("Root", "Root role", ALL_RULES),
    ("container", "container role", _CONTAINER),
    ("node", "node role", _NODE),
    ("Viewer", "Sees what concerns the own organization and its collaborations.", _VIEWER),
    ("Researcher", "A viewer who creates and removes tasks.", _RESEARCHER),
    (
        "Organization Admin",
        "A researcher who administers the own organization: users, roles, nodes.",
        _ORGANIZATION_ADMIN,
    ),
    (
        "Collaboration Admin",
        "An organization's administrator who also administers collaborations and their members.",
        _COLLABORATION_ADMIN,
    ),
)
