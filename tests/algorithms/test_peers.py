"""Families and links without a published case give what statsmodels gives for the pooled data."""

import warnings
from typing import Any

import numpy as np
import pytest

from tests.algorithms.federation import federation
from tests.algorithms.test_models import people
from tests.services import missing
from vantage6.algorithms.glm.central import glm, linear_model

FITS = [
    ("positive", "gaussian", "identity"),
    ("positive", "gaussian", "log"),
    ("positive", "gaussian", "inverse"),
    ("yes", "binomial", "cloglog"),
    ("count", "poisson", "identity"),
    ("count", "poisson", "sqrt"),
    ("positive", "gamma", "log"),
    ("positive", "gamma", "identity"),
    ("count", "negative_binomial", "log"),
]


@pytest.fixture(scope="module")
def statsmodels() -> Any:
    try:
        import statsmodels.api
    except ImportError:
        missing("statsmodels is not installed")
    return statsmodels.api


def table() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return a table, and the columns of its model."""
    found = people(300)
    found["w"] = found["w"] + 1
    coded = [(found["g"] == level).astype(float) for level in "bc"]
    return found, np.column_stack([np.ones(300), found["x"], *coded])


@pytest.mark.slow
@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize(("outcome", "family", "link"), FITS)
def test_each_link_gives_the_pooled_fit(
    statsmodels: Any, outcome: str, family: str, link: str, weights: str | None
):
    data, columns = table()
    theta = 2.0 if family == "negative_binomial" else None
    answer = glm(
        federation(data, 4),
        formula=f"{outcome} ~ x + g",
        family=family,
        link=link,
        weights=weights,
        theta=theta,
    )
    result = answer["result"]
    estimates = np.array([row["estimate"] for row in result["coefficients"]])
    errors = np.array([row["standard_error"] for row in result["coefficients"]])
    families = statsmodels.families
    links = {
        "identity": families.links.Identity,
        "log": families.links.Log,
        "inverse": families.links.InversePower,
        "cloglog": families.links.CLogLog,
        "sqrt": families.links.Sqrt,
    }
    names = {
        "gaussian": families.Gaussian,
        "binomial": families.Binomial,
        "poisson": families.Poisson,
        "gamma": families.Gamma,
        "negative_binomial": families.NegativeBinomial,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chosen = {"alpha": 1 / theta} if theta else {}
        peer = statsmodels.GLM(
            data[outcome],
            columns,
            family=names[family](links[link](), **chosen),
            var_weights=data["w"] if weights else None,
        ).fit(tol=1e-14, maxiter=200, tol_criterion="params", start_params=estimates)
    assert answer["converged"]
    assert np.max(np.abs(estimates - peer.params) / peer.bse) < 1e-11
    assert np.max(np.abs(errors / peer.bse - 1)) < 1e-10
    assert result["deviance"] == pytest.approx(peer.deviance, rel=1e-12)
    assert result["null_deviance"] == pytest.approx(peer.null_deviance, rel=1e-12)


@pytest.mark.slow
def test_weighted_least_squares_give_the_pooled_fit(statsmodels: Any):
    data, columns = table()
    peer = statsmodels.WLS(data["y"], columns, weights=data["w"]).fit()
    result = linear_model(federation(data, 4), formula="y ~ x + g", weights="w")["result"]
    assert result["r_squared"] == pytest.approx(peer.rsquared, rel=1e-12)
    assert result["adjusted_r_squared"] == pytest.approx(peer.rsquared_adj, rel=1e-12)
    assert result["f"]["statistic"] == pytest.approx(peer.fvalue, rel=1e-12)
    assert result["log_likelihood"] == pytest.approx(peer.llf, rel=1e-12)
    covariance = np.array(result["covariance"])
    assert np.max(np.abs(covariance / peer.cov_params() - 1)) < 1e-10
