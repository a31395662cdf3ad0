"""Sums and counts of one organization for survival."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vantage6.algorithms.statistics import disclosure
from vantage6.algorithms.statistics.arguments import (
    bad,
    check_choice,
    check_edges,
    check_levels,
    check_name,
    check_vector,
)
from vantage6.algorithms.statistics.floors import Floors
from vantage6.algorithms.statistics.groups import ALL
from vantage6.algorithms.statistics.levels import ordered
from vantage6.algorithms.statistics.models.records import (
    ModelRecords,
    basis_matrix,
    model_prepare,
    rounded_up,
)
from vantage6.algorithms.statistics.sentences import Refused
from vantage6.algorithms.statistics.station import Station
from vantage6.algorithms.statistics.sums import Array, total_of, triangle
from vantage6.algorithms.survival.hypergeometric import Counts, expected_events
from vantage6.algorithms.survival.risk import likelihood, risk_sets

__all__ = [
    "cox_step",
    "cox_sums",
    "log_rank",
    "model_prepare",
    "survival_bins",
    "survival_counts",
    "survival_prepare",
]

TIES = ("efron", "breslow")
#: Candidate edges of one request: flags grow with their square.
MOST_EDGES = 200


def _cox_records(
    station: Station,
    formula: str,
    time: str,
    event: str,
    levels: Any,
    centres: Any,
    basis: Any,
    beta: Any,
) -> tuple[ModelRecords, int, Array, Array]:
    """Return records, number of columns, columns in the basis, and linear predictor."""
    records = ModelRecords(station, formula, levels, time=time, event=event)
    design = records.design()
    records.is_allowed(design)
    columns = records.centred(design, centres)
    eta = columns @ np.array(check_vector("beta", beta, design.size))
    # SECURITY: a chosen beta would put all weight of the risk sets on one record.
    top = eta.max(initial=-math.inf)
    if records.n and math.isfinite(top):
        disclosure.check_effective(np.exp(eta - top), station.floors)
    return records, design.size, columns @ basis_matrix(basis, design.size), eta


def cox_step(
    station: Station,
    formula: str,
    time: str,
    event: str,
    ties: str,
    levels: Mapping[str, Sequence[str]],
    centres: Mapping[str, float],
    basis: Sequence[Sequence[float]] | None,
    beta: Sequence[float],
) -> dict[str, Any]:
    """Return log partial likelihood, score and information of this organization as a stratum.

    Parameters
    ----------
    ties
        ``"efron"`` (1977) or ``"breslow"`` (1974). Times are tied if they are equal.
    basis, beta
        p x k, and p coefficients of the centred columns.

    Returns
    -------
    dict
        ``n``, ``events``, ``p``, ``valid``, and if it is: ``loglik``, ``score`` (k), ``info``
        (triangle).
    """
    check_choice("ties", ties, TIES)
    records, size, columns, eta = _cox_records(
        station, formula, time, event, levels, centres, basis, beta
    )
    said = {"n": records.n, "events": int(records.event.sum()), "p": size}
    # The likelihood of a stratum does not change with a constant.
    eta = eta - eta.max(initial=0.0) if records.n and np.all(np.isfinite(eta)) else eta
    if not np.all(np.isfinite(np.exp(eta))):
        return said | {"valid": False}
    with np.errstate(all="ignore"):
        try:
            found = likelihood(
                risk_sets(records.time, records.event, columns, eta), columns.shape[1], ties
            )
        except (ValueError, ZeroDivisionError):
            return said | {"valid": False}
    if not (math.isfinite(found.value) and np.all(np.isfinite(found.info))):
        return said | {"valid": False}
    return said | {
        "valid": True,
        "loglik": found.value,
        "score": found.score.tolist(),
        "info": triangle(found.info),
    }


def cox_sums(
    station: Station,
    formula: str,
    time: str,
    event: str,
    levels: Mapping[str, Sequence[str]],
    centres: Mapping[str, float],
    basis: Sequence[Sequence[float]] | None,
    beta: Sequence[float],
    times: Sequence[float],
    time_unit: float | None = None,
) -> dict[str, Any]:
    """Return the sums over risk sets at agreed times, for a baseline that all share.

    Only from a station without a floor for counts: these sums are nearly its records.

    Returns
    -------
    dict
        ``n``, ``events``, ``p``, ``valid`` and ``sums``: for each time S0, S1, S2, D0, D1, D2, d,
        Σx and Σxβ (see `risk.RiskSet`; matrices as triangles).
    """
    if station.floors.cell > 1:
        raise Refused("pooled_refused")
    agreed = np.array(check_edges("times", times))
    records, size, columns, eta = _cox_records(
        station, formula, time, event, levels, centres, basis, beta
    )
    said = {"n": records.n, "events": int(records.event.sum()), "p": size}
    with np.errstate(over="ignore"):
        if not np.all(np.isfinite(np.exp(eta))):
            return said | {"valid": False}
    moments = rounded_up(records.time, time_unit)
    if not set(moments[records.event].tolist()) <= set(agreed.tolist()):
        raise bad("times holds the times of all events.")
    sums = [
        [
            one.risk[0],
            one.risk[1].tolist(),
            triangle(one.risk[2]),
            one.dead[0],
            one.dead[1].tolist(),
            triangle(one.dead[2]),
            one.count,
            one.x.tolist(),
            one.eta,
        ]
        for one in risk_sets(moments, records.event, columns, eta, agreed)
    ]
    return said | {"valid": True, "sums": sums}


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
            disclosure.check_cells(event, [deaths, int(inside.sum()) - deaths], floors)
    return _Survival(floors, table.rows, times, happened, texts, found)


def survival_prepare(
    station: Station, time: str, event: str, group: str | None = None, exact: bool = False
) -> dict[str, Any]:
    """Return counts and sums of times.

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


def _edges(records: _Survival, name: str, edges: Any, most: int | None) -> Array:
    points = np.array(check_edges("edges", edges))
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
    levels: Sequence[str],
    edges: Sequence[float],
) -> dict[str, Any]:
    """Return which intervals between candidate edges hold no small count.

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
    levels: Sequence[str],
    edges: Sequence[float],
) -> dict[str, Any]:
    """Return events and censorings in (a, b] between edges, the last interval open.

    Returns
    -------
    dict
        ``groups``: group -> ``events`` and ``censored``, one more number than edges.
    """
    records = _read(station, time, event, group, levels)
    points = _edges(records, time, edges, None)
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
    levels: Sequence[str],
    rho: Sequence[float],
) -> dict[str, Any]:
    """Return observed less expected events of each group, and their covariance, in this stratum.

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
