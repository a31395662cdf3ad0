"""Survival curves, their intervals and medians, from counts at risk."""

import math
from dataclasses import dataclass
from typing import Any

from vantage6.algorithms.statistics.coefficients import finite, quantile

#: Two survival probabilities this close are equal, as in R.
EQUAL = math.sqrt(2.0**-52)


@dataclass
class Curve:
    """Rows of a curve, times rising."""

    time: list[float]
    at_risk: list[int]
    events: list[int]
    censored: list[int]
    survival: list[float]
    error: list[float | None]
    lower: list[float | None]
    upper: list[float | None]
    #: Rows are ends of intervals, between which nothing is known.
    is_life_table: bool = False

    def median(self) -> dict[str, float | None]:
        """Return the median, with the interval that the curve's limits give (Brookmeyer 1982)."""
        return {
            "estimate": _crossing(self.time, list(self.survival)),
            "lower": _crossing(self.time, self.lower),
            "upper": _crossing(self.time, self.upper),
        }

    def rows(self, at: list[float]) -> dict[str, list[Any]]:
        """Return the rows where events happen, and those at given times.

        Within an interval of a life table a given time has no numbers.
        """
        places = {t: i for i, t in enumerate(self.time)}
        shown = {t for t, d in zip(self.time, self.events, strict=True) if d} | set(at)
        found: dict[str, list[Any]] = {
            name: []
            for name in (
                "time", "at_risk", "events", "censored", "survival", "standard_error", "lower",
                "upper",
            )
        }  # fmt: skip
        for t in sorted(shown):
            last = max((i for i, time in enumerate(self.time) if time <= t), default=None)
            here = places.get(t)
            at_risk = self.at_risk[here] if here is not None else self._at_risk(last)
            found["time"].append(t)
            if self.is_life_table and here is None and t > 0:
                for name in found.keys() - {"time"}:
                    found[name].append(None)
                continue
            found["at_risk"].append(at_risk)
            found["events"].append(0 if here is None else self.events[here])
            found["censored"].append(0 if here is None else self.censored[here])
            found["survival"].append(1.0 if last is None else self.survival[last])
            found["standard_error"].append(0.0 if last is None else self.error[last])
            found["lower"].append(1.0 if last is None else self.lower[last])
            found["upper"].append(1.0 if last is None else self.upper[last])
        return found

    def _at_risk(self, last: int | None) -> int:
        if last is None:
            return self.at_risk[0] if self.at_risk else 0
        return self.at_risk[last] - self.events[last] - self.censored[last]


def curve(
    times: list[float],
    events: list[int],
    censored: list[int],
    confidence: float,
    *,
    is_life_table: bool,
) -> Curve:
    """Return a curve from events and censorings at times, or in intervals that end there.

    Kaplan & Meier 1958, or the life table d/(n - c/2) of Cutler & Ederer 1958; variance of
    Greenwood 1926; interval log(-log), Kalbfleisch & Prentice 2002, section 1.4.

    Parameters
    ----------
    events, censored
        One number for each time; one more for records after the last.
    """
    reach = quantile(confidence, None)
    left = sum(events) + sum(censored)
    found = Curve([], [], [], [], [], [], [], [], is_life_table)
    survival, greenwood = 1.0, 0.0
    for t, d, c in zip(times, events, censored, strict=False):
        exposed = left - c / 2 if is_life_table else float(left)
        if d and exposed > 0:
            survival *= (exposed - d) / exposed
            greenwood += d / (exposed * (exposed - d)) if exposed > d else math.inf
        found.time.append(t)
        found.at_risk.append(left)
        found.events.append(d)
        found.censored.append(c)
        survival = max(0.0, survival)
        found.survival.append(survival)
        error, lower, upper = _interval(survival, greenwood, reach)
        found.error.append(error)
        found.lower.append(lower)
        found.upper.append(upper)
        left -= d + c
    return found


def _interval(
    survival: float, greenwood: float, reach: float
) -> tuple[float | None, float | None, float | None]:
    if survival == 1:
        return 0.0, 1.0, 1.0
    if survival == 0 or not math.isfinite(greenwood):
        return None, None, None
    bend = reach * math.sqrt(greenwood) / abs(math.log(survival))
    return (
        survival * math.sqrt(greenwood),
        finite(survival ** math.exp(bend)),
        finite(survival ** math.exp(-bend)),
    )


def _crossing(times: list[float], values: list[float | None] | list[float]) -> float | None:
    """Return where a curve falls below one half; halfway to the next drop if it equals it there."""
    known = [(t, v) for t, v in zip(times, values, strict=True) if v is not None]
    below = [(t, v) for t, v in known if v < 0.5 + EQUAL]
    if not below:
        return None
    first, value = below[0]
    if abs(value - 0.5) < EQUAL:
        next_drop = next((t for t, v in below if v < value), None)
        return first if next_drop is None else (first + next_drop) / 2
    return first
