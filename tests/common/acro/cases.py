"""Data of the cases that ACRO judges too. Plain Python: another environment reads this as well."""

import math
from typing import Any

#: Counts of two columns.
TABLES: dict[str, list[list[int]]] = {
    "large cells": [[12, 30], [25, 40]],
    "cells at the threshold": [[10, 10], [10, 10]],
    "a cell of 9": [[9, 30], [25, 40]],
    "a cell of 1": [[30, 1], [25, 40]],
    "a cell of 0": [[30, 0], [25, 40]],
    "two small cells": [[3, 4], [25, 40]],
    "a small row": [[1, 2, 3], [25, 40, 20]],
    "all cells small": [[1, 2], [3, 4]],
    "three columns": [[11, 12, 13], [14, 15, 16], [17, 18, 19]],
    "three columns, one small": [[11, 12, 13], [14, 5, 16], [17, 18, 19]],
}

#: Values of groups.
GROUPS: dict[str, list[list[float]]] = {
    "two even groups": [[float(50 + i) for i in range(20)], [float(60 + i) for i in range(15)]],
    "one even group": [[float(50 + i) for i in range(20)]],
    "a group of 10": [[float(50 + i) for i in range(20)], [float(60 + i) for i in range(10)]],
    "a group of 9": [[float(50 + i) for i in range(20)], [float(60 + i) for i in range(9)]],
    "a group of 1": [[float(50 + i) for i in range(20)], [71.0]],
    "one large value": [[1e6, *(float(50 + i) for i in range(20))]],
    "two large values": [[9e3, 8e3, *(float(10 + i) for i in range(20))]],
    "one large value in one of two groups": [
        [float(50 + i) for i in range(20)],
        [1e6, *(float(50 + i) for i in range(20))],
    ],
}
#: What is computed of each group.
STATISTICS = ("mean", "sum")

#: Records, and columns beside the constant.
REGRESSIONS: dict[str, tuple[int, int]] = {
    "200 records, 2 columns": (200, 2),
    "200 records, 19 columns": (200, 19),
    "30 records, 2 columns": (30, 2),
    "30 records, 5 columns": (30, 5),
    "12 records, 1 column": (12, 1),
    "12 records, 2 columns": (12, 2),
    "11 records, 1 column": (11, 1),
    "20 records, 12 columns": (20, 12),
    "8 records, 6 columns": (8, 6),
}


def records_of(counts: list[list[int]]) -> list[tuple[str, str]]:
    """Return the records behind a table."""
    return [
        (f"row {i}", f"column {j}")
        for i, row in enumerate(counts)
        for j, count in enumerate(row)
        for _ in range(count)
    ]


def design(records: int, columns: int) -> tuple[list[float], list[list[float]]]:
    """Return an outcome and columns that are not collinear."""
    x = [
        [math.sin((i + 1) * (j + 1) * 1.7) + math.cos(i * (j + 2) * 0.37) for j in range(columns)]
        for i in range(records)
    ]
    y = [sum(row) + math.sin(i * 12.9898) for i, row in enumerate(x)]
    return y, x


def names() -> list[str]:
    """Return the name of each case, as the file of verdicts has it."""
    found = [f"table: {name}" for name in TABLES]
    found += [f"{kind}: {name}" for name in GROUPS for kind in STATISTICS]
    return [*found, *(f"regression: {name}" for name in REGRESSIONS)]


def whole(values: list[list[float]]) -> dict[str, Any]:
    """Return count, sum and largest values of all groups together."""
    ordered = sorted((value for group in values for value in group), reverse=True)
    return {
        "count": len(ordered),
        "total": sum(ordered),
        "largest": ordered[0],
        "second": ordered[1],
    }
