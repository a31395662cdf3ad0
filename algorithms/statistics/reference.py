"""Published statistics that come with the functions: data, task, and what the answer must equal.

Only data whose licence allows it is here; other tables are read from the packages that ship them,
where these are installed. Each case lies in the folder ``reference`` of the package of its
function.
"""

import csv
import gzip
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from vantage6.algorithms.statistics.sums import Array

#: Digits of equal doubles.
ALL_DIGITS = 17.0
#: Sums of the same records in another order differ by less, as a share of the largest sum.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Comparison:
    """One number of an answer beside the published one."""

    name: str
    published: float
    found: Any
    tolerance: float
    #: A coefficient is compared in units of its standard error, if that is larger.
    unit: float = 0.0

    @property
    def digits(self) -> float:
        """How many digits are equal; 0 where nothing was found."""
        if self.found == self.published:
            return ALL_DIGITS
        if not isinstance(self.found, int | float) or not math.isfinite(self.found):
            return 0.0
        return max(0.0, min(ALL_DIGITS, -math.log10(self._difference)))

    @property
    def is_equal(self) -> bool:
        """Whether the numbers are equal within the tolerance."""
        if self.found == self.published:
            return True
        return isinstance(self.found, int | float) and self._difference <= self.tolerance

    @property
    def _difference(self) -> float:
        size = max(abs(self.published), self.unit)
        return abs(self.found - self.published) / size if size else math.inf


@dataclass(frozen=True)
class Data:
    """A table of numbers in a file."""

    #: None where the package that ships it is not installed.
    file: Path | None
    separator: str = ","
    #: All without any.
    columns: Sequence[str] = ()
    #: Another package that ships it.
    package: str | None = None

    @classmethod
    def read_entry(cls, entry: str | Mapping[str, Any], folder: Path) -> "Data":
        """Read where the data of a case is.

        Parameters
        ----------
        entry
            A file beside the case, or ``file``, ``columns``, ``separator`` and ``package``.
        folder
            That of the case.
        """
        said = {"file": entry} if isinstance(entry, str) else entry
        package = said.get("package")
        place = folder if package is None else _folder_of(package)
        return cls(
            None if place is None else place / said["file"],
            said.get("separator", ","),
            tuple(said.get("columns", ())),
            package,
        )

    @property
    def is_there(self) -> bool:
        """Whether the file can be read."""
        return self.file is not None and self.file.is_file()

    def read(self) -> dict[str, Array]:
        """Return column -> numbers.

        Raises
        ------
        FileNotFoundError
            If the package that ships it is not installed.
        """
        if self.file is None:
            raise FileNotFoundError(f"The package {self.package} is not installed.")
        opened = gzip.open if self.file.suffix == ".gz" else open
        with opened(self.file, "rt", encoding="ascii", newline="") as file:
            names, *rows = _rows(file, self.separator)
        places = [names.index(name) for name in self.columns or names]
        return {names[place]: np.array([float(row[place]) for row in rows]) for place in places}


def _rows(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    if separator != " ":
        yield from csv.reader(lines, delimiter=separator)
        return
    for line in lines:
        # Of several spaces none is a column.
        yield [word.strip("'\"") for word in line.split()]


def _folder_of(package: str) -> Path | None:
    """Return where a package lies, without importing it."""
    found = find_spec(package)
    places = found.submodule_search_locations if found else None
    return Path(next(iter(places))) if places else None


@dataclass(frozen=True)
class Case:
    """A task with published results."""

    name: str
    function: str
    arguments: Mapping[str, Any]
    #: Where the numbers were published.
    source: str
    licence: str
    rounds: int
    values: Sequence[Mapping[str, Any]]
    #: None where the arguments hold all numbers.
    data: Data | None

    @property
    def is_packaged(self) -> bool:
        """Whether the data comes with the functions, so that every station has it."""
        return self.data is None or self.data.package is None

    @property
    def is_there(self) -> bool:
        """Whether the data can be read on this computer."""
        return self.data is None or self.data.is_there

    def table(self) -> dict[str, Array]:
        """Return the data: column -> numbers."""
        return {} if self.data is None else self.data.read()

    def share(self, position: int, stations: int) -> dict[str, Array]:
        """Return the records of one of several stations; all of them together hold each once.

        Parameters
        ----------
        position
            Of the station, from 0.
        stations
            How many there are.
        """
        return {name: values[position::stations] for name, values in self.table().items()}

    def compare(self, answer: Mapping[str, Any]) -> list[Comparison]:
        """Return each published number with that of an answer of the function."""
        return [
            Comparison(
                one["name"],
                one["value"],
                _find(answer.get("result"), one["at"]),
                one["tolerance"],
                one.get("unit", 0.0),
            )
            for one in self.values
        ]


def cases() -> Iterator[Case]:
    """Yield all cases, by package and name, also those whose data is not there."""
    for path in sorted(Path(__file__).parents[1].glob("*/reference/*.json")):
        said = json.loads(path.read_text(encoding="utf-8"))
        yield Case(
            said["case"],
            said["function"],
            said["arguments"],
            said["source"],
            said["licence"],
            said["rounds"],
            said["values"],
            Data.read_entry(said["data"], path.parent) if said["data"] else None,
        )


def is_alike(wanted: Any, found: Any) -> bool:
    """Tell whether an answer is another one but for the rounding of sums.

    Numbers of a list are sums of one kind, and the largest of them tells how exact they are.
    """
    if isinstance(wanted, Mapping):
        return (
            isinstance(found, Mapping)
            and wanted.keys() == found.keys()
            and all(is_alike(value, found[key]) for key, value in wanted.items())
        )
    if isinstance(wanted, list):
        if not isinstance(found, list) or len(wanted) != len(found):
            return False
        if all(map(_is_number, [*wanted, *found])):
            return _are_near(wanted, found)
        return all(map(is_alike, wanted, found))
    if _is_number(wanted) and _is_number(found):
        return _are_near([wanted], [found])
    return bool(wanted == found)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_near(wanted: Sequence[float], found: Sequence[float]) -> bool:
    size = max([1.0, *map(abs, wanted)])
    return all(
        abs(one - other) <= _ROUNDING * size for one, other in zip(wanted, found, strict=True)
    )


def _find(value: Any, at: Sequence[Any]) -> Any:
    """Return what lies at a place of an answer, or None.

    In a place, a text is a key of a mapping, and a number counts in a list. A mapping picks the row
    of a list that has its fields.
    """
    for step in at:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, Mapping) else None
        elif isinstance(step, int):
            is_long_enough = isinstance(value, list) and step < len(value)
            value = value[step] if is_long_enough else None
        else:
            rows = value if isinstance(value, list) else []
            fits = [row for row in rows if all(row.get(key) == step[key] for key in step)]
            value = fits[0] if len(fits) == 1 else None
    return value
