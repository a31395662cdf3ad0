"""What the node knows of a database when it judges an output."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from vantage6.common.disclosure.floors import Floors
from vantage6.common.disclosure.shares import ColumnTotals


class Data(Protocol):
    """What an output is compared with. All of it stays at the station."""

    rows: int
    #: The people of the records; as many as records where they are not known.
    people: int
    #: The records of the people with the most, falling; None where records count.
    most_of_one: Sequence[int] | None
    bytes: int
    columns: frozenset[str]
    #: Of columns without negative numbers.
    totals: Mapping[str, ColumnTotals]

    def find_cells(self, numbers: Sequence[float]) -> Sequence[bool]:
        """Tell which numbers equal a cell that is unique in its column."""

    def find_rare(self, texts: Sequence[str]) -> Sequence[bool]:
        """Tell which texts stand in too few records."""

    def is_lowest(self, number: float) -> bool:
        """Tell whether a number is the smallest value of a column, held by few records."""

    def is_highest(self, number: float) -> bool:
        """Tell whether a number is the largest value of a column, held by few records."""


def floors_beside(data: Data | None, floors: Floors) -> Floors:
    """Return the floors in records of the data, where they count people."""
    if data is None or data.most_of_one is None:
        return floors
    return floors.for_people(data.most_of_one)
