"""Published statistics that come with the functions: data, task, and what the answer must equal.

Only data whose licence allows it is here. Each case lies in the folder ``reference`` of the package
of its function.
"""

import csv
import gzip
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    data: Path | None

    def table(self) -> dict[str, Array]:
        """Return the data: column -> numbers."""
        if self.data is None:
            return {}
        opened = gzip.open if self.data.suffix == ".gz" else open
        with opened(self.data, "rt", encoding="ascii", newline="") as file:
            names, *rows = csv.reader(file)
        numbers = np.array([[float(text) for text in row] for row in rows])
        return {name: numbers[:, place] for place, name in enumerate(names)}

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
    """Yield all cases, by package and name."""
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
            path.with_name(said["data"]) if said["data"] else None,
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

    In a place, a text is a key of a mapping. A mapping picks the row of a list that has its fields.
    """
    for step in at:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, Mapping) else None
        else:
            rows = value if isinstance(value, list) else []
            fits = [row for row in rows if all(row.get(key) == step[key] for key in step)]
            value = fits[0] if len(fits) == 1 else None
    return value
