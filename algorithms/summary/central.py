"""`summary`, the table 1 of a paper, and `histogram`."""

import math
from collections.abc import Mapping
from typing import Annotated, Any

from vantage6.algorithms.statistics.analysis import Analysis, Sites, central
from vantage6.algorithms.statistics.annotations import (
    Column,
    Columns,
    Count,
    NumericColumn,
    Organizations,
)
from vantage6.algorithms.statistics.arguments import (
    bad,
    check_edges,
    check_levels,
    check_name,
    check_names,
    is_number,
)
from vantage6.algorithms.statistics.descriptions import Descriptions, spread
from vantage6.algorithms.statistics.disclosure import common_step
from vantage6.algorithms.statistics.groups import ALL
from vantage6.algorithms.statistics.sums import add
from vantage6.algorithms.summary.quantiles import (
    Ranks,
    first_edges,
    quantile_ranks,
    quantile_row,
)
from vantage6.tools.card import Schema

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
#: Rounds of counts after which a quantile is as exact as doubles allow, and some to spare.
MOST_REFINEMENTS = 20


@central
def summary(
    sites: Sites,
    *,
    columns: Columns,
    by: Column | None = None,
    quantiles: list[float] | None = None,
    precision: float = 1e-3,
    levels: dict[str, list[Any]] | None = None,
    organization_ids: Organizations | None = None,
    min_organizations: Count | None = None,
) -> dict[str, Any]:
    """Describe columns: counts, means, standard deviations, quantiles, levels.

    Parameters
    ----------
    sites
        The organizations.
    columns
        Names of the columns to describe.
    by
        Column of groups, each of which is described.
    quantiles
        Between 0 and 1; an empty list saves a round.
    precision
        Wished half-width of a quantile in standard deviations; 0 for exact ones. Stations that
        hide small counts answer one round of counts only.
    levels
        Levels of `by`, in the order of the answer.
    organization_ids
        The organizations that take part; without it, all of the collaboration.
    min_organizations
        With how many the analysis goes on if others drop out; without it, all have to answer.

    Returns
    -------
    dict
        Under ``result``: ``columns``, or ``by`` and ``strata``. A quantile lies between ``lower``
        and ``upper`` for certain. There is no minimum and no maximum.

    Notes
    -----
    Two-pass moments about a shift (Chan, Golub & LeVeque 1983); quantiles of type 7 (Hyndman &
    Fan 1996).
    """
    wanted = list(QUANTILES) if quantiles is None else quantiles
    if not isinstance(wanted, list) or not all(is_number(p) and 0 < p < 1 for p in wanted):
        raise bad("quantiles lie between 0 and 1.")
    if not is_number(precision) or precision < 0:
        raise bad("precision is 0 or more.")
    check_names("columns", columns)
    check_name("by", by, optional=True)
    analysis = Analysis("summary", sites, organization_ids, min_organizations)
    first = Descriptions(analysis, columns, by, check_levels(levels))
    second = first.moments()
    ranks = _ranks(analysis, first, second, wanted, precision) if wanted else {}
    strata = [
        {
            "level": group,
            "columns": {
                name: _column(analysis, first, second, ranks, group, name, wanted)
                for name in columns
            },
        }
        for group in first.groups
    ]
    if by is None:
        return analysis.answer({"columns": strata[0]["columns"]})
    return analysis.answer({"by": by, "strata": strata})


def _column(
    analysis: Analysis,
    first: Descriptions,
    second: Mapping[str, Any],
    ranks: Mapping[tuple[str, str], Ranks],
    group: str,
    name: str,
    wanted: list[float],
) -> dict[str, Any]:
    parts = first.parts(group, name)
    kind = first.kind(name)
    said: dict[str, Any] = {
        "kind": kind,
        "n": sum(part["n"] for part in parts),
        "missing": add([part["missing"] for part in parts]),
    }
    if said["missing"] is None:
        analysis.warn("masked", what=f"Numbers of missing values of column {name!r}")
    if kind == "categorical":
        counts: dict[str, list[int | None]] = {}
        for part in parts:
            for level, count in part.get("levels", {}).items():
                counts.setdefault(level, []).append(count)
        rows = [{"level": level, "count": add(counts[level])} for level in first.ordered(counts)]
        return said | {"levels": rows}
    if kind != "numeric" or said["n"] == 0:
        return said | {"mean": None, "sd": None, "quantiles": []}
    j = first.numeric.index(name)
    mean, squares = spread(
        first.centre(group, name),
        second[group]["n"][j],
        second[group]["s"][j],
        second[group]["q"][j],
    )
    n = second[group]["n"][j]
    said |= {"n": n, "mean": mean, "sd": math.sqrt(squares / (n - 1)) if n > 1 else None}
    rows = [quantile_row(ranks[group, name], p) for p in wanted] if (group, name) in ranks else []
    for row in rows:
        if row["value"] is None:
            analysis.warn("quantile_in_tail", percent=f"{100 * row['p']:g}", column=name)
    return said | {"quantiles": rows}


