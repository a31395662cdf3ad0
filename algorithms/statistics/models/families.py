"""Families and links of generalized linear models (McCullagh & Nelder 1989, chapter 2).

Arrays in, arrays out; constants and starts are those of R's `glm`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vantage6.algorithms.statistics.arguments import bad
from vantage6.algorithms.statistics.sentences import Refused
from vantage6.algorithms.statistics.sums import Array

Family = Literal["gaussian", "binomial", "poisson", "gamma", "negative_binomial"]
Link = Literal["identity", "log", "inverse", "logit", "probit", "cloglog", "sqrt"]
#: The links of each family; the first is the default.
LINKS: dict[str, tuple[Link, ...]] = {
    "gaussian": ("identity", "log", "inverse"),
    "binomial": ("logit", "probit", "cloglog", "log"),
    "poisson": ("log", "identity", "sqrt"),
    "gamma": ("inverse", "log", "identity"),
    "negative_binomial": ("log",),
}
#: Links for which observed and expected information are equal.
CANONICAL = {
    ("gaussian", "identity"),
    ("binomial", "logit"),
    ("poisson", "log"),
    ("gamma", "inverse"),
}
#: Families whose dispersion is estimated.
WITH_DISPERSION = ("gaussian", "gamma")
#: Means of a binomial stay this far from 0 and 1, as in R.
EPSILON = 2.0**-52


def check_link(family: object, link: object | None) -> Link:
    """Return the link to use.

    Raises
    ------
    Refused
        There is no such family, or the link does not go with it.
    """
    if not isinstance(family, str) or family not in LINKS:
        raise bad(f"family is one of: {', '.join(LINKS)}.")
    links = LINKS[family]
    if link is None:
        return links[0]
    for known in links:
        if known == link:
            return known
    raise bad(
        f"link '{link}' does not go with the family '{family}'; "
        f"links of {family}: {', '.join(links)}."
    )


def check_outcome(family: str, y: Array) -> None:
    """Refuse an outcome that the family cannot have."""
    check_link(family, None)
    is_inside = {
        "gaussian": True,
        "binomial": bool(np.all((y >= 0) & (y <= 1))),
        "poisson": bool(np.all(y >= 0)),
        "gamma": bool(np.all(y > 0)),
        "negative_binomial": bool(np.all(y >= 0)),
    }[family]
    if not is_inside:
        said = {
            "binomial": "A binomial outcome lies between 0 and 1.",
            "poisson": "A Poisson outcome is 0 or more.",
            "gamma": "A gamma outcome is above 0.",
            "negative_binomial": "A negative binomial outcome is 0 or more.",
        }[family]
        raise Refused("outcome_out_of_range", sentence=said)


@dataclass(frozen=True)
class Mean:
    """Mean of each record and its derivatives in the linear predictor."""

    mu: Array
    first: Array
    second: Array


def _logit(eta: Array) -> Mean:
    small = np.exp(-np.abs(eta))
    mu = np.where(eta >= 0, 1 / (1 + small), small / (1 + small))
    first = small / (1 + small) ** 2
    return _clamped(mu, first, first * np.where(eta >= 0, small - 1, 1 - small) / (1 + small))


def _probit(eta: Array) -> Mean:
    from scipy.special import ndtr

    first = np.exp(-0.5 * eta**2) / np.sqrt(2 * np.pi)
    return _clamped(ndtr(eta), first, -eta * first)


def _cloglog(eta: Array) -> Mean:
    hazard = np.exp(np.minimum(eta, 700.0))
    first = hazard * np.exp(-hazard)
    return _clamped(-np.expm1(-hazard), first, first * (1 - hazard))


def _clamped(mu: Array, first: Array, second: Array) -> Mean:
    # Without it, nearly separated data stall in halvings.
    return Mean(np.clip(mu, EPSILON, 1 - EPSILON), np.maximum(first, EPSILON), second)


def _log(eta: Array) -> Mean:
    mu = np.exp(eta)
    return Mean(mu, mu, mu)


def _inverse(eta: Array) -> Mean:
    return Mean(1 / eta, -1 / eta**2, 2 / eta**3)


MEANS: dict[str, Callable[[Array], Mean]] = {
    "identity": lambda eta: Mean(eta, np.ones_like(eta), np.zeros_like(eta)),
    "log": _log,
    "inverse": _inverse,
    "logit": _logit,
    "probit": _probit,
    "cloglog": _cloglog,
    "sqrt": lambda eta: Mean(eta**2, 2 * eta, np.full_like(eta, 2.0)),
}


def link_of(link: str, mu: float) -> float:
    """Return the linear predictor of a mean."""
    from scipy.special import ndtri

    functions: dict[str, Callable[[float], float]] = {
        "identity": lambda m: m,
        "log": np.log,
        "inverse": lambda m: 1 / m,
        "logit": lambda m: np.log(m / (1 - m)),
        "probit": ndtri,
        "cloglog": lambda m: np.log(-np.log1p(-m)),
        "sqrt": np.sqrt,
    }
    return float(functions[link](mu))


def is_valid(family: str, mean: Mean, eta: Array) -> bool:
    """Tell whether all means lie where the family has any."""
    mu = mean.mu
    if not (
        np.all(np.isfinite(mu)) and np.all(np.isfinite(mean.first)) and np.all(np.isfinite(eta))
    ):
        return False
    if family == "binomial":
        return bool(np.all((mu > 0) & (mu < 1)))
    return family == "gaussian" or bool(np.all(mu > 0))


def variance(family: str, mu: Array, theta: float | None) -> tuple[Array, Array]:
    """Return the variance function and its derivative."""
    if family == "gaussian":
        return np.ones_like(mu), np.zeros_like(mu)
    if family == "binomial":
        return mu * (1 - mu), 1 - 2 * mu
    if family == "poisson":
        return mu, np.ones_like(mu)
    if family == "gamma":
        return mu**2, 2 * mu
    assert theta is not None  # noqa: S101 - the caller checked it
    return mu + mu**2 / theta, 1 + 2 * mu / theta


def _y_log(y: Array, ratio: Array) -> Array:
    """Return y·log(ratio), 0 where y is 0."""
    return np.where(y == 0, 0.0, y * np.log(np.where(y == 0, 1.0, ratio)))


def deviance(family: str, y: Array, mu: Array, w: Array, theta: float | None) -> Array:
    """Return the share of each record in the deviance."""
    if family == "gaussian":
        return w * (y - mu) ** 2
    if family == "binomial":
        return 2 * w * (_y_log(y, y / mu) + _y_log(1 - y, (1 - y) / (1 - mu)))
    if family == "poisson":
        return 2 * w * (_y_log(y, y / mu) - (y - mu))
    if family == "gamma":
        return -2 * w * (np.log(y / mu) - (y - mu) / mu)
    assert theta is not None  # noqa: S101 - the caller checked it
    return 2 * w * (_y_log(y, y / mu) - (y + theta) * np.log((y + theta) / (mu + theta)))


def log_likelihood(family: str, y: Array, mu: Array, w: Array, theta: float | None) -> Array:
    """Return the share of each record in the log-likelihood; gaussian and gamma: log w."""
    from scipy.special import gammaln

    if family == "binomial":
        # As R: weights are numbers of trials; a fraction of a trial is rounded.
        trials = np.round(w)
        count = np.round(w * y)
        choose = gammaln(trials + 1) - gammaln(count + 1) - gammaln(trials - count + 1)
        terms = choose + _y_log(count, mu) + _y_log(trials - count, 1 - mu)
        return np.asarray(np.where(trials > 0, terms, 0.0))
    if family == "poisson":
        return np.asarray(w * (_y_log(y, mu) - mu - gammaln(y + 1)))
    if family == "negative_binomial":
        assert theta is not None  # noqa: S101 - the caller checked it
        constant = gammaln(theta + y) - gammaln(theta) - gammaln(y + 1)
        terms = constant + theta * np.log(theta / (theta + mu)) + _y_log(y, mu / (mu + theta))
        return np.asarray(w * terms)
    return np.asarray(np.log(w))


def start_means(family: str, y: Array, w: Array) -> Array:
    """Return R's `mustart`: means near the outcome, valid in the family."""
    if family == "binomial":
        return (w * y + 0.5) / (w + 1)
    if family == "poisson":
        return y + 0.1
    if family == "negative_binomial":
        return np.asarray(y + (y == 0) / 6)
    return np.array(y, dtype=np.float64)
