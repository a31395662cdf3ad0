"""The floors of a station: how few records may stand behind a number that leaves it.

They come from the station itself, as a file that the node mounts, and never from a task.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from vantage6.algorithms.statistics.sentences import Refused

#: Names the file with the station's floors.
VARIABLE = "FLOORS_FILE"


@dataclass(frozen=True)
class Floors:
    """Least numbers behind an answer; without a file of the station these defaults hold."""

    #: Complete records.
    records: int = 5
    #: Counts above zero and below it are small.
    cell: int = 5
    #: Whether a count of zero is small, too.
    zeros: bool = False
    #: Parameters of a model, at most this share of the records.
    parameters: float | None = 0.10
    #: Records beyond the parameters.
    residual_df: int = 1
    #: Share of the sum of a column that its two largest values may make up.
    dominance: float | None = 0.90
    #: Records that weights rest on: (sum of weights)^2 / (sum of squared weights).
    effective: float = 5
    #: Levels of a categorical column.
    levels: int | None = 40
    #: Organizations that are asked together.
    parties: int = 2

    def as_json(self) -> dict[str, Any]:
        """Return the floors as they stand in every answer."""
        return asdict(self)


PRESETS = {
    "open": Floors(1, 1, False, None, 0, None, 1, None, 1),
    "datashield": Floors(3, 3, False, 0.33, 1, None, 3, 40, 1),
    "v6": Floors(5, 5, False, 0.10, 1, None, 5, 40, 3),
    "opensafely": Floors(8, 8, False, 0.10, 1, None, 8, 40, 2),
    "sacro": Floors(10, 10, True, 0.10, 10, 0.90, 10, 40, 2),
    "cms": Floors(11, 11, False, 0.10, 1, 0.90, 11, 40, 2),
    "default": Floors(),
}


def parse_floors(document: Any) -> Floors:
    """Return floors from the name of a preset, or from fields that differ from the default.

    Raises
    ------
    Refused
        The document is neither: a station with unreadable floors answers nothing.
    """
    if isinstance(document, str) and document in PRESETS:
        return PRESETS[document]
    names = {field.name for field in fields(Floors)}
    if not isinstance(document, Mapping) or not set(document) <= names:
        raise Refused("floors_unreadable")
    for name, value in document.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        is_absent = value is None and name in {"parameters", "dominance", "levels"}
        # SECURITY: a floor that is no number must not turn into "no floor".
        if not (isinstance(value, bool) if name == "zeros" else is_number or is_absent):
            raise Refused("floors_unreadable")
    return Floors(**document)


def read_floors() -> Floors:
    """Return the floors of this station; the default where it has set none."""
    path = os.environ.get(VARIABLE)
    if not path:
        return Floors()
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused("floors_unreadable") from error
    return parse_floors(document)
