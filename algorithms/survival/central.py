"""`cox`: proportional hazards, stratified by organization or with a baseline that all share."""

import math
from typing import Any, Literal

import numpy as np

from vantage6.algorithms.statistics.analysis import Analysis, Sites, central
from vantage6.algorithms.statistics.annotations import (
    Count,
    Formula,
    Iterations,
    Level,
    NumericColumn,
    Organizations,
    TimeColumn,
)
from vantage6.algorithms.statistics.arguments import (
    bad,
    check_choice,
    check_confidence,
    check_iterations,
    check_name,
    is_number,
)
from vantage6.algorithms.statistics.coefficients import (
    add_ratios,
    chi_squared_test,
    coefficient_table,
    matrix_rows,
)
from vantage6.algorithms.statistics.models.newton import Convergence, Coordinates, Separation
from vantage6.algorithms.statistics.models.preparation import Preparation
from vantage6.algorithms.statistics.models.whitening import cholesky, invert_upper
from vantage6.algorithms.statistics.sentences import stop
from vantage6.algorithms.statistics.sums import Array, add, square, triangle
from vantage6.algorithms.survival.cox_sums import TIES
from vantage6.algorithms.survival.kaplan_meier import kaplan_meier
from vantage6.algorithms.survival.risk import Likelihood, Ties, likelihood, read_risk_set

__all__ = ["cox", "kaplan_meier"]

BASELINES = ("stratified", "pooled")


@central
def cox(
    sites: Sites,
    *,
    time: TimeColumn,
    event: NumericColumn,
    formula: Formula,
    ties: Ties = "efron",
    baseline: Literal["stratified", "pooled"] = "stratified",
    time_unit: float | None = None,
    max_iterations: Iterations = 25,
    tolerance: float = 1e-10,
    levels: dict[str, list[Any]] | None = None,
    organization_ids: Organizations | None = None,
    min_organizations: Count | None = None,
    confidence: Level = 0.95,
) -> dict[str, Any]:
    """Fit Cox's proportional hazards model over all organizations.

    Parameters
    ----------
    sites
        The organizations.
    time
        Column with the time under observation, in any unit.
    event
        Column with 1 where the time ended with the event, and 0 where it did not.
    formula
        Terms in Wilkinson notation, without an outcome.
    ties
        ``"efron"`` or ``"breslow"``.
    baseline
        ``"stratified"``: each organization has a baseline hazard of its own. ``"pooled"``: all
        share one; only where all stations have open floors.
    time_unit
        With a pooled baseline, times are rounded up to multiples of it.
    max_iterations
        Most rounds of steps, from 1 to 50.
    tolerance
        The rounds end when Newton's step is at most so many standard errors.
    levels
        Levels of categorical columns, the reference first; otherwise the organizations name them.
    organization_ids
        The organizations that take part; without it, all of the collaboration.
    min_organizations
        With how many the analysis goes on if others drop out; without it, all have to answer.
    confidence
        Level of the intervals, from 0.5 to 0.999.

    Returns
    -------
    dict
        Under ``result``: ``coefficients`` (log hazard ratios, with ``hazard_ratio`` and its
        limits), ``covariance``, ``ties``, ``baseline``, ``n``, ``events``, ``log_likelihood``
        (``null``, ``model``), ``likelihood_ratio``, ``wald``, ``score``, ``levels``, ``reference``.

    Notes
    -----
    Partial likelihood (Cox 1972), strata after Kalbfleisch & Prentice 2002, section 4.4.
    """
    check_confidence(confidence)
    check_iterations(max_iterations, tolerance)
    check_choice("ties", ties, TIES)
    check_choice("baseline", baseline, BASELINES)
    check_name("time", time)
    check_name("event", event)
    if time == event:
        raise bad("time and event are different columns.")
    if time_unit is not None and not (is_number(time_unit) and time_unit > 0):
        raise bad("time_unit is above 0.")
    analysis = Analysis("cox", sites, organization_ids, min_organizations)
    is_pooled = baseline == "pooled"
    columns = {"formula": formula, "time": time, "event": event}
    rounding = {"time_unit": time_unit} if is_pooled else {}
    prepared = Preparation(analysis, **columns, levels=levels, exact=is_pooled, **rounding)
    fit = _Fit(analysis, prepared, ties, tolerance)
    fit.check_events()
    shared: dict[str, Any] = {**columns, **prepared.arguments, **rounding}
    if is_pooled:
        shared["times"] = sorted({t for part in prepared.parts.values() for t in part["times"]})
    else:
        shared["ties"] = ties
    method = "cox_sums" if is_pooled else "cox_step"
    while not fit.is_done and fit.steps < max_iterations:
        basis = fit.coordinates.as_list()
        parts = analysis.ask(method, **shared, basis=basis, beta=fit.beta.tolist())
        prepared.check_sizes(parts)
        fit.take(parts)
    if not fit.is_done:
        analysis.warn("not_converged", rounds=analysis.rounds)
    result = {**fit.result(confidence), "ties": ties, "baseline": baseline}
    return analysis.answer(result, converged=fit.has_converged)


