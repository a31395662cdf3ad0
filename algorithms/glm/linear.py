"""The linear model: two rounds of sums, a third where columns or fit are close to degenerate."""

import math
from typing import Any

import numpy as np

from vantage6.algorithms.statistics.analysis import Analysis, Sites, central
from vantage6.algorithms.statistics.annotations import Count, Formula, Level, Organizations, Weights
from vantage6.algorithms.statistics.arguments import check_confidence, check_name
from vantage6.algorithms.statistics.coefficients import coefficient_table, finite, matrix_rows
from vantage6.algorithms.statistics.models.preparation import Preparation
from vantage6.algorithms.statistics.models.whitening import cholesky, invert_upper
from vantage6.algorithms.statistics.sums import Array, add, square, total

#: Largest variance inflation, or ratio of total to residual squares, that two rounds suffice for.
INFLATED = 30


class _Fit:
    """Least squares from cross-products of centred columns and outcome."""

    def __init__(self, prepared: Preparation, cross: list[float]) -> None:
        joined = square(cross)
        self.cross, self.right, self.squares = joined[:-1, :-1], joined[:-1, -1], joined[-1, -1]
        rows, columns = np.triu_indices(len(self.cross))
        self.whitening = prepared.whiten(self.cross[rows, columns].tolist())
        self.basis = self.whitening.basis
        fitted = self.basis.T @ self.right
        self.beta: Array = self.basis @ fitted
        self.residual = max(0.0, float(self.squares - fitted @ fitted))
        self._intercept = prepared.design.intercept

    def refine(self, cross: list[float]) -> None:
        """Correct the fit by the sums of its own coordinates and residuals."""
        joined = square(cross)
        factor = cholesky(joined[:-1, :-1])
        if factor is None:
            return
        inverse = invert_upper(factor)
        step = inverse.T @ joined[:-1, -1]
        self.basis = self.basis @ inverse
        self.beta = self.beta + self.basis @ step
        self.residual = max(0.0, float(joined[-1, -1] - step @ step))

    def inflation(self) -> float:
        """Return the largest variance inflation factor of the columns that stay."""
        swept = np.diag(self.cross).copy()
        first = self._intercept
        if first is not None:
            swept = swept - self.cross[first] ** 2 / self.cross[first, first]
        kept = [j for j in self.whitening.kept if j != first]
        variances = (self.basis**2).sum(axis=1)
        return float((variances[kept] * swept[kept]).max(initial=1.0))


@central
def linear_model(
    sites: Sites,
    *,
    formula: Formula,
    weights: Weights | None = None,
    levels: dict[str, list[Any]] | None = None,
    organization_ids: Organizations | None = None,
    min_organizations: Count | None = None,
    confidence: Level = 0.95,
) -> dict[str, Any]:
    """Fit a linear model by least squares over all organizations.

    Parameters
    ----------
    sites
        The organizations.
    formula
        ``outcome ~ terms`` in Wilkinson notation.
    weights
        Column of weights, not negative.
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
        Under ``result``: ``coefficients`` with t statistics, ``covariance``, ``sigma``,
        ``r_squared``, ``adjusted_r_squared``, ``f``, ``df_residual``, ``log_likelihood``, ``aic``,
        ``bic``, ``n``, ``levels``, ``reference``, ``largest_vif``.

    Notes
    -----
    Normal equations of columns centred at pooled means, with a second pass in whitened
    coordinates: CholeskyQR2 (Yamamoto, Nakatsukasa, Yanagisawa & Fukaya 2015).
    """
    check_confidence(confidence)
    check_name("weights", weights, optional=True)
    analysis = Analysis("linear_model", sites, organization_ids, min_organizations)
    prepared = Preparation(analysis, formula=formula, weights=weights, levels=levels)
    centre = 0.0
    if prepared.has_constant:
        centre = total(part["y"] for part in prepared.parts.values()) / prepared.n
    shared: dict[str, Any] = {"formula": formula, "weights": weights, "y_centre": centre}
    shared |= prepared.arguments
    first = analysis.ask("linear_sums", **shared, basis=None, beta=None)
    prepared.check_sizes(first)
    is_current = False
    while not is_current:
        # An organization that left after the first sums takes its sums along.
        sums = add([first[organization] for organization in analysis.used])
        fit = _Fit(prepared, sums["cross"])
        totals = _totals(prepared, fit, centre)
        vif = fit.inflation()
        if fit.residual > 0 and max(vif, totals / fit.residual) <= INFLATED:
            break
        basis, beta = fit.basis.tolist(), fit.beta.tolist()
        parts = analysis.ask("linear_sums", **shared, basis=basis, beta=beta)
        is_current = add([part["n"] for part in parts.values()]) == sums["n"]
        if is_current:
            fit.refine(add([part["cross"] for part in parts.values()]))
    for organization in analysis.used:
        analysis.count(organization, analysis.records[organization][0], first[organization]["n"])
    result = _result(analysis, prepared, fit, sums, totals, centre, confidence)
    result["largest_vif"] = finite(vif)
    return analysis.answer(result)


