"""What a partial function gets from its station, and the envelope of what it answers."""

import inspect
import math
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vantage6.algorithms.statistics.columns import Columns
from vantage6.algorithms.statistics.sentences import Refused
from vantage6.common.disclosure.floors import Floors

#: Version of the functions; part of every answer.
SHELF = "1.0.0"


@dataclass
class Station:
    """The data of one organization, and what its node says about disclosure."""

    data: Any
    floors: Floors = field(default_factory=Floors)
    #: Ids of the organizations that are asked together.
    parties: tuple[int, ...] = ()
    #: Id of its own organization; None where the node does not say it.
    organization: int | None = None

    @property
    def columns(self) -> Columns:
        """The columns of the data."""
        return Columns(self.data)


def versions() -> dict[str, str]:
    """Return the versions that a number can depend on; only what is loaded anyway is named."""
    found = {"shelf": SHELF, "python": platform.python_version(), "numpy": np.__version__}
    for name in ("scipy", "pandas", "formulaic"):
        module = sys.modules.get(name)
        if module is not None:
            found[name] = str(module.__version__)
    return found


def answer(
    function: Callable[..., dict[str, Any]], station: Station, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the answer of a partial function, or its refusal.

    Parameters
    ----------
    function
        Takes the station, then the arguments that a central function sent.
    station
        Data, floors and parties.
    arguments
        What arrived.

    Returns
    -------
    dict
        ``ok``, ``floors`` and ``versions``; or ``refused`` with ``code`` and ``message``.
    """
    try:
        if len(set(station.parties)) < station.floors.parties:
            raise Refused("too_few_organizations", parties=station.floors.parties)
        bound = inspect.signature(function).bind(station, **arguments)
        ok = function(*bound.args, **bound.kwargs)
    except Refused as refused:
        return refusal(refused)
    except Exception:
        # SECURITY: the message of any other error can quote a record. It stays at the station.
        return _unusable()
    # SECURITY: JSON has no infinity, and a number beyond the range of doubles tells of one record.
    if not _is_finite(ok):
        return _unusable()
    return {"ok": ok, "floors": station.floors.to_json(), "versions": versions()}


def refusal(refused: Refused) -> dict[str, Any]:
    """Return the answer of a station that takes no part."""
    return {"refused": {"code": refused.code, "message": refused.message}}


def _unusable() -> dict[str, Any]:
    said = "The arguments of this function cannot be used with the data of this station."
    return refusal(Refused("bad_argument", sentence=said))


def _is_finite(value: Any) -> bool:
    # Numbers first, and no abstract types: an answer can have a million of them.
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, list | tuple):
        return all(map(_is_finite, value))
    return not isinstance(value, dict) or all(map(_is_finite, value.values()))
