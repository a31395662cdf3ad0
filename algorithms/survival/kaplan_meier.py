"""`kaplan_meier`: curves by group, medians, and log-rank tests."""

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from vantage6.algorithms.statistics.analysis import Analysis, Sites, central
from vantage6.algorithms.statistics.annotations import (
    Column,
    Count,
    Level,
    NumericColumn,
    Organizations,
    TimeColumn,
)
from vantage6.algorithms.statistics.arguments import (
    bad,
    check_choice,
    check_confidence,
    check_edges,
    check_name,
)
from vantage6.algorithms.statistics.coefficients import chi_squared_test
from vantage6.algorithms.statistics.disclosure import common_step, step_above
from vantage6.algorithms.statistics.groups import ALL
from vantage6.algorithms.statistics.levels import ordered
from vantage6.algorithms.statistics.sums import add, square, total
from vantage6.algorithms.survival.curves import curve
from vantage6.algorithms.survival.hypergeometric import chi_squared, expected_events

METHODS = ("grid", "exact", "none")
SCOPES = ("stratified", "pooled")
#: Candidate edges if none are given.
CANDIDATES = 48
TESTS = (("log_rank", 0), ("peto", 1))

Counts = dict[str, dict[str, list[int]]]


@central
def kaplan_meier(
    sites: Sites,
    *,
    time: TimeColumn,
    event: NumericColumn,
    group: Column | None = None,
    method: Literal["grid", "exact", "none"] = "grid",
    times: list[float] | None = None,
    test_scope: Literal["stratified", "pooled"] = "stratified",
    at: list[float] | None = None,
    organization_ids: Organizations | None = None,
    min_organizations: Count | None = None,
    confidence: Level = 0.95,
) -> dict[str, Any]:
    """Estimate survival curves, and test whether groups differ.

    Parameters
    ----------
    sites
        The organizations.
    time
        Column with the time under observation, in any unit.
    event
        Column with 1 where the time ended with the event, and 0 where it did not.
    group
        Column of groups; each has a curve, and the tests compare them.
    method
        ``"grid"``: counts in intervals that are merged until no organization shows a small one;
        ``"exact"``: only where all stations have open floors; ``"none"``: tests only.
    times
        Candidate edges of the grid, in the unit of `time`.
    test_scope
        ``"stratified"`` by organization, always possible; ``"pooled"``, from the counts.
    at
        More times to report.
    organization_ids
        The organizations that take part; without it, all of the collaboration.
    min_organizations
        With how many the analysis goes on if others drop out; without it, all have to answer.
    confidence
        Level of the intervals, from 0.5 to 0.999.

    Returns
    -------
    dict
        Under ``result``: ``method``, ``estimator``, ``times``, ``curves`` (``level``, ``n``,
        ``events``, ``rows``, ``median``) and ``tests``.

    Notes
    -----
    Kaplan & Meier 1958; Greenwood 1926; Brookmeyer & Crowley 1982; Mantel 1966; Harrington &
    Fleming 1982.
    """
    check_confidence(confidence)
    check_choice("method", method, METHODS)
    check_choice("test_scope", test_scope, SCOPES)
    for name, value in (("time", time), ("event", event)):
        check_name(name, value)
    check_name("group", group, optional=True)
    if len({time, event, group}) < 3:
        raise bad("time, event and group are different columns.")
    if method == "none" and test_scope == "pooled":
        raise bad("test_scope 'pooled' needs the counts of method 'grid' or 'exact'.")
    wanted = check_edges("at", sorted(set(at))) if at else []
    given = None if times is None else check_edges("times", times)
    analysis = Analysis("kaplan_meier", sites, organization_ids, min_organizations)
    columns: dict[str, Any] = {"time": time, "event": event, "group": group}
    first = analysis.ask("survival_prepare", **columns, exact=method == "exact")
    for organization, part in first.items():
        analysis.count(organization, part["rows"], part["n"])
    analysis.check_records()
    levels = ordered(level for part in first.values() for level in part["levels"])
    columns["levels"] = levels
    result: dict[str, Any] = {"method": method, "estimator": None, "times": [], "curves": []}
    counts: Counts = {}
    if method != "none":
        edges, is_life_table = _edges(analysis, method, columns, first, given)
        parts = analysis.ask("survival_counts", **columns, edges=edges)
        counts = add([part["groups"] for part in parts.values()])
        result["estimator"] = "life_table" if is_life_table else "kaplan_meier"
        result["times"] = edges
        result["curves"] = [
            _curve(level, edges, counts[level], wanted, confidence, is_life_table)
            for level in levels
        ]
    result["tests"] = []
    if group is not None and len(levels) > 1:
        scores = (
            _stratified(analysis, columns)
            if test_scope == "stratified"
            else _pooled(counts, levels)
        )
        for (name, _), (u, v) in zip(TESTS, scores, strict=True):
            statistic, df = chi_squared(u, v)
            test = chi_squared_test(statistic, df)
            result["tests"].append({"name": name, "scope": test_scope, **test})
    return analysis.answer(result)


