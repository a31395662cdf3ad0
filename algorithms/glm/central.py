"""The generalized linear model: one round of sums for each Newton step."""

import math
from typing import Any

import numpy as np

from vantage6.algorithms.glm.families import WITH_DISPERSION, check_link, link_of
from vantage6.algorithms.glm.iteration import (
    Coordinates,
    Separation,
    newton_direction,
    transformed,
)
from vantage6.algorithms.glm.linear import linear_model
from vantage6.algorithms.statistics.analysis import Analysis, Sites, central
from vantage6.algorithms.statistics.arguments import (
    bad,
    check_confidence,
    check_iterations,
    check_name,
    is_number,
)
from vantage6.algorithms.statistics.coefficients import coefficient_table, finite, matrix_rows
from vantage6.algorithms.statistics.preparation import Preparation
from vantage6.algorithms.statistics.sentences import Stopped, stop
from vantage6.algorithms.statistics.sums import Array, add, total

__all__ = ["glm", "linear_model"]

COUNTS = ("poisson", "negative_binomial")
#: Poisson rounds before the shape of a negative binomial is estimated with the rest.
POISSON_ROUNDS = 4
#: A shape above this says that there is no overdispersion.
LARGEST_THETA = 1e6


@central
def glm(
    sites: Sites,
    *,
    formula: str,
    family: str,
    link: str | None = None,
    offset: str | None = None,
    weights: str | None = None,
    theta: float | None = None,
    max_iterations: int = 25,
    tolerance: float = 1e-10,
    start: dict[str, float] | None = None,
    levels: dict[str, list[Any]] | None = None,
    organization_ids: list[int] | None = None,
    min_organizations: int | None = None,
    confidence: float = 0.95,
) -> dict[str, Any]:
    """Fit a generalized linear model by maximum likelihood over all organizations.

    Parameters
    ----------
    sites
        The organizations.
    formula
        ``outcome ~ terms`` in Wilkinson notation.
    family, link
        ``gaussian`` (identity, log, inverse), ``binomial`` (logit, probit, cloglog, log),
        ``poisson`` (log, identity, sqrt), ``gamma`` (inverse, log, identity),
        ``negative_binomial`` (log); the first link is the default.
    offset
        Column that is added to the linear predictor.
    weights
        Column of prior weights, as in R; binomial: the outcome is a share, the weight its trials.
    theta
        Shape of a negative binomial, μ + μ²/θ; estimated if not given.
    max_iterations, tolerance
        Rounds of steps (1 to 50), and the Newton decrement, in standard errors, at which to stop.
    start
        Term -> coefficient to start from.
    levels
        Levels of categorical columns, the reference first; otherwise the organizations name them.
    organization_ids, min_organizations, confidence
        Who takes part, how many at least, and the level of intervals.

    Returns
    -------
    dict
        Under ``result``: ``coefficients`` (z; t where a dispersion is estimated), ``covariance``,
        ``family``, ``link``, ``dispersion``, ``deviance``, ``null_deviance``, ``df_residual``,
        ``df_null``, ``log_likelihood``, ``aic``, ``theta``, ``n``, ``levels``, ``reference``.

    Notes
    -----
    Newton with the observed information, standard errors from the expected one (McCullagh &
    Nelder 1989); step halving after Marschner 2011; negative binomial after Venables & Ripley
    2002, section 7.4.
    """
    link = check_link(family, link)
    check_confidence(confidence)
    check_iterations(max_iterations, tolerance)
    check_name("weights", weights, optional=True)
    check_name("offset", offset, optional=True)
    if theta is not None and not (is_number(theta) and theta > 0):
        raise bad("theta is above 0.")
    analysis = Analysis("glm", sites, organization_ids, min_organizations)
    prepared = Preparation(
        analysis, formula=formula, weights=weights, offset=offset, family=family, levels=levels
    )
    fit = _Fit(analysis, prepared, family, link, offset is not None, theta, tolerance)
    fit.begin(start)
    shared = {"formula": formula, "family": family, "link": link, "weights": weights}
    shared |= {"offset": offset, **prepared.arguments}
    while not fit.is_done and fit.steps < max_iterations:
        parts = analysis.ask(
            "glm_step",
            **shared,
            basis=fit.coordinates.as_list(),
            beta=None if fit.beta is None else fit.beta.tolist(),
            theta=fit.theta,
            null=fit.null,
        )
        prepared.check_sizes(parts)
        fit.take(parts)
    if not fit.is_done:
        analysis.warn("not_converged", rounds=analysis.rounds)
    return analysis.answer(_result(prepared, fit, confidence), converged=fit.has_converged)


