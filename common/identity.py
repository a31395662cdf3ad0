"""What a client knows about itself after login."""

from typing import NamedTuple


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