def _ranks(
    analysis: Analysis,
    first: Descriptions,
    second: Mapping[str, Any],
    wanted: list[float],
    precision: float,
) -> dict[tuple[str, str], Ranks]:
    """Ask for counts until every quantile is narrow enough, or no more is told."""
    ranks: dict[tuple[str, str], Ranks] = {}
    widths: dict[tuple[str, str], float] = {}
    edges: dict[tuple[str, str], list[list[float]]] = {}
    for group in first.groups:
        for j, name in enumerate(first.numeric):
            n = second[group]["n"][j]
            if n < 2:
                continue
            mean, squares = spread(
                first.centre(group, name), n, second[group]["s"][j], second[group]["q"][j]
            )
            sd = math.sqrt(squares / (n - 1))
            key = (group, name)
            ranks[key] = Ranks(n, first.is_whole(name))
            widths[key] = 2 * precision * sd
            step = common_step(first.steps(name))
            edges[key] = [first_edges(mean, sd, step, first.is_whole(name))]
    for _ in range(MOST_REFINEMENTS):
        if not edges:
            break
        _ask_counts(analysis, first, edges, ranks)
        if first.has_lattice:
            break
        edges = {key: _refinements(ranks[key], wanted, widths[key]) for key in edges}
        edges = {key: lists for key, lists in edges.items() if lists}
    return ranks


def _refinements(ranks: Ranks, wanted: list[float], width: float) -> list[list[float]]:
    lists: dict[tuple[float, ...], None] = {}
    for p in wanted:
        for rank in quantile_ranks(ranks.n, p)[:2]:
            inner = ranks.refinement(rank, width)
            if inner:
                lists[tuple(inner)] = None
    return [list(inner) for inner in lists]


def _ask_counts(
    analysis: Analysis,
    first: Descriptions,
    edges: Mapping[tuple[str, str], list[list[float]]],
    ranks: Mapping[tuple[str, str], Ranks],
) -> None:
    asked: dict[str, dict[str, list[list[float]]]] = {}
    for (group, name), lists in edges.items():
        asked.setdefault(group, {})[name] = lists
    parts = analysis.ask(
        "counts",
        columns=first.numeric,
        edges=asked[ALL] if first.by is None else asked,
        by=first.by,
        levels=first.levels or None,
    )
    for (group, name), lists in edges.items():
        for i, inner in enumerate(lists):
            shown = []
            for organization, part in parts.items():
                said = part["columns"] if first.by is None else part["groups"][group]
                shown.append((first.count(organization, group, name), said[name][i]))
            ranks[group, name].add(inner, shown)


@central
def histogram(
    sites: Sites,
    *,
    column: NumericColumn,
    bins: Annotated[int, Schema(minimum=1, maximum=199)] = 20,
    edges: list[float] | None = None,
    organization_ids: Organizations | None = None,
    min_organizations: Count | None = None,
) -> dict[str, Any]:
    """Count the values of a column in intervals (a, b]; the first is closed.

    Parameters
    ----------
    sites
        The organizations.
    column
        Column with numbers.
    bins
        Number of equal intervals over mean ± 3 standard deviations, or a little more.
    edges
        The edges of the intervals, in place of `bins`, rising. Stations that hide small counts
        accept multiples of their own step only.
    organization_ids
        The organizations that take part; without it, all of the collaboration.
    min_organizations
        With how many the analysis goes on if others drop out; without it, all have to answer.

    Returns
    -------
    dict
        Under ``result``: ``column``, ``edges``, ``counts``, ``below``, ``above``; a count is None
        if an organization hides its share, ``at_least`` has what the others showed, and
        ``masked`` lists them.
    """
    check_name("column", column)
    if isinstance(bins, bool) or not isinstance(bins, int) or not 1 <= bins <= 199:
        raise bad("bins is a number from 1 to 199.")
    points = None if edges is None else check_edges("edges", edges, least=2)
    if points is not None and len(points) > 200:
        raise bad("edges is a list of 2 to 200 numbers.")
    analysis = Analysis("histogram", sites, organization_ids, min_organizations)
    if points is None:
        first = Descriptions(analysis, [column], None, {}, numeric=True)
        second = first.moments()
        n = second[ALL]["n"][0]
        if n < 2:
            raise bad("edges are needed for fewer than two values.")
        mean, squares = spread(
            first.centre(ALL, column), n, second[ALL]["s"][0], second[ALL]["q"][0]
        )
        sd = math.sqrt(squares / (n - 1)) or 1.0
        points = _equal_edges(mean, sd, bins, common_step(first.steps(column)))
    parts = analysis.ask("histogram_counts", column=column, edges=points)
    cells = {o: [p["below"], *p["counts"], p["above"]] for o, p in parts.items()}
    pooled = [add(list(column_)) for column_ in zip(*cells.values(), strict=True)]
    least = [
        sum(c for c in column_ if c is not None) for column_ in zip(*cells.values(), strict=True)
    ]
    masked = [{"organization": o, "cells": p["masked"]} for o, p in parts.items() if p["masked"]]
    for organization, part in parts.items():
        if part["n"] is not None:
            analysis.count(organization, part["rows"], part["n"])
        elif organization not in analysis.records:
            # Without the rounds before, no more is known than what it shows.
            shown = sum(c for c in cells[organization] if c is not None)
            analysis.count(organization, None, shown)
    if masked:
        count = sum(item["cells"] for item in masked)
        analysis.warn("masked", what=f"{count} counts")
    return analysis.answer(
        {
            "column": column,
            "edges": points,
            "counts": pooled[1:-1],
            "below": pooled[0],
            "above": pooled[-1],
            "masked": masked,
            "at_least": {"counts": least[1:-1], "below": least[0], "above": least[-1]},
        }
    )


def _equal_edges(mean: float, sd: float, bins: int, step: float | None) -> list[float]:
    """Return edges of equal intervals about a mean, multiples of the step if there is one."""
    if step is None:
        return [mean + sd * (6 * i / bins - 3) for i in range(bins + 1)]
    width = max(1, math.ceil(6 * sd / bins / step))
    start = round(mean / step - bins * width / 2)
    return [step * (start + width * i) for i in range(bins + 1)]
