"""Tables of coefficients and tests, the same in every model."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vantage6.algorithms.statistics.sums import Array


def finite(value: Any) -> float | None:
    """Return a number for an answer, None where there is none."""
    return float(value) if value is not None and np.isfinite(value) else None


def quantile(confidence: float, degrees: float | None) -> float:
    """Return how many standard errors an interval reaches to each side (t, or normal)."""
    from scipy.special import ndtri, stdtrit

    upper = (1 - confidence) / 2
    return float(-ndtri(upper) if degrees is None else -stdtrit(degrees, upper))


def two_sided(statistic: float, degrees: float | None) -> float:
    """Return the two-sided p-value of a t or z statistic."""
    from scipy.stats import norm, t

    if degrees is None:
        return float(2 * norm.sf(abs(statistic)))
    return float(2 * t.sf(abs(statistic), degrees))


def coefficient_table(
    names: Sequence[str],
    estimates: Array,
    covariance: Array,
    dropped: Mapping[int, str],
    *,
    confidence: float,
    degrees: float | None,
) -> list[dict[str, Any]]:
    """Return a row for each term, those that were dropped included.

    Parameters
    ----------
    names, estimates, covariance
        Terms, p numbers, p x p.
    dropped
        Index of term -> reason.
    confidence
        Of the intervals.
    degrees
        Degrees of freedom of t; None for z.
    """
    rows = []
    reach = quantile(confidence, degrees) if degrees is None or degrees > 0 else None
    for j, name in enumerate(names):
        row: dict[str, Any] = dict.fromkeys(
            ("estimate", "standard_error", "statistic", "p_value", "lower", "upper")
        )
        if j not in dropped:
            estimate, error = float(estimates[j]), float(np.sqrt(covariance[j, j]))
            row["estimate"], row["standard_error"] = finite(estimate), finite(error)
            if error > 0 and reach is not None:
                row["statistic"] = finite(estimate / error)
                row["p_value"] = finite(two_sided(estimate / error, degrees))
                row["lower"] = finite(estimate - reach * error)
                row["upper"] = finite(estimate + reach * error)
        rows.append({"term": name, **row, "dropped": dropped.get(j)})
    return rows


def add_ratios(rows: list[dict[str, Any]], name: str) -> None:
    """Give each coefficient on the scale of a logarithm its ratio, with the limits of that.

    Parameters
    ----------
    rows
        Those of `coefficient_table`.
    name
        What the ratio is called.
    """
    for row in rows:
        row[name] = _exp(row["estimate"])
        row[f"{name}_lower"] = _exp(row["lower"])
        row[f"{name}_upper"] = _exp(row["upper"])


def _exp(value: float | None) -> float | None:
    """Return the exponential; None where there is no value, or hardly a finite one."""
    return math.exp(value) if value is not None and value < 700 else None


def chi_squared_test(statistic: float, degrees: int) -> dict[str, Any]:
    """Return a chi-squared test."""
    from scipy.stats import chi2

    p_value = finite(chi2.sf(statistic, degrees)) if degrees > 0 else None
    return {"statistic": finite(statistic), "df": degrees, "p_value": p_value}


def matrix_rows(matrix: Array, dropped: Mapping[int, str]) -> list[list[float | None]]:
    """Return a matrix as lists, with None for what was dropped."""
    return [
        [None if i in dropped or j in dropped else finite(value) for j, value in enumerate(row)]
        for i, row in enumerate(matrix)
    ]
