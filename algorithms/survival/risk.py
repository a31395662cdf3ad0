"""Cox's partial likelihood from sums over risk sets (Therneau & Grambsch 2000, section 3.3)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from vantage6.algorithms.statistics.sums import Array, square

#: How tied events count: Efron 1977, Breslow 1974.
Ties = Literal["efron", "breslow"]


@dataclass
class Likelihood:
    """Log partial likelihood, its score (k) and information (k x k)."""

    value: float
    score: Array
    info: Array


@dataclass(frozen=True)
class RiskSet:
    """Sums at one time: over those at risk, and over those with an event.

    With r = exp(xβ): ``risk`` is Σr, Σrx, Σrxxᵀ of those at risk, ``dead`` the same of those with
    an event; ``count``, ``x`` and ``eta`` are the number of events, their Σx and Σxβ.
    """

    risk: tuple[float, Array, Array]
    dead: tuple[float, Array, Array]
    count: int
    x: Array
    eta: float


def likelihood(sets: Sequence[RiskSet], size: int, ties: str) -> Likelihood:
    """Return the likelihood of risk sets; ties after Efron 1977 or Breslow 1974."""
    values: list[float] = []
    score, info = np.zeros(size), np.zeros((size, size))
    for one in sets:
        values.append(one.eta)
        score = score + one.x
        for place in range(one.count):
            share = place / one.count if ties == "efron" else 0.0
            whole = one.risk[0] - share * one.dead[0]
            mean = (one.risk[1] - share * one.dead[1]) / whole
            values.append(-math.log(whole))
            score = score - mean
            info = info + (one.risk[2] - share * one.dead[2]) / whole - np.outer(mean, mean)
    return Likelihood(math.fsum(values), score, info)


def risk_sets(
    times: Array, event: Any, columns: Array, eta: Array, at: Array | None = None
) -> list[RiskSet]:
    """Return the risk sets of records, at the times of events or at given times.

    Parameters
    ----------
    times, event, columns, eta
        Time, event, columns (n x k) and linear predictor of each record.
    at
        Times, rising.
    """
    moments = np.unique(times[event]) if at is None else at
    order = np.argsort(-times, kind="stable")
    times, event, columns, eta = times[order], event[order], columns[order], eta[order]
    weights = np.exp(eta)
    size = columns.shape[1]
    s0, s1, s2 = 0.0, np.zeros(size), np.zeros((size, size))
    start = 0
    found: list[RiskSet] = []
    for moment in moments[::-1]:
        stop = int(np.searchsorted(-times, -moment, side="right"))
        block, r = columns[start:stop], weights[start:stop]
        s0 = s0 + math.fsum(r.tolist())
        s1 = s1 + r @ block
        s2 = s2 + block.T @ (r[:, None] * block)
        start = stop
        first = int(np.searchsorted(-times, -moment, side="left"))
        here = np.flatnonzero(event[first:stop]) + first
        x, r = columns[here], weights[here]
        dead = (math.fsum(r.tolist()), r @ x, x.T @ (r[:, None] * x))
        eta_sum = math.fsum(eta[here].tolist())
        found.append(RiskSet((s0, s1, s2), dead, len(here), x.sum(axis=0), eta_sum))
    return found[::-1]


def read_risk_set(numbers: Sequence[Any]) -> RiskSet:
    """Return a risk set from the numbers of a payload."""
    s0, s1, s2, d0, d1, d2, count, x, eta = numbers
    return RiskSet(
        (s0, np.array(s1), square(s2)),
        (d0, np.array(d1), square(d2)),
        int(count),
        np.array(x),
        eta,
    )
