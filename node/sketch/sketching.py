"""Makes the sketch of one table: ``python -m vantage6.node.sketch.sketching``.

A process of its own reads the file, so that the node keeps its memory and its time. The keys of
each column are first written to a file of the column, and counted column by column.
"""

import json
import os
import resource
import secrets
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vantage6.common.durable_files import write_durably
from vantage6.node.sketch.cells import (
    Keys,
    are_distinctive,
    number_keys,
    numbers_of,
    plain_text,
    text_keys,
)
from vantage6.node.sketch.people import People, count_people, largest_sums
from vantage6.node.sketch.tables import read_parts
from vantage6.node.sketch.totals import Totals

#: Columns of a table that can be looked at.
_MOST_COLUMNS = 5000
_LOWEST_PRIORITY = 19
_SALT_BYTES = 8
#: So many people at an edge are no few.
_MOST_AT_EDGE = 10_000


class Extremes:
    """The smallest and the largest number of a column, and how many records hold each."""

    def __init__(self) -> None:
        self.lowest: tuple[float, int] | None = None
        self.highest: tuple[float, int] | None = None
        #: The people at each edge, as far as they are few.
        self._people: dict[str, set[int]] = {}

    def add(self, values: NDArray[np.float64], people: Keys | None = None) -> None:
        """Take over a part of the column, and the people of its records, where people count."""
        for name, edge in (("lowest", values.min()), ("highest", values.max())):
            known = getattr(self, name)
            is_same = known is not None and known[0] == edge
            if not is_same and known is not None and (known[0] < edge) == (name == "lowest"):
                continue
            if people is None:
                count = int(np.count_nonzero(values == edge)) + (known[1] if is_same else 0)
            else:
                before = self._people.get(name, set()) if is_same else set()
                if len(before) < _MOST_AT_EDGE:
                    before |= set(np.unique(people[values == edge]).tolist())
                self._people[name] = before
                count = len(before)
            setattr(self, name, (float(edge), count))