class _Fit:
    """The state of a fit between rounds."""

    def __init__(
        self, analysis: Analysis, prepared: Preparation, ties: str, tolerance: float
    ) -> None:
        self.analysis, self.prepared, self.ties = analysis, prepared, ties
        self.convergence = Convergence(tolerance)
        self.coordinates = Coordinates(prepared)
        self.beta: Array = np.zeros(prepared.design.size)
        self.final = self.beta
        self.steps = 0
        self.is_done = self.has_converged = False
        self._events: dict[int, int] = {}
        #: The answers at coefficients of 0, for the tests against the null model.
        self._first: dict[int, Any] = {}
        self._last: tuple[Array, float, list[int]] | None = None
        self._value = math.nan
        self._separation: Separation | None = None

    def check_events(self) -> None:
        """Stop if there is nothing to model."""
        if not sum(part["events"] for part in self.prepared.parts.values()):
            raise stop("no_events")

    def _likelihood(self, parts: dict[int, Any], size: int) -> Likelihood:
        said = list(parts.values())
        if "sums" in said[0]:
            sums = add([part["sums"] for part in said])
            return likelihood([read_risk_set(numbers) for numbers in sums], size, self.ties)
        total = add([{key: part[key] for key in ("loglik", "score", "info")} for part in said])
        return Likelihood(total["loglik"], np.array(total["score"]), square(total["info"]))

    def take(self, parts: dict[int, dict[str, Any]]) -> None:
        """Take in the answers of a round: step on, halve, or end."""
        self.steps += 1
        used = list(parts)
        for organization, part in parts.items():
            rows = self.analysis.records[organization][0]
            self.analysis.count(organization, rows, part["n"])
            self._events[organization] = part["events"]
        is_same = self._last is not None and self._last[2] == used
        if not all(part["valid"] for part in parts.values()):
            if self._last is None:
                raise stop("start_not_found")
            self._halve(self._last[0])
            return
        width = self.coordinates.rank if self.coordinates.is_ready else self.prepared.design.size
        found = self._likelihood(parts, width)
        if not self._first:
            self._first = parts
        if self._last is not None and is_same:
            value = self._last[1]
            if not found.value >= value - 1e-9 * abs(value):
                self._halve(self._last[0])
                return
        self._step(found, used, is_same)

    def _halve(self, valid: Array) -> None:
        """Go back half of the way; should the rounds end here, the valid estimate counts."""
        self.beta, self.final = (self.beta + valid) / 2, valid

    def _spread(self) -> Array:
        """Return what rounding leaves of the information of a constant column."""
        sizes = []
        for column in self.prepared.design.columns:
            size = abs(column.scale)
            for name in column.numeric:
                size *= abs(self.prepared.centres[name])
            sizes.append(size)
        events = sum(self._events.values())
        spread: Array = events * (1e-13 * np.array(sizes)) ** 2 if sizes else np.zeros(0)
        is_coded = np.array([bool(c.coding) for c in self.prepared.design.columns], dtype=bool)
        return np.where(is_coded, 1e-13 * events, spread) if sizes else spread

    def _step(self, found: Likelihood, used: list[int], is_same: bool) -> None:
        spread = None if self.coordinates.is_ready else self._spread()
        change = self.coordinates.update(triangle(found.info), spread)
        if change is None and self._last is not None and not is_same:
            # Columns that only an organization had that left: choose the columns anew.
            self.coordinates, self._last = Coordinates(self.prepared), None
            return
        if change is None:
            self.is_done = True
            self.analysis.warn("not_converged", rounds=self.analysis.rounds)
            return
        score = change.T @ found.score
        step = self.coordinates.basis @ score
        before = self._last[1] if self._last is not None and is_same else None
        self.final, self._value = self.beta + step, found.value
        self._last = (self.beta, found.value, used)
        decrement = float(np.linalg.norm(score))
        if self.convergence.is_reached(decrement):
            self.is_done = self.has_converged = True
            return
        self._watch(step, math.inf if before is None else 2 * (found.value - before))
        self.beta = self.final

    def _watch(self, step: Array, fall: float) -> None:
        """End a fit whose estimates run away."""
        if self._separation is None:
            self._separation = Separation(-2 * self._value)
        length, shares = self.coordinates.first_length(step)
        if self._separation.is_found(length, fall):
            terms = self._separation.terms(self.prepared, shares)
            self.analysis.warn("separation", terms=terms)
            self.is_done = True

    def _null(self) -> tuple[float, float]:
        """Return log-likelihood and score statistic at coefficients of 0."""
        size = self.prepared.design.size
        found = self._likelihood({o: self._first[o] for o in self.analysis.used}, size)
        assert self.coordinates.whitening is not None  # noqa: S101 - there was a round
        kept = self.coordinates.whitening.kept
        factor = cholesky(found.info[np.ix_(kept, kept)])
        if factor is None or not kept:
            return found.value, 0.0 if not kept else math.nan
        whitened = invert_upper(factor).T @ found.score[kept]
        return found.value, float(whitened @ whitened)

    def result(self, confidence: float) -> dict[str, Any]:
        """Return the result of the fit."""
        prepared, coordinates = self.prepared, self.coordinates
        if coordinates.whitening is None:
            raise stop("start_not_found")
        dropped = prepared.dropped(coordinates.whitening)
        covariance = prepared.covariance(coordinates.basis, 1.0)
        table = coefficient_table(
            prepared.design.names,
            prepared.coefficients(self.final),
            covariance,
            dropped,
            confidence=confidence,
            degrees=None,
        )
        add_ratios(table, "hazard_ratio")
        null, score = self._null()
        kept, rank = coordinates.whitening.kept, coordinates.rank
        wald = 0.0
        if rank:
            whitened = np.linalg.solve(coordinates.basis[kept], self.final[kept])
            wald = float(whitened @ whitened)
        return {
            "coefficients": table,
            "covariance": matrix_rows(covariance, dropped),
            "n": sum(self.analysis.records[o][1] for o in self.analysis.used),
            "events": sum(self._events[o] for o in self.analysis.used),
            "log_likelihood": {"null": null, "model": self._value},
            "likelihood_ratio": chi_squared_test(2 * (self._value - null), rank),
            "wald": chi_squared_test(wald, rank),
            "score": chi_squared_test(score, rank),
            "levels": prepared.levels,
            "reference": prepared.reference,
        }
