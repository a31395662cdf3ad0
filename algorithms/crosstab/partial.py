"""Levels and masked counts of one organization for a table of two columns."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vantage6.algorithms.statistics import disclosure
from vantage6.algorithms.statistics.arguments import bad, check_levels, check_name
from vantage6.algorithms.statistics.levels import ordered
from vantage6.algorithms.statistics.sentences import Refused
from vantage6.algorithms.statistics.station import Station

Texts = NDArray[Any]


def _texts(station: Station, rows: str, columns: str) -> tuple[int, Texts, Texts]:
    """Return the number of records, and the levels of those that have both values."""
    check_name("rows", rows)
    check_name("columns", columns)
    if rows == columns:
        raise bad("rows and columns are different columns.")
    table = station.columns
    complete = table.complete([rows, columns])
    return table.rows, complete.texts(rows), complete.texts(columns)


def _counts(
    station: Station, name: str, texts: Texts, given: Mapping[str, Sequence[str]]
) -> dict[str, int]:
    counts = Counter(texts.tolist())
    if name in given and not set(counts) <= set(given[name]):
        raise Refused("unknown_level", column=name)
    disclosure.check_levels(name, counts, station.floors)
    return {level: counts[level] for level in ordered(counts)}


def crosstab_levels(
    station: Station,
    rows: str,
    columns: str,
    levels: dict[str, list[Any]] | None = None,
) -> dict[str, Any]:
    """Return the levels of both columns with their records, over records that have both values.

    Parameters
    ----------
    rows, columns
        Categorical columns.
    levels
        Column -> its levels, where they are known; no other value may occur.

    Returns
    -------
    dict
        ``rows`` (None if few records miss a value), ``n`` and ``levels``: column -> level ->
        records.
    """
    count, row_texts, column_texts = _texts(station, rows, columns)
    given = check_levels(levels)
    disclosure.check_records(len(row_texts), station.floors)
    missing = count - len(row_texts)
    return {
        "rows": None if 0 < missing < station.floors.cell else count,
        "n": len(row_texts),
        "levels": {
            rows: _counts(station, rows, row_texts, given),
            columns: _counts(station, columns, column_texts, given),
        },
    }


def crosstab_counts(
    station: Station, rows: str, columns: str, levels: dict[str, list[str]]
) -> dict[str, Any]:
    """Return the counts of a table; cells that stay hidden are None.

    Parameters
    ----------
    rows, columns, levels
        Categorical columns, and the levels of both, in the order of the table.

    Returns
    -------
    dict
        ``counts`` (row x column) and ``masked``: the number of hidden cells.
    """
    _, row_texts, column_texts = _texts(station, rows, columns)
    agreed = check_levels(levels)
    if not {rows, columns} <= set(agreed):
        raise bad("levels gives a list of levels for each column.")
    disclosure.check_records(len(row_texts), station.floors)
    _counts(station, rows, row_texts, agreed)
    _counts(station, columns, column_texts, agreed)
    places = [{level: i for i, level in enumerate(agreed[name])} for name in (rows, columns)]
    table = np.zeros((len(places[0]), len(places[1])), dtype=np.int64)
    for row, column in zip(row_texts, column_texts, strict=True):
        table[places[0][row], places[1][column]] += 1
    hidden = disclosure.mask(table, station.floors)
    shown = [
        [None if h else int(c) for c, h in zip(cells, covered, strict=True)]
        for cells, covered in zip(table, hidden, strict=True)
    ]
    return {"counts": shown, "masked": int(hidden.sum())}