class Sketching:
    """Collects the cells of a table in a folder, and makes sorted files of keys of them.

    Parameters
    ----------
    folder
        An empty one.
    cell
        Records behind a text that are too few to be shown.
    person_column
        The column that names the person of a record; people count then in place of records.
    """

    def __init__(self, folder: Path, cell: int, person_column: str | None = None) -> None:
        self._folder = folder
        self._cell = cell
        self._salt = secrets.token_hex(_SALT_BYTES)
        column = person_column
        self._people = People(folder, column, self._salt) if column is not None else None
        #: Rows of each table.
        self._rows: Counter[int] = Counter()
        self._numbers: dict[str, int] = {}
        self._extremes: dict[int, Extremes] = {}
        self._totals: dict[int, Totals] = {}

    def add(self, table: int, part: Any) -> None:
        """Take over a part of a table."""
        self._rows[table] += len(part)
        people = None if self._people is None else self._people.find(table, part)
        for position, name in enumerate(part.columns):
            number = self._numbers.setdefault(str(name), len(self._numbers))
            if number >= _MOST_COLUMNS:
                raise ValueError("too many columns")
            self._add_column(number, part.iloc[:, position], people)

    def _add_column(self, number: int, column: Any, people: Keys | None) -> None:
        if pd.api.types.is_bool_dtype(column):
            return
        if pd.api.types.is_numeric_dtype(column):
            values = column.to_numpy(np.float64, na_value=np.nan)
            is_finite = np.isfinite(values)
            values = values[is_finite]
            people = None if people is None else people[is_finite]
            if len(values):
                self._extremes.setdefault(number, Extremes()).add(values, people)
                self._totals.setdefault(number, Totals()).add(values)
                self._append(f"{number}.numbers", number_keys(values), people)
            return
        texts = [plain_text(str(cell)) for cell in column.dropna()]
        if texts:
            people = None if people is None else people[column.notna().to_numpy()]
            self._append(f"{number}.texts", text_keys(texts, self._salt), people)

    def _append(self, name: str, keys: Keys, people: Keys | None = None) -> None:
        with (self._folder / name).open("ab") as file:
            (keys if people is None else np.column_stack((keys, people))).tofile(file)

    def finish(self, data_bytes: int) -> None:
        """Write the sketch, and remove what it was made of."""
        for number in self._numbers.values():
            self._count(f"{number}.numbers", "cells", number)
            self._count(f"{number}.texts", "rare")
        frequent = _sort(self._folder / "frequent")
        lengths: dict[str, int] = {}
        for name in ("cells", "rare"):
            keys = _sort(self._folder / name)
            if name == "rare" and len(keys) and len(frequent):
                # A text that is frequent in one column tells nothing of another.
                keys = np.setdiff1d(keys, frequent)
            _write_keys(self._folder / f"{name}.keys", keys)
            lengths[name] = len(keys)
            del keys
            (self._folder / name).unlink(missing_ok=True)
        del frequent
        (self._folder / "frequent").unlink(missing_ok=True)
        few = self._cell
        edges = self._extremes.values()
        names = {number: name for name, number in self._numbers.items()}
        totals = {names[number]: one.to_json() for number, one in self._totals.items()}
        found = None if self._people is None else self._people.finish()
        facts = {
            "people": found,
            "rows": max(self._rows.values(), default=0),
            "bytes": data_bytes,
            "salt": self._salt,
            "columns": list(self._numbers),
            "lowest": [e.lowest[0] for e in edges if e.lowest and e.lowest[1] < few],
            "highest": [e.highest[0] for e in edges if e.highest and e.highest[1] < few],
            "totals": {name: one for name, one in totals.items() if one is not None},
            # So that files that a power cut left empty are not taken for those of no cell.
            "lengths": lengths,
        }
        write_durably(self._folder / "facts.json", json.dumps(facts).encode())

    def _count(self, source: str, target: str, number: int | None = None) -> None:
        """Sort the keys of a column by how many records, or people, hold them."""
        path = self._folder / source
        if not path.exists():
            return
        found = np.fromfile(path, np.uint64)
        path.unlink()
        if self._people is None:
            keys, counts = np.unique(found, return_counts=True)
        else:
            pairs = found.reshape(-1, 2)
            if number is not None:
                sums = largest_sums(numbers_of(pairs[:, 0]), pairs[:, 1])
                self._totals[number].take_largest(sums)
            keys, counts = count_people(pairs)
        if target == "cells":
            single = keys[counts == 1]
            self._append(target, single[are_distinctive(single)])
        else:
            self._append(target, keys[counts < self._cell])
            self._append("frequent", keys[counts >= self._cell])


def _write_keys(path: Path, keys: Keys) -> None:
    with path.open("wb") as file:
        keys.tofile(file)
        file.flush()
        os.fsync(file.fileno())


def _sort(path: Path) -> Keys:
    if not path.exists() or not path.stat().st_size:
        return np.empty(0, np.uint64)
    keys = np.memmap(path, np.uint64, "r+")
    keys.sort()
    return keys


def make_sketch(
    source: Path, kind: str, folder: Path, cell: int, person_column: str | None = None
) -> None:
    """Make the sketch of a table in an empty folder; see `Sketching`."""
    sketching = Sketching(folder, cell, person_column)
    for table, part in read_parts(source, kind):
        sketching.add(table, part)
    sketching.finish(source.stat().st_size)


def main(
    source: str, kind: str, folder: str, cell: str, memory: str, person_column: str = ""
) -> None:
    """Make a sketch with the lowest priority and bounded memory."""
    os.umask(0o077)
    os.nice(_LOWEST_PRIORITY)
    resource.setrlimit(resource.RLIMIT_DATA, (int(memory), int(memory)))
    make_sketch(Path(source), kind, Path(folder), int(cell), person_column or None)


if __name__ == "__main__":
    main(*sys.argv[1:])
