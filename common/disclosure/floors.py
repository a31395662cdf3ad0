"""The floors of a station: how little may stand behind a number that leaves it.

The station sets them, and nothing that arrives over the network lowers them. Algorithms read them
from a file that the node lays beside their input.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from math import ceil, isfinite
from types import MappingProxyType
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Floors:
    """Least numbers behind an answer. The defaults hold where a station says nothing."""

    #: Complete records.
    records: int = 5
    #: Counts above zero and below it are small.
    cell: int = 5
    #: Whether a count of zero is small, too.
    zeros: bool = False
    #: Parameters of a model, at most this share of the records; None: any.
    parameters: float | None = 0.10
    #: Records beyond the parameters.
    residual_df: int = 1
    #: Share of the sum of a column that its two largest values may make up; None: any.
    dominance: float | None = 0.90
    #: Records that weights rest on: (sum of weights)^2 / (sum of squared weights).
    effective: float = 5
    #: Levels of a categorical column; None: any.
    levels: int | None = 40
    #: Organizations that are asked together.
    parties: int = 2

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Read floors: the name of a preset, or fields that differ from the default.

        Raises
        ------
        ValueError
            If the document is neither.
        """
        if isinstance(document, str) and document in PRESETS:
            return cls(**asdict(PRESETS[document]))
        names = {field.name for field in fields(cls)}
        if not isinstance(document, Mapping) or not set(document) <= names:
            raise ValueError("The floors are neither the name of a preset nor known fields.")
        for name, value in document.items():
            # SECURITY: a floor that is no number must not turn into "no floor".
            if not _is_valid(name, value):
                raise ValueError(f"The floor {name!r} has no valid value.")
        return cls(**document)

    def for_people(self, most_of_one: Sequence[int]) -> Self:
        """Return floors in records that so many people are behind, as these say of records.

        Of so many records, fewer people than a floor asks for have at most all but one.

        Parameters
        ----------
        most_of_one
            The numbers of records of the people with the most records, falling.
        """

        def records(people: float) -> int:
            others = max(0, ceil(people) - 1)
            listed = most_of_one[:others]
            # People beyond the list have at most as many as its last one.
            beyond = (others - len(listed)) * (listed[-1] if listed else 1)
            return max(ceil(people), 1 + sum(listed) + beyond)

        return replace(
            self,
            records=records(self.records),
            cell=records(self.cell),
            effective=max(self.effective, records(self.effective)),
        )

    def to_json(self) -> dict[str, Any]:
        """Return all fields."""
        return asdict(self)

    def to_bytes(self) -> bytes:
        """Return the content of the file that an algorithm reads."""
        return json.dumps(self.to_json()).encode("ascii")


def _is_valid(name: str, value: object) -> bool:
    if name == "zeros":
        return isinstance(value, bool)
    if value is None:
        return name in OPTIONAL
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isfinite(value) and value >= 0 and (name in FRACTIONAL or isinstance(value, int))


#: Fields that may be without a bound.
OPTIONAL = frozenset({"parameters", "dominance", "levels"})
#: Fields that need not be whole numbers.
FRACTIONAL = frozenset({"parameters", "dominance", "effective"})
#: The preset of a station that names none.
DEFAULT = "default"
#: What known systems ask for, by name.
PRESETS: Mapping[str, Floors] = MappingProxyType(
    {
        "open": Floors(1, 1, False, None, 0, None, 1, None, 1),
        "datashield": Floors(3, 3, False, 0.33, 1, None, 3, 40, 1),
        "v6": Floors(5, 5, False, 0.10, 1, None, 5, 40, 3),
        "opensafely": Floors(8, 8, False, 0.10, 1, None, 8, 40, 2),
        "sacro": Floors(10, 10, True, 0.10, 10, 0.90, 10, 40, 2),
        "cms": Floors(11, 11, False, 0.10, 1, 0.90, 11, 40, 2),
        DEFAULT: Floors(),
    }
)


def name_of(preset: str, floors: Floors) -> str:
    """Return the name of a preset, and what differs from it, such as ``sacro with records 20``."""
    standard = PRESETS[preset].to_json()
    differs = [
        f"{name} {'any' if value is None else str(value).lower()}"
        for name, value in floors.to_json().items()
        if value != standard[name]
    ]
    return f"{preset} with {', '.join(differs)}" if differs else preset