def _edges(
    analysis: Analysis,
    method: str,
    columns: dict[str, Any],
    first: Mapping[int, Mapping[str, Any]],
    given: list[float] | None,
) -> tuple[list[float], bool]:
    """Return the edges of the counts, and whether they are too wide for Kaplan-Meier."""
    if method == "exact":
        known = {t for organization in analysis.used for t in first[organization]["times"]}
        return sorted(known), False
    candidates = given or _candidates([first[organization] for organization in analysis.used])
    parts = analysis.ask("survival_bins", **columns, edges=candidates)
    allowed = np.all([part["allowed"] for part in parts.values()], axis=0).tolist()
    kept = finest_partition(candidates, allowed)
    if len(kept) == len(candidates):
        return candidates, False
    analysis.warn("coarsened")
    return kept, True


def _candidates(parts: list[Mapping[str, Any]]) -> list[float]:
    n = sum(part["n"] for part in parts)
    mean = total(part["sum"] for part in parts) / n
    square_mean = total(part["square"] for part in parts) / n
    end = mean + 3 * math.sqrt(max(0.0, square_mean - mean**2))
    steps = [part["step"] for part in parts if "step" in part]
    step = common_step([*steps, step_above(end / CANDIDATES)]) or 1.0
    return [step * i for i in range(1, max(1, min(CANDIDATES, math.ceil(end / step))) + 1)]


def finest_partition(candidates: list[float], allowed: list[bool]) -> list[float]:
    """Return the most edges between which no interval is forbidden; of several, the latest.

    Parameters
    ----------
    candidates
        Edges, rising.
    allowed
        A flag for each pair i < j of the points start, edges, end, row by row.
    """
    last = len(candidates) + 1
    flags = iter(allowed)
    is_allowed = {(i, j): next(flags) for i in range(last) for j in range(i + 1, last + 1)}
    # Most intervals from each point to the end, and the next edge on the way.
    best: dict[int, tuple[int, int]] = {last: (0, last)}
    for i in range(last - 1, -1, -1):
        options = [
            (best[j][0] + 1, j) for j in range(i + 1, last + 1) if j in best and is_allowed[i, j]
        ]
        if options:
            best[i] = max(options)
    kept, place = [], 0
    while place in best and best[place][1] != last:
        place = best[place][1]
        kept.append(candidates[place - 1])
    return kept


def _curve(
    level: str,
    edges: list[float],
    counts: Mapping[str, list[int]],
    at: list[float],
    confidence: float,
    is_life_table: bool,
) -> dict[str, Any]:
    events, censored = counts["events"], counts["censored"]
    found = curve(edges, events, censored, confidence, is_life_table=is_life_table)
    return {
        "level": None if level == ALL else level,
        "n": sum(events) + sum(censored),
        "events": sum(events),
        "rows": found.rows(at),
        "median": found.median(),
    }


def _stratified(analysis: Analysis, columns: dict[str, Any]) -> list[tuple[Any, Any]]:
    parts = analysis.ask("log_rank", **columns, rho=[rho for _, rho in TESTS])
    sums = add([part["rho"] for part in parts.values()])
    return [(np.array(one["u"]), square(one["v"])) for one in sums]


def _pooled(counts: Counts, levels: list[str]) -> list[tuple[Any, Any]]:
    events = np.array([counts[level]["events"] for level in levels]).T
    left = events + np.array([counts[level]["censored"] for level in levels]).T
    at_risk = np.cumsum(left[::-1], axis=0)[::-1]
    return [expected_events(at_risk, events, rho) for _, rho in TESTS]


__all__ = ["finest_partition", "kaplan_meier"]
