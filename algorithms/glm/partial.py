"""Sums of one organization for a linear or generalized linear model.

Shapes: n records, p columns of the model, k columns of the basis. "Triangle" is the upper
triangle of a symmetric matrix, row by row. Sums have the units of the columns, squared for
products; in a basis they have none.
"""

from typing import Any

import numpy as np

from vantage6.algorithms.statistics import disclosure
from vantage6.algorithms.statistics.arguments import bad, check_vector, is_number
from vantage6.algorithms.statistics.models import families
from vantage6.algorithms.statistics.models.combinations import (
    check_joint_weights,
    check_weighted,
)
from vantage6.algorithms.statistics.models.families import Family, Link
from vantage6.algorithms.statistics.models.records import ModelRecords, basis_matrix, model_prepare
from vantage6.algorithms.statistics.station import Station
from vantage6.algorithms.statistics.sums import Array, total_of, triangle

__all__ = ["glm_step", "linear_sums", "model_prepare"]


def linear_sums(
    station: Station,
    formula: str,
    levels: dict[str, list[str]],
    centres: dict[str, float],
    y_centre: float,
    weights: str | None = None,
    basis: list[list[float]] | None = None,
    beta: list[float] | None = None,
) -> dict[str, Any]:
    """Return the weighted cross-products of [Z, r]: Z = X·basis, r = (y - y_centre) - X·beta.

    X are the centred columns. This is the normal equations of least squares, and, with a basis,
    the second pass of CholeskyQR2 (Yamamoto et al. 2015).

    Parameters
    ----------
    formula, weights
        Outcome and terms; a column of prior weights.
    levels, centres, y_centre
        What all organizations agreed on after `model_prepare`.
    basis, beta
        p x k, and p coefficients of the centred columns; None in the first round.

    Returns
    -------
    dict
        ``n``, ``p``, ``cross``: triangle of k + 1, the outcome last, and ``log_w``: Σ log w.
    """
    records = ModelRecords(station, formula, levels, weights=weights)
    design = records.design()
    records.is_allowed(design)
    if not is_number(y_centre):
        raise bad("y_centre is a number.")
    columns = records.centred(design, centres)
    if records.is_weighted:
        check_weighted(columns, records.weights, station.floors)
        check_joint_weights(records.joint, records.weights, station.floors)
    residual = records.outcome - y_centre
    if beta is not None:
        residual = residual - columns @ np.array(check_vector("beta", beta, design.size))
    joined = np.column_stack([columns @ basis_matrix(basis, design.size), residual])
    cross = joined.T @ (records.weights[:, None] * joined)
    return {
        "n": records.n,
        "p": design.size,
        "cross": triangle(cross),
        "log_w": total_of(np.log(records.weights)),
    }


def glm_step(
    station: Station,
    formula: str,
    levels: dict[str, list[str]],
    centres: dict[str, float],
    family: Family,
    link: Link | None = None,
    weights: str | None = None,
    offset: str | None = None,
    basis: list[list[float]] | None = None,
    beta: list[float] | None = None,
    theta: float | None = None,
    null: float | None = None,
) -> dict[str, Any]:
    """Return score and information of a generalized linear model at `beta`.

    With μ the mean, g' and μ″ its derivatives in the linear predictor, V the variance function:
    W = w·g'²/V and u = w·g'(y - μ)/V (McCullagh & Nelder 1989, chapter 2; R `glm.fit`).

    Parameters
    ----------
    formula, weights, offset
        Outcome and terms; columns of prior weights and of offsets.
    levels, centres
        What all organizations agreed on after `model_prepare`.
    family, link
        See `central.glm`.
    basis
        p x k; None in the first round.
    beta
        Coefficients of the centred columns (p); None for working weights and outcome at R's
        starting means, where ``score`` is that of the coefficients themselves.
    theta
        Shape of a negative binomial; None for the variance of a Poisson.
    null
        Coefficient of the model of the constant alone.

    Returns
    -------
    dict
        ``n``, ``p``, ``valid``, and if it is: ``score`` Zᵀu, ``info`` ZᵀWZ, ``observed``,
        ``deviance``, ``loglik``, ``pearson``, ``null`` [score, information, deviance]; of some
        families ``ratio2``, ``gamma`` and ``theta``.
    """
    link = families.check_link(family, link)
    if theta is not None and not (is_number(theta) and theta > 0):
        raise bad("theta is above 0.")
    records = ModelRecords(station, formula, levels, weights=weights, offset=offset)
    families.check_outcome(family, records.outcome)
    design = records.design()
    records.is_allowed(design)
    columns = records.centred(design, centres)
    basis_columns = columns @ basis_matrix(basis, design.size)
    shape = "poisson" if family == "negative_binomial" and theta is None else family
    step = _Step(records, shape, link, theta, finds_theta=shape != family)
    ok: dict[str, Any] = {"n": records.n, "p": design.size, "valid": True}
    with np.errstate(all="ignore"):
        if beta is None:
            ok |= step.start(basis_columns)
        else:
            vector = np.array(check_vector("beta", beta, design.size))
            eta = columns @ vector + records.offset
            mean = families.MEANS[link](eta)
            if not families.is_valid(shape, mean, eta):
                return {"n": records.n, "p": design.size, "valid": False}
            sums = step.sums(basis_columns, mean)
            if not np.all(np.isfinite([*sums["score"], *sums["info"], sums["deviance"]])):
                return {"n": records.n, "p": design.size, "valid": False}
            ok |= sums
        if null is not None:
            if not is_number(null):
                raise bad("null is a number.")
            ok["null"] = step.null(null)
    return ok


