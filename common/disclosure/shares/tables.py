"""Which cells of a table stay hidden."""

from collections.abc import Iterator, Sequence

from vantage6.common.disclosure.floors import Floors

_Cell = tuple[int, int]


def is_small(count: int, floors: Floors) -> bool:
    """Tell whether a count of records must not be shown in a table."""
    return count < floors.cell and (count > 0 or floors.zeros)


def find_small(table: Sequence[Sequence[int | None]], floors: Floors) -> set[_Cell]:
    """Return the cells that show few records by themselves."""
    return {
        (i, j)
        for i, row in enumerate(table)
        for j, count in enumerate(row)
        if count is not None and is_small(count, floors)
    }


def find_hidden(table: Sequence[Sequence[int]], floors: Floors) -> set[_Cell]:
    """Return the cells to hide (primary and complementary suppression).

    Small cells are hidden. Then, in the whole table and in each of its rows and columns: while
    some but not all cells are hidden, and only one is or the hidden ones add up to less than
    ``cell``, the smallest visible one is hidden as well, so that no sum gives a hidden cell away
    (Hundepool et al. 2012, *Statistical Disclosure Control*, chapter 4).

    Parameters
    ----------
    table
        Rows of counts.
    floors
        Of the station.
    """
    hidden = find_small(table, floors)
    lines = list(_lines(table))
    changed = bool(hidden)
    while changed:
        changed = False
        for line in lines:
            while (choice := _complement(table, line, hidden, floors)) is not None:
                hidden.add(choice)
                changed = True
    return hidden


def _lines(table: Sequence[Sequence[object]]) -> Iterator[list[_Cell]]:
    """Yield the whole table, and the rows and columns of one that has several of both."""
    rows = [[(i, j) for j in range(len(row))] for i, row in enumerate(table)]
    yield [cell for row in rows for cell in row]
    if len(rows) > 1 and max(map(len, rows)) > 1:
        yield from rows
        widest = max(map(len, rows))
        yield from ([(i, j) for i, row in enumerate(rows) if j < len(row)] for j in range(widest))


def _complement(
    table: Sequence[Sequence[int]], line: Sequence[_Cell], hidden: set[_Cell], floors: Floors
) -> _Cell | None:
    """Return the next cell of a line to hide; None where it needs none."""
    covered = [cell for cell in line if cell in hidden]
    visible = [cell for cell in line if cell not in hidden]
    if not covered or not visible:
        return None
    if len(covered) > 1 and sum(table[i][j] for i, j in covered) >= floors.cell:
        return None
    positive = [cell for cell in visible if table[cell[0]][cell[1]] > 0] or visible
    return min(positive, key=lambda cell: (table[cell[0]][cell[1]], cell))
