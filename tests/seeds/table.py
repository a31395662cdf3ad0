"""The table of all statements in ``docs/seeds.md``: which test runs a statement, or why none does.

The tests take their statements from the table, so that it cannot say anything else than they do.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.seeds.document import MISSING, Statement, statements

PAGE = Path(__file__).resolve().parents[2] / "docs" / "seeds.md"
WAITS = "waits: "
#: Everything that the documents show; nothing if they are not here.
ALL = statements()
#: Names of the tests that take statements from the table.
TESTS: set[str] = set()


@dataclass(frozen=True)
class Row:
    """A row of the table: a quotation, and the name of a test or why the statement waits."""

    document: str
    chapter: str
    quotation: str
    test: str

    def statements(self) -> list[Statement]:
        """Return the statements that this may be: the one that is quoted whole, else in part."""
        there = [one for one in ALL if (one.document, one.chapter) == (self.document, self.chapter)]
        whole = [one for one in there if one.text == self.quotation]
        return whole or [one for one in there if self.quotation in one.text]


def rows() -> list[Row]:
    """Return the table."""
    found, document = [], ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            document = line[3:]
        elif cells := re.fullmatch(r"\| ([^|]+) \| `([^|]+)` \| ([^|]+) \|", line):
            found.append(Row(document, cells[1], cells[2], cells[3].strip("`")))
    return found


def runs(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test with each statement that the table gives to it, in the order of the table."""
    TESTS.add(test.__name__)
    chosen = [one for row in rows() if row.test == test.__name__ for one in row.statements()]
    parameters = [pytest.param(one, id=one.id) for one in chosen]
    without = pytest.param(None, id="none", marks=pytest.mark.skip(reason=MISSING))
    marked: Callable[..., None] = pytest.mark.parametrize("statement", parameters or [without])(
        test
    )
    return marked