class _Fit:
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
        self.family, self.link, self.tolerance = family, link, tolerance
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
        if decrement <= self.tolerance and is_estimated and self._null_is_found(sums):
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
            delta = self.theta * (1.0 if shape["score"] > 0 else -0.5)
        new = min(max(self.theta + delta, self.theta / 4), 4 * self.theta)
        delta = new - self.theta
        information = max(shape["info"], 0.0)
        return direction - coupled * delta, new, abs(delta) * math.sqrt(information)

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
        if self._separation.is_found(length, fall) and decrement > self.tolerance:
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


def _log_likelihood(fit: _Fit) -> float:
    """Return the log-likelihood as R counts it."""
    from scipy.special import gammaln

    sums, n = fit.sums, fit.sums["n"]
    if fit.family == "gaussian":
        if not sums["deviance"] > 0:
            return math.nan
        spread = n * (math.log(2 * math.pi * sums["deviance"] / n) + 1)
        return 0.5 * (sums["loglik"] - spread)
    if fit.family == "gamma":
        gamma = sums["gamma"]
        if not sums["deviance"] > 0:
            return math.nan
        shape = gamma["w"] / sums["deviance"]
        constant = shape * math.log(shape) - float(gammaln(shape))
        return math.fsum(
            [
                (shape - 1) * gamma["log_y"],
                -shape * gamma["ratio"],
                -shape * gamma["log_mu"],
                gamma["w"] * constant,
            ]
        )
    return float(sums["loglik"])


def _result(prepared: Preparation, fit: _Fit, confidence: float) -> dict[str, Any]:
    if not fit.sums:
        raise Stopped("start_not_found", stop("start_not_found").message)
    sums, coordinates = fit.sums, fit.coordinates
    assert coordinates.whitening is not None  # noqa: S101 - there was a round
    n, rank = sums["n"], coordinates.rank
    degrees = n - rank
    has_dispersion = fit.family in WITH_DISPERSION
    dispersion = 1.0
    if has_dispersion:
        dispersion = sums["pearson"] / degrees if degrees > 0 else math.nan
    dropped = prepared.dropped(coordinates.whitening)
    covariance = prepared.covariance(coordinates.basis, dispersion)
    log_likelihood = _log_likelihood(fit)
    counted = rank + has_dispersion + fit.estimates_theta
    theta = None
    if fit.estimates_theta and "theta" in sums:
        information = sums["theta"]["info"]
        error = 1 / math.sqrt(information) if information > 0 else None
        theta = {"estimate": fit.theta, "standard_error": error}
    elif fit.theta is not None:
        theta = {"estimate": fit.theta, "standard_error": None}
    null = sums.get("null") or [None, None, None]
    return {
        "coefficients": coefficient_table(
            prepared.design.names,
            prepared.coefficients(fit.final),
            covariance,
            dropped,
            confidence=confidence,
            degrees=degrees if has_dispersion else None,
        ),
        "covariance": matrix_rows(covariance, dropped),
        "family": fit.family,
        "link": fit.link,
        "dispersion": finite(dispersion),
        "deviance": sums["deviance"],
        "null_deviance": finite(null[2]),
        "df_residual": degrees,
        "df_null": n - (prepared.design.intercept is not None),
        "log_likelihood": finite(log_likelihood),
        "aic": finite(-2 * log_likelihood + 2 * counted),
        "theta": theta,
        "n": n,
        "levels": prepared.levels,
        "reference": prepared.reference,
    }
