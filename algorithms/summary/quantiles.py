"""Quantiles between guaranteed bounds, from counts of values at most each of some edges."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vantage6.algorithms.statistics.sums import Array

#: Edges of the first round: mean + sd·0.01·sinh(0.0465 j)/0.0465 for j from -128 to 128.
HALF, WIDTH, BEND = 128, 0.01, 0.0465
#: Parts into which a refinement cuts each interval.
PARTS = 256

#: What one organization showed: places of edges in the list asked for, values at most each.
Shown = Sequence[Sequence[int]]


def first_edges(mean: float, sd: float, step: float | None, is_whole: bool) -> list[float]:
    """Return the edges of the first round, on the lattice of all organizations."""
    j = np.arange(-HALF, HALF + 1)
    edges = mean + sd * WIDTH * np.sinh(BEND * j) / BEND
    shift = 0.5 if is_whole else 0.0
    if is_whole or step is not None:
        size = max(step or 1.0, 1.0) if is_whole else float(step or 1.0)
        edges = np.ceil((edges - shift) / size) * size + shift
    return sorted(set(edges.tolist()))


@dataclass
class Ranks:
    """What is known of the pooled order of one column."""

    n: int
    is_whole: bool
    #: Edge -> least and most number of values at most it, and an estimate of it.
    known: dict[float, tuple[float, float, float]] = field(default_factory=dict)

    def add(self, edges: Sequence[float], shown: Sequence[tuple[int, Shown]]) -> None:
        """Take in the counts of organizations, each with its number of values."""
        points = np.array(edges)
        least, most, estimate = (np.zeros(len(points)) for _ in range(3))
        for count, kept in shown:
            low, high, middle = _bounds(points, count, kept)
            least, most, estimate = least + low, most + high, estimate + middle
        for edge, *numbers in zip(edges, least, most, estimate, strict=True):
            self.known[float(edge)] = (float(numbers[0]), float(numbers[1]), float(numbers[2]))

    def interval(self, rank: int) -> tuple[float, float]:
        """Return (a, b] that holds the value of a rank, counted from 1; infinite if unknown."""
        lower = max((e for e, (_, most, _) in self.known.items() if most < rank), default=-math.inf)
        upper = min((e for e, (low, _, _) in self.known.items() if low >= rank), default=math.inf)
        return lower, upper

    def value(self, rank: int) -> tuple[float, float, float, bool]:
        """Return value, lower and upper bound of a rank, and whether the value is exact."""
        lower, upper = self.interval(rank)
        if not (math.isfinite(lower) and math.isfinite(upper)):
            return math.nan, lower, upper, False
        if self.is_whole:
            low, high = math.floor(lower) + 1, math.floor(upper)
            if low == high:
                return float(low), float(low), float(low), True
            lower, upper = float(low), float(high)
        elif math.nextafter(lower, math.inf) == upper:
            return upper, upper, upper, True
        edges = np.array(sorted(self.known))
        estimates = np.array([self.known[edge][2] for edge in edges])
        value = float(np.interp(rank - 0.5, np.maximum.accumulate(estimates), edges))
        return min(max(value, lower), upper), lower, upper, False

    def refinement(self, rank: int, width: float) -> list[float]:
        """Return edges that cut the interval of a rank; none if it is narrow enough."""
        lower, upper = self.interval(rank)
        if not (math.isfinite(lower) and math.isfinite(upper)) or upper - lower <= width:
            return []
        if self.is_whole and math.floor(upper) - math.floor(lower) <= 1:
            return []
        inner = lower + (upper - lower) * np.arange(1, PARTS) / PARTS
        if self.is_whole:
            inner = np.floor(inner) + 0.5
        return sorted({edge for edge in inner.tolist() if lower < edge < upper})


def _bounds(points: Array, count: int, kept: Shown) -> tuple[Array, Array, Array]:
    places = [int(place) for place, _ in kept]
    numbers = [float(number) for _, number in kept]
    positions = np.arange(len(points))
    before = np.searchsorted(places, positions, side="right") - 1
    after = np.searchsorted(places, positions, side="left")
    padded = np.array([0.0, *numbers, float(count)])
    low, high = padded[before + 1], padded[after + 1]
    if not places:
        return low, high, (low + high) / 2
    middle = np.interp(points, points[places], numbers)
    return low, high, np.clip(middle, low, high)


def quantile_ranks(n: int, p: float) -> tuple[int, int, float]:
    """Return the two ranks of a quantile and the share of the second (type 7 of Hyndman & Fan)."""
    index = 1 + (n - 1) * p
    floor = math.floor(index)
    return floor, min(floor + 1, n), index - floor


def quantile_row(ranks: Ranks, p: float) -> dict[str, Any]:
    """Return a quantile with its bounds, None where there are none."""
    first, second, share = quantile_ranks(ranks.n, p)
    value, lower, upper, is_exact = ranks.value(first)
    if share:
        other = ranks.value(second)
        # In R's order of operations, so that an exact quantile is R's to the last bit.
        value, lower, upper = (
            (1 - share) * one + share * next_one
            for one, next_one in zip((value, lower, upper), other[:3], strict=True)
        )
        is_exact = is_exact and other[3]
    return {
        "p": p,
        "value": value if math.isfinite(value) else None,
        "lower": lower if math.isfinite(lower) else None,
        "upper": upper if math.isfinite(upper) else None,
        "exact": is_exact,
    }
