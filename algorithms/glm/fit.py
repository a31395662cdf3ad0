"""A generalized linear model between rounds: start, Newton steps, halvings, the end."""

import math
from typing import Any

import numpy as np

from vantage6.algorithms.statistics.analysis import Analysis
from vantage6.algorithms.statistics.arguments import bad, is_number
from vantage6.algorithms.statistics.models.families import WITH_DISPERSION, link_of
from vantage6.algorithms.statistics.models.newton import (
    Convergence,
    Coordinates,
    Separation,
    newton_direction,
    transformed,
)
from vantage6.algorithms.statistics.models.preparation import Preparation
from vantage6.algorithms.statistics.sentences import stop
from vantage6.algorithms.statistics.sums import Array, add, total

COUNTS = ("poisson", "negative_binomial")
#: Poisson rounds before the shape of a negative binomial is estimated with the rest.
POISSON_ROUNDS = 4
#: A shape above this says that there is no overdispersion.
LARGEST_THETA = 1e6
#: Large steps up in a row, after which the shape is taken to grow without end.
GROWING_STEPS = 3


class Fit:
    """The state of a fit between rounds."""

    def __init__(
        self,
        analysis: Analysis,
        prepared: Preparation,
        family: str,
        link: str,
        has_offset: bool,
        theta: float | None,
        tolerance: float,
    ) -> None:
        self.analysis, self.prepared = analysis, prepared
        self.family, self.link = family, link
        self.convergence = Convergence(tolerance)
        self.theta = theta
        self.estimates_theta = family == "negative_binomial" and theta is None
        self.coordinates = Coordinates(prepared)
        self.beta: Array | None = None
        self.null: float | None = None
        self.steps = 0
        self.is_done = self.has_converged = False
        #: What the last valid round sent, added.
        self.sums: dict[str, Any] = {}
        self.final: Array = np.zeros(prepared.design.size)
        self._has_offset = has_offset
        self._last: tuple[Array, float | None, dict[str, Any], list[int]] | None = None
        self._separation: Separation | None = None
        self._null_deviance: float | None = None
        self._least_deviance = -math.inf
        self._growing = 0

    def begin(self, start: dict[str, float] | None) -> None:
        """Choose where to start: as told, else the model of the constant."""
        intercept = self.prepared.design.intercept
        constant = self._null_start() if self.prepared.has_constant else 0.0
        if intercept is not None:
            self.null = constant
        elif self.family != "gamma" and self.link in (
            "logit",
            "probit",
            "cloglog",
            "log",
            "identity",
        ):
            self.null = 0.0
        names = self.prepared.design.names
        if start is not None:
            is_mapping = isinstance(start, dict) and all(is_number(v) for v in start.values())
            if not is_mapping or not set(start) <= set(names):
                raise bad(f"start gives a number for terms of: {', '.join(names)}.")
            wanted = np.array([float(start.get(name, 0.0)) for name in names])
            self.beta = np.linalg.solve(self.prepared.way_back, wanted)
        elif self.prepared.has_constant:
            self.beta = constant * self.prepared.constant()

    def _null_start(self) -> float:
        parts = [part["w"] for part in self.prepared.parts.values()]
        w, wy, wo, weo = (total(part[key] for part in parts) for key in ("w", "wy", "wo", "weo"))
        mean = wy / w
        # What rounding alone leaves of the deviance of a constant.
        self._least_deviance = 1e-26 * wy * mean if self.family == "gaussian" else 1e-14 * w
        is_edge = self.family == "binomial" and mean >= 1
        if is_edge or (self.family in ("binomial", *COUNTS) and mean <= 0):
            raise stop("constant_outcome")
        if self.link == "log" and self.family in COUNTS:
            return math.log(wy / weo)
        if (self.link == "log" and mean <= 0) or (self.link == "inverse" and mean == 0):
            raise stop("start_not_found")
        return link_of(self.link, mean) - wo / w

    def take(self, parts: dict[int, dict[str, Any]]) -> None:
        """Take in the answers of a round: step on, halve, or end."""
        self.steps += 1
        for organization, part in parts.items():
            rows = self.analysis.records[organization][0]
            self.analysis.count(organization, rows, part["n"])
        used = list(parts)
        is_same = self._last is not None and self._last[3] == used
        if not all(part["valid"] for part in parts.values()):
            if self._last is None or self.beta is None:
                raise stop("start_not_found")
            self._halve()
            return
        sums = add(list(parts.values()))
        if self._last is not None and is_same and self._is_worse(sums, self._last[2]):
            self._halve()
            return
        self._step(sums, used, is_same)

    def _is_worse(self, sums: dict[str, Any], before: dict[str, Any]) -> bool:
        if "deviance" not in before:
            return False
        margin = 1e-8 * (abs(before["deviance"]) + 0.1)
        if self.estimates_theta and "theta" in before and "theta" in sums:
            return bool(sums["loglik"] < before["loglik"] - margin)
        if "theta" in before or "theta" in sums:
            return False
        return bool(sums["deviance"] > before["deviance"] + margin)

    def _halve(self) -> None:
        assert self._last is not None  # noqa: S101 - there was a step
        assert self.beta is not None  # noqa: S101
        beta, theta = self._last[0], self._last[1]
        # Should the rounds end here, the last estimate that was valid counts.
        self.final = beta
        self.beta = (self.beta + beta) / 2
        if theta is not None and self.theta is not None:
            self.theta = (self.theta + theta) / 2

    def _step(self, sums: dict[str, Any], used: list[int], is_same: bool) -> None:
        change = self.coordinates.update(sums["info"])
        if change is None and self._last is not None and not is_same:
            # Columns that only an organization had that left: choose the columns anew.
            self.coordinates, self._last = Coordinates(self.prepared), None
            return
        if change is None:
            self.is_done = True
            self.analysis.warn("not_converged", rounds=self.analysis.rounds)
            return
        basis = self.coordinates.basis
        score = change.T @ np.array(sums["score"])
        if self.beta is None:
            self.beta, self.sums = basis @ score, {}
            return
        self._check_null(sums)
        observed = transformed(sums["observed"], change) if "observed" in sums else None
        direction = newton_direction(score, observed)
        decrement = float(np.linalg.norm(score)) / math.sqrt(self._scale(sums))
        before, self.sums = self.sums, sums
        theta, new_theta = self.theta, self.theta
        if self.estimates_theta and "theta" in sums:
            cross = change.T @ np.array(sums["theta"]["cross"])
            direction, new_theta, shift = self._with_theta(score, observed, cross, sums["theta"])
            decrement = max(decrement, shift)
        elif self.estimates_theta and (decrement < 0.01 or self.steps >= POISSON_ROUNDS):
            new_theta = float(sums["n"] / sums["ratio2"]) if sums["ratio2"] > 0 else LARGEST_THETA
        step = basis @ direction
        self.final = self.beta + step
        self._last = (self.beta, theta, sums, used)
        if new_theta is not None and new_theta > LARGEST_THETA:
            self.analysis.warn("no_overdispersion")
            self.is_done = True
            return
        is_estimated = not self.estimates_theta or "theta" in sums
        is_reached = self.convergence.is_reached(decrement)
        if is_reached and is_estimated and self._null_is_found(sums):
            self.is_done = self.has_converged = True
            return
        self._watch(step, decrement, before if is_same else {}, sums)
        self.beta, self.theta = self.final, new_theta
        self._step_null(sums)

    def _with_theta(
        self, score: Array, observed: Array | None, cross: Array, shape: dict[str, float]
    ) -> tuple[Array, float, float]:
        """Return the joint Newton step in coefficients and shape, and the shift of the shape."""
        assert self.theta is not None  # noqa: S101 - the site had one
        direction = newton_direction(score, observed)
        coupled = newton_direction(cross, observed)
        curve = shape["info"] - cross @ coupled
        if curve > 0:
            delta = float((shape["score"] - cross @ direction) / curve)
        else:
            delta = self.theta * (3.0 if shape["score"] > 0 else -0.75)
        self._growing = self._growing + 1 if delta > 0.4 * self.theta else 0
        if self._growing > GROWING_STEPS:
            # Without overdispersion, Newton's step towards infinity is half of the shape each time.
            delta = 3 * self.theta
        new = min(max(self.theta + delta, self.theta / 4), 4 * self.theta)
        delta = new - self.theta
        shift = abs(delta) * math.sqrt(shape["info"]) if curve > 0 else math.inf
        return direction - coupled * delta, new, shift

    def _scale(self, sums: dict[str, Any]) -> float:
        """Return the dispersion of a round, by which the decrement is measured."""
        degrees = sums["n"] - self.coordinates.rank
        if self.family not in WITH_DISPERSION or degrees <= 0 or not sums["pearson"] > 0:
            return 1.0
        return float(sums["pearson"] / degrees)

    def _watch(
        self, step: Array, decrement: float, before: dict[str, Any], sums: dict[str, Any]
    ) -> None:
        """End a fit whose estimates run away."""
        if self.family not in ("binomial", *COUNTS):
            return
        if self._separation is None:
            self._separation = Separation(self._null_deviance or sums["deviance"])
        length, shares = self.coordinates.first_length(step)
        fall = before["deviance"] - sums["deviance"] if "deviance" in before else math.inf
        if self._separation.is_found(length, fall) and decrement > self.convergence.tolerance:
            terms = self._separation.terms(self.prepared, shares)
            self.analysis.warn("separation", terms=terms)
            self.is_done = True

    def _check_null(self, sums: dict[str, Any]) -> None:
        null = sums.get("null")
        if null is None or null[2] is None:
            return
        self._null_deviance = null[2]
        if null[2] <= self._least_deviance:
            raise stop("constant_outcome")

    def _null_is_found(self, sums: dict[str, Any]) -> bool:
        if self.prepared.design.intercept is None or not self._moves_null():
            return True
        score, information, _ = sums["null"]
        if score is None or not information > 0:
            return True
        return bool(abs(score) <= 1e-8 * math.sqrt(information * self._scale(sums)))

    def _moves_null(self) -> bool:
        return self._has_offset or self.family == "negative_binomial"

    def _step_null(self, sums: dict[str, Any]) -> None:
        null = sums.get("null")
        if self.null is None or null is None or self.prepared.design.intercept is None:
            return
        score, information, _ = null
        if self._moves_null() and score is not None and information > 0:
            self.null += score / information
