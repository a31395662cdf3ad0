"""Sums and counts of one organization for survival."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vantage6.algorithms.statistics import disclosure
from vantage6.algorithms.statistics.arguments import (
    bad,
    check_edges,
    check_levels,
    check_name,
)
from vantage6.algorithms.statistics.groups import ALL
from vantage6.algorithms.statistics.levels import ordered
from vantage6.algorithms.statistics.models.records import (
    model_prepare,
)
from vantage6.algorithms.statistics.sentences import Refused
from vantage6.algorithms.statistics.station import Station
from vantage6.algorithms.statistics.sums import Array, total_of, triangle
from vantage6.algorithms.survival.cox_sums import cox_step, cox_sums
from vantage6.algorithms.survival.hypergeometric import Counts, expected_events
from vantage6.common.disclosure.floors import Floors

__all__ = [
    "cox_step",
    "cox_sums",
    "log_rank",
    "model_prepare",
    "survival_bins",
    "survival_counts",
    "survival_prepare",
]

#: Candidate edges of one request: flags grow with their square.
MOST_EDGES = 200


@dataclass
class _Survival:
    """Complete records of time, event and group."""

    floors: Floors
    rows: int
    time: Array
    event: NDArray[np.bool_]
    groups: NDArray[Any]
    levels: list[str]

    @property
    def n(self) -> int:
        return len(self.time)

    def masks(self) -> dict[str, NDArray[np.bool_]]:
        return {level: self.groups == level for level in self.levels}


def _read(
    station: Station, time: str, event: str, group: str | None, levels: Any = None
) -> _Survival:
    check_name("time", time)
    check_name("event", event)
    check_name("group", group, optional=True)
    names = [name for name in (time, event, group) if name is not None]
    if len(set(names)) != len(names):
        raise bad("time, event and group are different columns.")
    floors = station.floors
    table = station.columns
    complete = table.complete(names)
    times, events = complete.numbers(time), complete.numbers(event)
    if np.any(times < 0):
        raise Refused("negative_time")
    if not np.all((events == 0) | (events == 1)):
        raise Refused("not_an_event", column=event)
    happened = events.astype(bool)
    texts = np.full(complete.rows, ALL, dtype=object)
    if group is not None:
        texts = complete.texts(group)
    found = ordered(texts.tolist())
    if isinstance(levels, list):
        given = [] if levels == [] else check_levels({"group": levels})["group"]
        if not set(found) <= set(given):
            raise Refused("unknown_level", column=str(group))
        found = given
    if disclosure.check_records(complete.rows, floors):
        counts = Counter(texts.tolist())
        if group is not None:
            disclosure.check_levels(group, counts, floors)
        for level in counts:
            inside = texts == level
            deaths = int(happened[inside].sum())
            # It is not one of them that splits the records, but both.
            both = event if group is None else f"{event}, {group}"
            disclosure.check_cells(both, [deaths, int(inside.sum()) - deaths], floors)
    return _Survival(floors, table.rows, times, happened, texts, found)


def survival_prepare(
    station: Station, time: str, event: str, group: str | None = None, exact: bool = False
) -> dict[str, Any]:
    """Return counts and sums of times.

    Parameters
    ----------
    time, event, group
        Columns of times, of events (1 or 0) and of groups.
    exact
        Name the times; only from a station without a floor for counts.

    Returns
    -------
    dict
        ``rows``, ``n``, ``events``, ``levels`` (group -> records), ``sum`` and ``square`` of the
        times, ``step`` of the station's lattice of times if it has one; `exact`: ``times``.
    """
    records = _read(station, time, event, group)
    disclosure.check_column(time, records.time, records.floors)
    counts = Counter(records.groups.tolist())
    missing = records.rows - records.n
    ok: dict[str, Any] = {
        "rows": None if 0 < missing < records.floors.cell else records.rows,
        "n": records.n,
        "events": int(records.event.sum()),
        "levels": {level: counts[level] for level in records.levels},
        "sum": total_of(records.time),
        "square": total_of(records.time**2),
    }
    if records.floors.cell > 1:
        ok["step"] = _lattice(records)
    if exact:
        # SECURITY: times are records.
        if records.floors.cell > 1:
            raise Refused("exact_refused")
        ok["times"] = np.unique(records.time).tolist()
    return ok


def _lattice(records: _Survival) -> float:
    return disclosure.step_above(0.01 * float(records.time.max(initial=0.0)))


def _edges(
    records: _Survival, name: str, edges: Any, most: int | None = None, *, least: int = 1
) -> Array:
    points = np.array(check_edges("edges", edges, least=least), dtype=np.float64)
    if most is not None and len(points) > most:
        raise bad(f"edges are at most {most}.")
    if records.n:
        disclosure.check_lattice(name, points, _lattice(records), 0.0, records.floors)
    return points


def _counts(records: _Survival, points: Array) -> dict[str, tuple[Counts, Counts]]:
    """Return events and censorings of each group in the intervals between points."""
    places = np.searchsorted(points, records.time, side="left")
    length = len(points) + 1
    return {
        level: (
            np.bincount(places[mask & records.event], minlength=length),
            np.bincount(places[mask & ~records.event], minlength=length),
        )
        for level, mask in records.masks().items()
    }


def survival_bins(
    station: Station,
    time: str,
    event: str,
    group: str | None,
    levels: list[str],
    edges: list[float],
) -> dict[str, Any]:
    """Return which intervals between candidate edges hold no small count.

    Parameters
    ----------
    time, event, group
        Columns of times, of events (1 or 0) and of groups.
    levels
        The groups.
    edges
        Rising candidates, on the station's lattice of times.

    Returns
    -------
    dict
        ``allowed``: a flag for each pair i < j of the points start, edges, end, row by row: the
        events and the censorings of each group in (i, j] are each 0 or at least ``cell``.
    """
    records = _read(station, time, event, group, levels)
    points = _edges(records, time, edges, MOST_EDGES)
    floors = records.floors
    sums = [
        np.concatenate([[0], np.cumsum(counts)])
        for pair in _counts(records, points).values()
        for counts in pair
    ]
    allowed = []
    for i in range(len(points) + 1):
        for j in range(i + 1, len(points) + 2):
            cells = [int(total[j] - total[i]) for total in sums]
            allowed.append(not any(disclosure.is_small(cell, floors) for cell in cells))
    return {"allowed": allowed}


def survival_counts(
    station: Station,
    time: str,
    event: str,
    group: str | None,
    levels: list[str],
    edges: list[float],
) -> dict[str, Any]:
    """Return events and censorings in (a, b] between edges, the last interval open.

    Parameters
    ----------
    time, event, group
        Columns of times, of events (1 or 0) and of groups.
    levels
        The groups.
    edges
        Rising edges, between which no count is small; none where only the whole is not.

    Returns
    -------
    dict
        ``groups``: group -> ``events`` and ``censored``, one more number than edges.
    """
    records = _read(station, time, event, group, levels)
    points = _edges(records, time, edges, least=0)
    counts = _counts(records, points)
    for pair in counts.values():
        for cells in pair:
            disclosure.check_cells(time, cells.tolist(), records.floors)
    return {
        "groups": {
            level: {"events": events.tolist(), "censored": censored.tolist()}
            for level, (events, censored) in counts.items()
        }
    }


def _left(times: Array, moments: Array) -> Counts:
    """Return how many times are not before each moment."""
    return len(times) - np.searchsorted(np.sort(times), moments, side="left")


def log_rank(
    station: Station,
    time: str,
    event: str,
    group: str,
    levels: list[str],
    rho: list[float],
) -> dict[str, Any]:
    """Return observed less expected events of each group, and their covariance, in this stratum.

    Parameters
    ----------
    time, event, group
        Columns of times, of events (1 or 0) and of groups.
    levels
        The groups, in the order of the answer.
    rho
        Weights of the test: 0 for log-rank, 1 for Peto & Peto.

    Returns
    -------
    dict
        ``n``: group -> records; ``rho``: for each weight S(t-)^rho, ``u`` (G) and ``v`` (triangle).
    """
    if not isinstance(rho, list) or not all(power in (0, 1) for power in rho):
        raise bad("rho is a list of 0 and 1.")
    records = _read(station, time, event, group, levels)
    counts = Counter(records.groups.tolist())
    moments = np.unique(records.time[records.event])
    masks = records.masks().values()
    left = [_left(records.time[mask], moments) for mask in masks]
    died = [records.time[mask & records.event] for mask in masks]
    at_risk = np.array(left).T.reshape(len(moments), len(records.levels))
    events = at_risk - at_risk
    for j, times in enumerate(died):
        events[:, j] = np.bincount(np.searchsorted(moments, times), minlength=len(moments))
    found = []
    for power in rho:
        u, v = expected_events(at_risk, events, power)
        found.append({"u": u.tolist(), "v": triangle(v)})
    return {"n": {level: counts.get(level, 0) for level in records.levels}, "rho": found}
