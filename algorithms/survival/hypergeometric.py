"""Events that groups would have if they did not differ (Mantel 1966)."""

import numpy as np
from numpy.typing import NDArray

from vantage6.algorithms.statistics.sums import Array

Counts = NDArray[np.int64]


def expected_events(at_risk: Counts, events: Counts, rho: float) -> tuple[Array, Array]:
    """Return Σ w(O - E) of each group, and its hypergeometric covariance.

    Parameters
    ----------
    at_risk, events
        Time x group, times rising.
    rho
        Weight S(t-)^rho, S the Kaplan-Meier curve of all groups (Harrington & Fleming 1982).
    """
    count = at_risk.shape[1]
    u, v = np.zeros(count), np.zeros((count, count))
    survival = 1.0
    for n, d in zip(at_risk.astype(float), events.astype(float), strict=True):
        whole, deaths = n.sum(), d.sum()
        if whole == 0:
            continue
        weight = survival**rho
        u = u + weight * (d - deaths * n / whole)
        if whole > 1:
            spread = deaths * (whole - deaths) / (whole - 1)
            v = v + weight**2 * spread * (np.diag(n / whole) - np.outer(n, n) / whole**2)
        survival *= 1 - deaths / whole
    return u, v


def chi_squared(u: Array, v: Array) -> tuple[float, int]:
    """Return the chi-squared statistic and its degrees of freedom; the last group is left out."""
    is_present = np.diag(v) > 0
    u, v = u[is_present][:-1], v[is_present][:, is_present][:-1, :-1]
    if not len(u):
        return 0.0, 0
    return float(u @ np.linalg.solve(v, u)), len(u)