def _totals(prepared: Preparation, fit: _Fit, centre: float) -> float:
    """Return the total sum of squares: about the mean if there is an intercept (as R)."""
    intercept = prepared.design.intercept
    if intercept is not None:
        return float(fit.squares - fit.right[intercept] ** 2 / fit.cross[intercept, intercept])
    one = prepared.constant()
    return math.fsum(
        [fit.squares, 2 * centre * float(one @ fit.right), centre**2 * float(one @ fit.cross @ one)]
    )


def _result(
    analysis: Analysis,
    prepared: Preparation,
    fit: _Fit,
    sums: dict[str, Any],
    totals: float,
    centre: float,
    confidence: float,
) -> dict[str, Any]:
    from scipy.stats import f as f_distribution

    n, rank = sums["n"], fit.basis.shape[1]
    has_intercept = prepared.design.intercept is not None
    residual = fit.residual if fit.residual > 1e-28 * totals else 0.0
    if residual == 0:
        analysis.warn("perfect_fit")
    degrees = n - rank
    sigma2 = residual / degrees if degrees > 0 else math.nan
    estimates = prepared.coefficients(fit.beta) + centre * prepared.constant()
    covariance = prepared.covariance(fit.basis, sigma2)
    dropped = prepared.dropped(fit.whitening)
    explained = rank - has_intercept
    statistic = math.nan
    if residual > 0 and explained > 0 and degrees > 0:
        statistic = (totals - residual) / explained / sigma2
    log_likelihood = math.nan
    if residual > 0:
        spread = n * (math.log(2 * math.pi) + 1 - math.log(n) + math.log(residual))
        log_likelihood = 0.5 * (sums["log_w"] - spread)
    r_squared = 1 - residual / totals if totals > 0 else math.nan
    adjusted = 1 - (1 - r_squared) * (n - has_intercept) / degrees if degrees > 0 else math.nan
    return {
        "coefficients": coefficient_table(
            prepared.design.names,
            estimates,
            covariance,
            dropped,
            confidence=confidence,
            degrees=degrees,
        ),
        "covariance": matrix_rows(covariance, dropped),
        "sigma": finite(math.sqrt(sigma2)),
        "residual_sum_of_squares": residual,
        "r_squared": finite(r_squared),
        "adjusted_r_squared": finite(adjusted),
        "f": {
            "statistic": finite(statistic),
            "df": [int(explained), degrees],
            "p_value": finite(f_distribution.sf(statistic, explained, degrees)),
        },
        "df_residual": degrees,
        "log_likelihood": finite(log_likelihood),
        "aic": finite(-2 * log_likelihood + 2 * (rank + 1)),
        "bic": finite(-2 * log_likelihood + math.log(n) * (rank + 1)),
        "n": n,
        "levels": prepared.levels,
        "reference": prepared.reference,
    }
