"""The generalized linear model: one round of sums for each Newton step."""

import math
from typing import Any

from vantage6.algorithms.glm.fit import Fit
from vantage6.algorithms.glm.linear import linear_model
from vantage6.algorithms.statistics.analysis import Analysis, Sites, central
from vantage6.algorithms.statistics.annotations import (
    Count,
    Formula,
    Iterations,
    Level,
    NumericColumn,
    Organizations,
    Weights,
)
from vantage6.algorithms.statistics.arguments import (
    bad,
    check_confidence,
    check_iterations,
    check_name,
    is_number,
)
from vantage6.algorithms.statistics.coefficients import (
    add_ratios,
    coefficient_table,
    finite,
    matrix_rows,
)
from vantage6.algorithms.statistics.models.families import (
    WITH_DISPERSION,
    Family,
    Link,
    check_link,
)
from vantage6.algorithms.statistics.models.preparation import Preparation
from vantage6.algorithms.statistics.sentences import stop

__all__ = ["glm", "linear_model"]


#: What the exponential of a coefficient is.
_RATIOS = {
    ("binomial", "logit"): "odds_ratio",
    ("binomial", "log"): "risk_ratio",
    ("poisson", "log"): "rate_ratio",
    ("negative_binomial", "log"): "rate_ratio",
}


@central
def glm(
    sites: Sites,
    *,
    formula: Formula,
    family: Family,
    link: Link | None = None,
    offset: NumericColumn | None = None,
    weights: Weights | None = None,
    theta: float | None = None,
    max_iterations: Iterations = 25,
    tolerance: float = 1e-10,
    start: dict[str, float] | None = None,
    levels: dict[str, list[Any]] | None = None,
    organization_ids: Organizations | None = None,
    min_organizations: Count | None = None,
    confidence: Level = 0.95,
) -> dict[str, Any]:
    """Fit a generalized linear model by maximum likelihood over all organizations.

    Parameters
    ----------
    sites
        The organizations.
    formula
        ``outcome ~ terms`` in Wilkinson notation.
    family
        Distribution of the outcome.
    link
        ``gaussian``: identity, log, inverse. ``binomial``: logit, probit, cloglog, log.
        ``poisson``: log, identity, sqrt. ``gamma``: inverse, log, identity.
        ``negative_binomial``: log. The first one is the default.
    offset
        Column that is added to the linear predictor.
    weights
        Column of prior weights, as in R; binomial: the outcome is a share, the weight its trials.
    theta
        Shape of a negative binomial, μ + μ²/θ; estimated if not given.
    max_iterations
        Most rounds of steps, from 1 to 50.
    tolerance
        The rounds end when Newton's step is at most so many standard errors.
    start
        Term -> coefficient to start from.
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
        Under ``result``: ``coefficients`` (z; t where a dispersion is estimated; with
        ``odds_ratio``, ``risk_ratio`` or ``rate_ratio`` and its limits where they are logarithms of
        it), ``covariance``, ``family``, ``link``, ``dispersion``, ``deviance``, ``null_deviance``,
        ``df_residual``, ``df_null``, ``log_likelihood``, ``aic``, ``theta``, ``n``, ``levels``,
        ``reference``.

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
    fit = Fit(analysis, prepared, family, link, offset is not None, theta, tolerance)
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


def _log_likelihood(fit: Fit) -> float:
    """Return the log-likelihood as R counts it."""
    from scipy.special import gammaln

    sums, n = fit.sums, fit.sums["n"]
    if fit.family == "gaussian":
        if not sums["deviance"] > 0:
            return math.nan
        spread = n * (math.log(2 * math.pi * sums["deviance"] / n) + 1)
        return float(0.5 * (sums["loglik"] - spread))
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


def _result(prepared: Preparation, fit: Fit, confidence: float) -> dict[str, Any]:
    if not fit.sums:
        raise stop("start_not_found")
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
    table = coefficient_table(
        prepared.design.names,
        prepared.coefficients(fit.final),
        covariance,
        dropped,
        confidence=confidence,
        degrees=degrees if has_dispersion else None,
    )
    if ratio := _RATIOS.get((fit.family, fit.link)):
        add_ratios(table, ratio)
    return {
        "coefficients": table,
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
