"""The people behind the records of a table, where one has several of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vantage6.node.sketch.cells import Keys, number_keys, text_keys

#: The people with the most records whose number of records the sketch holds.
MOST_LISTED = 1000
#: Begins the keys of records whose table names no person.
_FIRST_RECORD = 2**63


class People:
    """The people behind the records of all tables.

    Parameters
    ----------
    folder
        An empty one.
    column
        The column that names the person of a record.
    salt
        Sixteen characters for the keys of texts.
    """

    def __init__(self, folder: Path, column: str, salt: str) -> None:
        self._folder = folder
        self._column = column
        self._salt = salt
        self._records = 0
        #: Tables that have the column.
        self._tables: set[int] = set()

    def find(self, table: int, part: Any) -> Keys:
        """Return a key for each record of a part: the same one for the same person."""
        places = [i for i, name in enumerate(part.columns) if str(name) == self._column]
        if not places:
            first, self._records = self._records, self._records + len(part)
            return np.arange(first, self._records, dtype=np.uint64) + np.uint64(_FIRST_RECORD)
        keys = self._keys(part.iloc[:, places[0]])
        self._tables.add(table)
        with (self._folder / f"{table}.people").open("ab") as file:
            keys.tofile(file)
        return keys

    def _keys(self, column: Any) -> Keys:
        # SECURITY: a part of a file may hold texts where another one holds numbers. One person
        # must not become two. All records without a person are those of one.
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        keys = text_keys([str(value).strip() for value in column], self._salt)
        is_number = np.isfinite(numbers)
        keys[is_number] = number_keys(numbers[is_number])
        keys[column.isna().to_numpy()] = 0
        return keys

    def finish(self) -> tuple[int, list[int]] | None:
        """Return how many people there are, and the most records of one of them, falling.

        None if no table names the people of its records.
        """
        people, most = 0, np.zeros(MOST_LISTED, np.int64)
        for table in self._tables:
            path = self._folder / f"{table}.people"
            records = np.sort(np.unique(np.fromfile(path, np.uint64), return_counts=True)[1])[::-1]
            path.unlink()
            people = max(people, len(records))
            listed = records[:MOST_LISTED]
            most[: len(listed)] = np.maximum(most[: len(listed)], listed)
        return (people, most[most > 0].tolist()) if self._tables else None


def count_people(pairs: NDArray[np.uint64]) -> tuple[Keys, NDArray[np.int64]]:
    """Return each key once, and how many people have it.

    Parameters
    ----------
    pairs
        Keys of cells and of people, in two columns.
    """
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    pairs = pairs[order]
    is_new = np.ones(len(pairs), bool)
    is_new[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    return np.unique(pairs[is_new, 0], return_counts=True)


def largest_sums(values: NDArray[np.float64], people: Keys) -> list[float]:
    """Return the largest two sums of a column by person."""
    _, which = np.unique(people, return_inverse=True)
    sums = np.bincount(which, weights=values)
    largest: list[float] = np.sort(sums)[-2:].tolist()
    return largest
