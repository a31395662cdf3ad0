"""Which rows an identity may see."""

from dataclasses import dataclass
from typing import Any

from vantage6.common.enums import Scope
from vantage6.models.tables import Membership


@dataclass(frozen=True)
class Reach:
    """The part of a table that an identity may see."""

    #: The widest scope that was granted.
    scope: Scope
    organization: int | None = None
    #: A node or a container sees only its own collaboration.
    collaboration: int | None = None
    #: A container sees only this task and those below it.
    task: int | None = None

    @property
    def everything(self) -> bool:
        """Nothing is hidden."""
        return self.scope is Scope.GLOBAL

    def collaborations(self) -> Any:
        """Return the ids of the collaborations within reach, as a subquery or a list."""
        if self.collaboration is not None:
            return [self.collaboration]
        return Membership.select(Membership.collaboration).where(
            Membership.organization == self.organization
        )

    def organizations(self, column: Any) -> Any:
        """Return the condition that a column names an organization within reach."""
        own = column == self.organization
        if self.scope is not Scope.COLLABORATION:
            return own
        partners = Membership.select(Membership.organization).where(
            Membership.collaboration.in_(self.collaborations())
        )
        return own | column.in_(partners)
