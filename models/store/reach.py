"""Which rows an identity may see, and which page of them it asked for."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from peewee import SQL, Model, ModelSelect, Value, fn

from vantage6.common.enums import Scope
from vantage6.models.database import db
from vantage6.models.fields import is_sqlite
from vantage6.models.tables import Membership

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Reach:
    """The part of a table that an identity may see."""

    #: The widest scope that was granted.
    scope: Scope
    organization: int | None = None
    #: A node or a container sees only its own collaboration.
    collaboration: int | None = None

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


@dataclass(frozen=True)
class Page:
    """A part of a list: ``number`` counts from 1; without one, the whole list."""

    number: int | None = None
    size: int = 10


def page_of(query: "ModelSelect[Row]", page: Page) -> tuple[list[Row], int]:
    """Return the rows on a page and the number of rows on all pages."""
    if page.number is None:
        rows = list(query)
        return rows, len(rows)
    return list(query.paginate(page.number, page.size)), query.count()


def like(column: Any, pattern: str) -> Any:
    """Return the condition that a text is like an SQL pattern, in which a backslash is itself.

    PostgreSQL alone takes it for an escape, and fails where it is the last character.
    """
    return column ** (pattern if is_sqlite(db.obj) else pattern.replace("\\", "\\\\"))


def among(column: Any, ids: Iterable[int]) -> Any:
    """Return the condition that a number is one of these, however many they are.

    They travel as one parameter: SQLite takes 32,766 in a statement, PostgreSQL 65,535.
    """
    numbers = list(ids)
    if is_sqlite(db.obj):
        return column.in_(SQL("(SELECT value FROM json_each(?))", [json.dumps(numbers)]))
    return column == fn.ANY(Value(numbers, unpack=False))
