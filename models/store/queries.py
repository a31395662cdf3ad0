"""Parts of queries: a page of the rows, patterns, and long lists of ids."""

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

from peewee import OP, SQL, Expression, Model, ModelSelect, NodeList, Value, fn

from vantage6.common.errors import Invalid
from vantage6.models.database import db
from vantage6.models.fields import is_sqlite
from vantage6.models.sql.count_cache import count_rows
from vantage6.models.sql.deadline import limited_time
from vantage6.models.sql.prepared import Parameter

Row = TypeVar("Row", bound=Model)

#: How long patterns may be: without a percent sign, with some, and with how many.
_MOST_LONG, _MOST_SEARCHED, _MOST_SIGNS = 1024, 128, 4
#: How much of a text a pattern is compared with. More than a pattern is long: a longer text is
#: never taken for what it begins with.
_COMPARED = _MOST_LONG + 1


@dataclass(frozen=True)
class Page:
    """A part of a list: ``number`` counts from 1; without one, the whole list."""

    number: int | None = None
    size: int = 10
    #: Begin after the row with this id, in the order of the list; for results and tasks. The total
    #: is not wanted any more then.
    after: int | None = None

    @property
    def before(self) -> int:
        """How many rows are on the pages before."""
        return (self.number - 1) * self.size if self.number else 0


def page_of(
    query: "ModelSelect[Row]", page: Page, counted: "ModelSelect[Row] | None" = None
) -> tuple[list[Row], int]:
    """Return the rows on a page and the number of rows on all pages.

    The number of a long list may be up to two seconds old: where counting takes 2 ms or more and
    finds 1,000 rows or more, it is kept for 20 times as long as that took, in this process. The
    rows are always those of this moment, and so is the number if the page is the last one.

    Parameters
    ----------
    counted
        A query with as many rows that is faster to count, where there is one.

    Raises
    ------
    Invalid
        If it searches for a pattern, and that takes too long.
    """
    # SECURITY: a pattern is compared with the texts of all rows within reach.
    with limited_time() if _has_pattern(getattr(query, "_where", None)) else nullcontext():
        return _page_of(query, page, counted)


def _page_of(
    query: "ModelSelect[Row]", page: Page, counted: "ModelSelect[Row] | None"
) -> tuple[list[Row], int]:
    rows = list(query if page.number is None else query.paginate(page.number, page.size))
    return rows, total(page, rows, lambda: count_rows(query if counted is None else counted))


def _has_pattern(condition: Any) -> bool:
    """Tell whether a condition is one of `like`, or holds one."""
    if not isinstance(condition, Expression):
        return False
    parts = (condition.lhs, condition.rhs)
    return condition.op == OP.ILIKE or any(_has_pattern(part) for part in parts)


def total(page: Page, rows: Sequence[object], count: Callable[[], int]) -> int:
    """Return the number of rows on all pages; count them only if this page does not tell."""
    before = page.before
    if (
        page.after is not None
        or page.number is None
        or 0 < len(rows) < page.size
        or not before + len(rows)
    ):
        return before + len(rows)
    return count()


def like(column: Any, pattern: str) -> Any:
    """Return the condition that a text is like an SQL pattern, in which a backslash is itself.

    Of a text, the first 1,025 characters count.

    PostgreSQL alone takes it for an escape, and fails where it is the last character.

    Raises
    ------
    Invalid
        If the pattern is one for which a database would search long texts again and again.
    """
    # SECURITY: for what stands after a percent sign, a text is searched from each of its positions.
    signs = pattern.count("%")
    if (
        len(pattern) > _MOST_LONG
        or (signs and len(pattern) > _MOST_SEARCHED)
        or signs > _MOST_SIGNS
    ):
        raise Invalid(
            f"A pattern may have {_MOST_SEARCHED} characters and {_MOST_SIGNS} percent signs; "
            f"without any, {_MOST_LONG} characters.",
            code="pattern_too_long",
        )
    # SECURITY: the time for it is that for each text of a table, and people write long ones.
    compared = fn.SUBSTR(column, 1, _COMPARED)
    return compared ** (pattern if is_sqlite(db.obj) else pattern.replace("\\", "\\\\"))


def among(column: Any, ids: Iterable[int] | Parameter) -> Any:
    """Return the condition that a number is one of these, however many they are.

    They travel as one parameter: SQLite takes 32,766 in a statement, PostgreSQL 65,535.
    """
    form = _as_json if is_sqlite(db.obj) else list
    value = (
        ids.through(form) if isinstance(ids, Parameter) else Value(form(ids), False, unpack=False)
    )
    if is_sqlite(db.obj):
        return column.in_(NodeList((SQL("(SELECT value FROM json_each("), value, SQL("))"))))
    return column == fn.ANY(value)


def _as_json(ids: Iterable[int]) -> str:
    return json.dumps(list(ids))
