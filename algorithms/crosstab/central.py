"""`crosstab`: a table of two columns, Pearson's test, and Fisher's for two by two."""

import math
from typing import Any

import numpy as np

from vantage6.algorithms.statistics.analysis import Analysis, Sites, central
from vantage6.algorithms.statistics.annotations import Column, Count, Level, Organizations
from vantage6.algorithms.statistics.arguments import bad, check_confidence, check_levels, check_name
from vantage6.algorithms.statistics.coefficients import chi_squared_test, quantile
from vantage6.algorithms.statistics.levels import ordered
from vantage6.algorithms.statistics.sums import Array, add

#: Tables as improbable as the observed one, up to this share, count as such (as R).
AS_IMPROBABLE = 1 + 1e-7


@central
def crosstab(
    sites: Sites,
    *,
    rows: Column,
    columns: Column,
    correction: bool = True,
    levels: dict[str, list[Any]] | None = None,
    organization_ids: Organizations | None = None,
    min_organizations: Count | None = None,
    confidence: Level = 0.95,
) -> dict[str, Any]:
    """Count records by two columns, and test whether the columns depend on each other.

    Parameters
    ----------
    sites
        The organizations.
    rows
        Column whose levels are the rows.
    columns
        Column whose levels are the columns.
    correction
        Yates' correction in tables of two by two.
    levels
        Levels of the columns, in the order of the table; otherwise the organizations name them.
    organization_ids
        The organizations that take part; without it, all of the collaboration.
    min_organizations
        With how many the analysis goes on if others drop out; without it, all have to answer.
    confidence
        Level of the interval of the odds ratio, from 0.5 to 0.999.

    Returns
    -------
    dict
        Under ``result``: ``rows`` and ``columns`` (``column``, ``levels``), ``counts`` (None if an
        organization hides its share), ``at_least``, ``masked``, ``chi_squared``, ``uncorrected``
        and ``fisher``.

    Notes
    -----
    Pearson 1900; Yates 1934; Fisher 1935, two-sided as in R; sample odds ratio with the interval
    of Woolf 1955.
    """
    check_name("rows", rows)
    check_name("columns", columns)
    check_confidence(confidence)
    if rows == columns:
        raise bad("rows and columns are different columns.")
    if not isinstance(correction, bool):
        raise bad("correction is true or false.")
    given = check_levels(levels)
    analysis = Analysis("crosstab", sites, organization_ids, min_organizations)
    first = analysis.ask("crosstab_levels", rows=rows, columns=columns, levels=given or None)
    agreed = {}
    for name in (rows, columns):
        found = [level for part in first.values() for level in part["levels"][name]]
        agreed[name] = given.get(name) or ordered(found)
    for organization, part in first.items():
        analysis.count(organization, part["rows"], part["n"])
    analysis.check_records()
    parts = analysis.ask("crosstab_counts", rows=rows, columns=columns, levels=agreed)
    counts = add([part["counts"] for part in parts.values()])
    shown = [[[c or 0 for c in row] for row in part["counts"]] for part in parts.values()]
    masked = [{"organization": o, "cells": p["masked"]} for o, p in parts.items() if p["masked"]]
    result: dict[str, Any] = {
        "rows": {"column": rows, "levels": agreed[rows]},
        "columns": {"column": columns, "levels": agreed[columns]},
        "counts": counts,
        "at_least": add(shown),
        "masked": masked,
    }
    hidden = sum(cell is None for row in counts for cell in row)
    if hidden:
        analysis.warn("masked_cells", cells=hidden)
        return analysis.answer(result | {"chi_squared": None, "uncorrected": None, "fisher": None})
    return analysis.answer(result | _tests(analysis, np.array(counts), correction, confidence))


def _tests(
    analysis: Analysis, counts: Array, correction: bool, confidence: float
) -> dict[str, Any]:
    table = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    df = (table.shape[0] - 1) * (table.shape[1] - 1)
    is_two_by_two = table.shape == (2, 2)
    away = np.abs(table - expected)
    yates = min(0.5, float(away.min())) if is_two_by_two and correction else 0.0
    smallest = float(expected.min())
    if df and smallest < 5:
        analysis.warn("small_expected", expected=f"{smallest:.1f}")
    fisher = None
    if is_two_by_two:
        fisher = _fisher(table, confidence)
    else:
        analysis.warn("fisher_not_offered")
    return {
        "chi_squared": {
            **chi_squared_test(_statistic(away - yates, expected), df),
            "smallest_expected": smallest,
        },
        "uncorrected": chi_squared_test(_statistic(away, expected), df),
        "fisher": fisher,
    }


def _statistic(away: Array, expected: Array) -> float:
    return math.fsum((away**2 / expected).ravel().tolist())


def _fisher(table: Array, confidence: float) -> dict[str, Any]:
    (a, b), (c, d) = ((int(cell) for cell in row) for row in table)
    ratio = lower = upper = None
    if b * c > 0:
        ratio = a * d / (b * c)
    if a and b and c and d:
        reach = quantile(confidence, None) * math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
        middle = math.log(a * d / (b * c))
        lower, upper = math.exp(middle - reach), math.exp(middle + reach)
    p_value = fisher_p_value(a, b, c, d)
    return {"p_value": p_value, "odds_ratio": ratio, "lower": lower, "upper": upper}


def fisher_p_value(a: int, b: int, c: int, d: int) -> float:
    """Return the probability of all tables with these margins no more probable than this one.

    Probabilities follow from their neighbours' by ratios of whole numbers, from the observed
    table in both directions, so that each carries the rounding of its distance only.
    """
    row, column, rest = a + b, a + c, c + d
    low, high = max(0, column - rest), min(row, column)
    probabilities = {a: 1.0}
    for k in range(a, high):
        step = (row - k) * (column - k) / ((k + 1) * (rest - column + k + 1))
        probabilities[k + 1] = probabilities[k] * step
    for k in range(a, low, -1):
        step = k * (rest - column + k) / ((row - k + 1) * (column - k + 1))
        probabilities[k - 1] = probabilities[k] * step
    whole = math.fsum(probabilities.values())
    small = math.fsum(p for p in probabilities.values() if p <= AS_IMPROBABLE)
    return min(1.0, small / whole)
