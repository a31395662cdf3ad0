"""Totals of a column of numbers: whether one or two records make up its sum."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vantage6.common.disclosure.shares import ColumnTotals

#: A column with as many values is no flag, in which the largest two are as good as any others.
_NO_FLAG = 3


class Totals:
    """Adds up a column part by part."""

    def __init__(self) -> None:
        self._count = 0
        self._parts: list[float] = []
        self._largest: list[float] = []
        self._distinct: set[float] = set()
        self._has_negative = False

    def add(self, values: NDArray[np.float64]) -> None:
        """Take over a part of the column, without missing values."""
        self._count += len(values)
        self._parts.append(float(values.sum()))
        top = np.partition(values, -2)[-2:] if len(values) > 1 else values
        self._largest = sorted([*self._largest, *top.tolist()])[-2:]
        self._has_negative |= bool((values < 0).any())
        if len(self._distinct) < _NO_FLAG:
            self._distinct.update(np.unique(values)[:_NO_FLAG].tolist())

    def take_largest(self, sums: list[float]) -> None:
        """Take over the largest sums of single people, in place of the largest values."""
        self._largest = sorted([*sums, 0.0])[-2:]

    def to_json(self) -> list[Any] | None:
        """Return what the sketch holds; nothing of a column to which the rule does not apply."""
        total = math.fsum(self._parts)
        is_measure = len(self._distinct) >= _NO_FLAG and not self._has_negative
        if not is_measure or not math.isfinite(total):
            return None
        second, largest = self._largest
        return [self._count, total, largest, second]


def read_totals(facts: dict[str, Any]) -> dict[str, ColumnTotals]:
    """Return the totals of the columns in a sketch, by their names."""
    return {
        str(name): ColumnTotals(int(count), float(total), float(largest), float(second))
        for name, (count, total, largest, second) in facts["totals"].items()
    }
