"""Columns of a station's data: what kind they are, and their values for a computation."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vantage6.algorithms.statistics.levels import canonical_text, is_missing
from vantage6.algorithms.statistics.sentences import Refused
from vantage6.algorithms.statistics.sums import Array

#: What `kind` answers, as a sentence calls it.
NUMERIC, TEXT, BOOLEAN, DATE, EMPTY = "numbers", "text", "booleans", "dates", "nothing"
#: Columns that an error lists.
LISTED = 20


def _kind_of_objects(values: Iterable[Any]) -> str:
    kinds = set()
    for value in values:
        if is_missing(value):
            continue
        if isinstance(value, bool | np.bool_):
            kinds.add(BOOLEAN)
        elif isinstance(value, int | float | np.number):
            kinds.add(NUMERIC)
        else:
            kinds.add(DATE if hasattr(value, "isoformat") else TEXT)
    if not kinds:
        return EMPTY
    return kinds.pop() if len(kinds) == 1 else TEXT


class Columns:
    """The columns of one station: a frame, or a mapping from names to arrays."""

    def __init__(self, data: Any) -> None:
        self._data = data
        self.names = [str(name) for name in getattr(data, "columns", data)]
        self._arrays: dict[str, NDArray[Any]] = {}
        self._kinds: dict[str, str] = {}
        self._rows: NDArray[np.intp] | None = None

    @property
    def rows(self) -> int:
        """Number of records."""
        if self._rows is not None:
            return len(self._rows)
        return len(self._data[self.names[0]]) if self.names else 0

    def take(self, keep: NDArray[np.bool_]) -> "Columns":
        """Return the same columns for some of the records; kinds stay those of the whole."""
        taken = Columns(self._data)
        rows = np.arange(self.rows) if self._rows is None else self._rows
        taken._rows = rows[keep]
        taken._kinds = self._kinds
        return taken

    def _array(self, name: str) -> NDArray[Any]:
        if name not in self._arrays:
            if name not in self.names:
                shown = ", ".join(self.names[:LISTED]) + (", …" if self.names[LISTED:] else "")
                raise Refused("unknown_column", column=name, columns=shown)
            array = np.asarray(self._data[name])
            if name not in self._kinds:
                self._kinds[name] = self._kind(array)
            self._arrays[name] = array if self._rows is None else array[self._rows]
        return self._arrays[name]

    @staticmethod
    def _kind(array: NDArray[Any]) -> str:
        if array.dtype.kind in "iuf":
            return EMPTY if array.size == 0 or np.all(array != array) else NUMERIC
        if array.dtype.kind == "b":
            return BOOLEAN
        if array.dtype.kind in "mM":
            return EMPTY if np.all(np.isnat(array)) else DATE
        return _kind_of_objects(array.tolist() if array.dtype.kind in "US" else array)

    def kind(self, name: str) -> str:
        """Return NUMERIC, TEXT, BOOLEAN, DATE or EMPTY."""
        self._array(name)
        return self._kinds[name]

    def numbers(self, name: str) -> Array:
        """Return a column as doubles, NaN where missing.

        Raises
        ------
        Refused
            The column holds something else, or an infinite value. Text that looks like numbers
            is text: how it was meant ("1,5") only the station can say.
        """
        array = self._array(name)
        kind = self._kinds[name]
        if kind not in (NUMERIC, BOOLEAN, EMPTY):
            raise Refused("not_numeric", column=name, kind=kind)
        if array.dtype.kind in "iufb":
            values = array.astype(np.float64)
        else:
            values = np.array([np.nan if is_missing(v) else float(v) for v in array])
        if np.any(np.isinf(values)):
            raise Refused("infinite_value", column=name)
        return values.astype(np.float64)

    def texts(self, name: str) -> NDArray[Any]:
        """Return the canonical text of each value of a categorical column, None where missing."""
        texts = np.empty(self.rows, dtype=object)
        texts[:] = [canonical_text(value) for value in self._array(name)]
        return texts

    def is_present(self, name: str) -> NDArray[np.bool_]:
        """Tell for each record whether the column has a value."""
        array = self._array(name)
        if array.dtype.kind in "iub":
            return np.ones(len(array), dtype=bool)
        if array.dtype.kind == "f":
            present: NDArray[np.bool_] = array == array
            return present
        return np.array([not is_missing(value) for value in array], dtype=bool)

    def complete(self, names: Iterable[str]) -> "Columns":
        """Return the records that have a value in each of these columns."""
        keep = np.ones(self.rows, dtype=bool)
        for name in names:
            keep &= self.is_present(name)
        return self.take(keep)
