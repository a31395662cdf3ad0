"""What a client knows about itself after login."""

from typing import NamedTuple

#: Where a node shows its own token beside that of an algorithm.
NODE_AUTHORIZATION = "X-Node-Authorization"
#: What the server answers if that token is missing, has expired, or is another node's.
WRONG_NODE_TOKEN = "wrong_node_token"  # noqa: S105
#: What the server answers if another process works with the key of a node.
KEY_IN_USE = "key_in_use"
#: Most earlier processes that a node names at a login.
MOST_PREVIOUS = 8


class WhoAmI(NamedTuple):
    """The identity behind a token."""

    #: ``user``, ``node`` or ``container``.
    type_: str
    id_: int
    #: For a user the first name.
    name: str
    organization_name: str
    organization_id: int

    def __repr__(self) -> str:
        return (
            f"<WhoAmI name={self.name}, type={self.type_}, "
            f"organization={self.organization_name}, (id={self.organization_id})>"
        )