class _Step:
    """Sums of one step for the records of a station."""

    def __init__(
        self,
        records: ModelRecords,
        family: str,
        link: str,
        theta: float | None,
        *,
        finds_theta: bool,
    ) -> None:
        self.records = records
        self.family, self.link, self.theta = family, link, theta
        #: Whether the shape of a negative binomial is to be found from these means.
        self.finds_theta = finds_theta
        self.y, self.w = records.outcome, records.weights

    def _working(self, mean: families.Mean) -> tuple[Array, Array, Array]:
        value, slope = families.variance(self.family, mean.mu, self.theta)
        working = self.w * mean.first**2 / value
        score = self.w * mean.first * (self.y - mean.mu) / value
        curve = mean.second / value - mean.first**2 * slope / value**2
        return working, score, working - self.w * (self.y - mean.mu) * curve

    def start(self, columns: Array) -> dict[str, Any]:
        mu = families.start_means(self.family, self.y, self.w)
        eta = np.array([families.link_of(self.link, float(m)) for m in mu])
        mean = families.MEANS[self.link](eta)
        working, _, _ = self._working(mean)
        # SECURITY: the weights of a step say on how many records its sums rest.
        disclosure.check_effective(working, self.records.station.floors)
        check_weighted(columns, working, self.records.station.floors)
        check_joint_weights(self.records.joint, working, self.records.station.floors)
        wanted = eta - self.records.offset + (self.y - mu) / mean.first
        return {
            "score": (columns.T @ (working * wanted)).tolist(),
            "info": triangle(columns.T @ (working[:, None] * columns)),
        }

    def sums(self, columns: Array, mean: families.Mean) -> dict[str, Any]:
        mu, y, w, family = mean.mu, self.y, self.w, self.family
        working, score, observed = self._working(mean)
        value, _ = families.variance(family, mu, self.theta)
        self._check_weights(mean, working, value)
        check_weighted(columns, working, self.records.station.floors)
        check_joint_weights(self.records.joint, working, self.records.station.floors)
        ok: dict[str, Any] = {
            "score": (columns.T @ score).tolist(),
            "info": triangle(columns.T @ (working[:, None] * columns)),
            "deviance": total_of(families.deviance(family, y, mu, w, self.theta)),
            "loglik": total_of(families.log_likelihood(family, y, mu, w, self.theta)),
        }
        if family in families.WITH_DISPERSION:
            ok["pearson"] = total_of(w * (y - mu) ** 2 / value)
        if (family, self.link) not in families.CANONICAL:
            ok["observed"] = triangle(columns.T @ (observed[:, None] * columns))
        if family == "gamma":
            ok["gamma"] = {
                "log_y": total_of(w * np.log(y)),
                "log_mu": total_of(w * np.log(mu)),
                "ratio": total_of(w * y / mu),
                "w": total_of(w),
            }
        if self.finds_theta:
            disclosure.check_effective(w / mu, self.records.station.floors)
            ok["ratio2"] = total_of(w * (y / mu - 1) ** 2)
        if family == "negative_binomial":
            ok["theta"] = self._shape(columns, mu)
        return ok

    def _check_weights(self, mean: families.Mean, working: Array, value: Array) -> None:
        """Refuse a step whose sums rest on few records.

        SECURITY: a chosen beta would put all weight of the information on one record, or, where
        weights stay even (saturated means of a binomial, tiny ones of gamma with link log), the
        multiplier of the outcome or of the mean in the score; or of the residuals of gamma.
        """
        slope = self.w * np.abs(mean.first) / value
        multipliers = [working, slope, slope * np.abs(mean.mu)]
        if self.family == "binomial":
            multipliers.append(slope * (1 - mean.mu))
        if self.family == "gamma":
            multipliers.append(self.w / value)
        for multiplier in multipliers:
            disclosure.check_effective(multiplier, self.records.station.floors)

    def _shape(self, columns: Array, mu: Array) -> dict[str, Any]:
        from scipy.special import polygamma, psi

        y, w, theta = self.y, self.w, self.theta
        assert theta is not None  # noqa: S101 - the family has one
        total = theta + mu
        score = psi(theta + y) - psi(theta) + np.log(theta / total) + 1 - (y + theta) / total
        curve = polygamma(1, theta) - polygamma(1, theta + y) - 1 / theta
        curve = curve + 2 / total - (y + theta) / total**2
        return {
            "score": total_of(w * score),
            "info": total_of(w * curve),
            "cross": (-(columns.T @ (w * (y - mu) * mu / total**2))).tolist(),
        }

    def null(self, constant: float) -> list[float | None]:
        """Return score, information and deviance of the model of the constant alone."""
        eta = constant + self.records.offset
        mean = families.MEANS[self.link](eta)
        if not families.is_valid(self.family, mean, eta):
            return [None, None, None]
        working, score, _ = self._working(mean)
        value, _ = families.variance(self.family, mean.mu, self.theta)
        self._check_weights(mean, working, value)
        deviance = families.deviance(self.family, self.y, mean.mu, self.w, self.theta)
        return [total_of(score), total_of(working), total_of(deviance)]
