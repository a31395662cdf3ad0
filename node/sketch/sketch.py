"""The sketch of one version of a table: what a walk through an output compares with.

It holds keys of cells, which is to say hashes that can be tried out: it is as confidential as the
data itself.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vantage6.common.disclosure.shares import ColumnTotals
from vantage6.node.sketch.cells import Keys, are_members, near_keys, plain_text, text_keys
from vantage6.node.sketch.totals import read_totals


class Sketch:
    """A sketch on disk; its files are looked into, and not read as a whole.

    Parameters
    ----------
    folder
        What `vantage6.node.sketch.sketching` made.

    Raises
    ------
    OSError, ValueError, KeyError, TypeError
        If there is no sketch, or not all of it.
    """

    def __init__(self, folder: Path) -> None:
        facts: dict[str, Any] = json.loads((folder / "facts.json").read_bytes())
        self.rows = int(facts["rows"])
        people: tuple[int, list[int]] | None = facts["people"]
        #: People, where they count in place of records; the records of those with the most.
        self.people = self.rows if people is None else int(people[0])
        self.most_of_one: Sequence[int] | None = None
        if people is not None:
            self.most_of_one = tuple(map(int, people[1]))
        self.bytes = int(facts["bytes"])
        self.columns = frozenset(map(str, facts["columns"]))
        self.totals: Mapping[str, ColumnTotals] = read_totals(facts)
        self._salt = str(facts["salt"])
        self._lowest = frozenset(map(float, facts["lowest"]))
        self._highest = frozenset(map(float, facts["highest"]))
        lengths: dict[str, int] = facts["lengths"]
        self._cells = _open(folder / "cells.keys", lengths["cells"])
        self._rare = _open(folder / "rare.keys", lengths["rare"])

    def find_cells(self, numbers: Sequence[float]) -> Sequence[bool]:
        """Tell which numbers equal a cell that is unique in its column."""
        low, high = near_keys(np.asarray(numbers, np.float64))
        hits = are_members(low, self._cells)
        differ = np.flatnonzero(low != high)
        hits[differ] |= are_members(high[differ], self._cells)
        found: Sequence[bool] = hits.tolist()
        return found

    def find_rare(self, texts: Sequence[str]) -> Sequence[bool]:
        """Tell which texts stand in too few records."""
        if not len(self._rare):
            return [False] * len(texts)
        keys = text_keys([plain_text(text) for text in texts], self._salt)
        found: Sequence[bool] = are_members(keys, self._rare).tolist()
        return found

    def is_lowest(self, number: float) -> bool:
        """Tell whether a number is the smallest value of a column, held by few records."""
        return number in self._lowest

    def is_highest(self, number: float) -> bool:
        """Tell whether a number is the largest value of a column, held by few records."""
        return number in self._highest


def _open(path: Path, length: int) -> Keys:
    """Return the keys in a file.

    Raises
    ------
    OSError
        If it does not hold so many.
    """
    if path.stat().st_size != length * np.dtype(np.uint64).itemsize:
        # SECURITY: with fewer keys, cells of single records would pass.
        raise OSError(f"{path} is damaged")
    return np.memmap(path, np.uint64, "r") if length else np.empty(0, np.uint64)
