"""`meta_analysis`: combine the estimates of organizations, with fixed or random effects."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vantage6.algorithms.meta.partial import check_model
from vantage6.algorithms.statistics.analysis import Analysis, Sites, central
from vantage6.algorithms.statistics.annotations import Count, Level, Organizations
from vantage6.algorithms.statistics.arguments import (
    bad,
    check_choice,
    check_confidence,
    check_names,
    is_number,
)
from vantage6.algorithms.statistics.coefficients import chi_squared_test, quantile, two_sided
from vantage6.algorithms.statistics.sentences import stop

METHODS = ("reml", "dl", "fixed")
#: Random effects of fewer organizations are unsure.
FEW = 5


@dataclass(frozen=True)
class Study:
    """The estimate of one organization, and its variance."""

    organization: int
    estimate: float
    variance: float


class _Listed:
    """Organizations whose estimates are at hand; none is asked."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = list(numbers)

    def organizations(self) -> list[int]:
        return self._numbers

    def ask(
        self, method: str, arguments: dict[str, Any], organization_ids: list[int]
    ) -> Mapping[int, Mapping[str, Any]]:
        del method, arguments, organization_ids
        return {}


@central
def meta_analysis(
    sites: Sites | None = None,
    *,
    model: dict[str, Any] | None = None,
    estimates: list[dict[str, Any]] | None = None,
    terms: list[str] | None = None,
    method: Literal["reml", "dl", "fixed"] = "reml",
    knapp_hartung: bool = False,
    organization_ids: Organizations | None = None,
    min_organizations: Count | None = None,
    confidence: Level = 0.95,
) -> dict[str, Any]:
    """Combine the estimates of organizations.

    Parameters
    ----------
    sites
        The organizations, if a model is fitted.
    model
        ``{"function": "linear_model" | "glm" | "cox", "arguments": {...}}``, fitted by each
        organization to its own records. Name the levels of categorical columns, so that all
        organizations have the same terms.
    estimates
        Instead of it: ``organization``, ``term``, ``estimate`` and ``standard_error`` of each.
    terms
        Which terms; all if none are named.
    method
        ``"reml"``, ``"dl"`` (DerSimonian & Laird), or ``"fixed"``.
    knapp_hartung
        Standard errors and t intervals of Hartung & Knapp.
    organization_ids
        The organizations that take part; without it, all of the collaboration.
    min_organizations
        With how many the analysis goes on if others drop out; without it, all have to answer.
    confidence
        Level of the intervals, from 0.5 to 0.999.

    Returns
    -------
    dict
        Under ``result``: ``method`` and ``effects``: for each term ``k``, ``estimate``,
        ``standard_error``, ``statistic``, ``p_value``, ``lower``, ``upper``, ``tau_squared``,
        ``i_squared``, ``h_squared``, ``prediction``, ``q`` and ``sites`` with weights.

    Notes
    -----
    Cochran 1954; DerSimonian & Laird 1986; Viechtbauer 2005 (REML); Higgins & Thompson 2002;
    Hartung & Knapp 2001.
    """
    check_confidence(confidence)
    check_choice("method", method, METHODS)
    if not isinstance(knapp_hartung, bool):
        raise bad("knapp_hartung is true or false.")
    wanted = None if terms is None else check_names("terms", terms)
    if (model is None) == (estimates is None):
        raise bad("either model or estimates is given.")
    if estimates is not None:
        studies = _given(estimates)
        numbers = sorted({study.organization for found in studies.values() for study in found})
        analysis = Analysis("meta_analysis", _Listed(numbers), None, None)
    else:
        if sites is None:
            raise bad("organizations are needed to fit a model.")
        function, arguments = check_model(model)
        analysis = Analysis("meta_analysis", sites, organization_ids, min_organizations)
        parts = analysis.ask("local_model", function=function, arguments=arguments, terms=terms)
        for organization, part in parts.items():
            analysis.count(organization, part["n"], part["n"])
        studies = _fitted(parts)
    if wanted is not None:
        studies = {term: studies[term] for term in wanted if term in studies}
    effects = []
    for term, found in studies.items():
        known = {study.organization for study in found}
        for organization in analysis.used:
            if organization not in known:
                analysis.warn("term_absent", term=term, organization=organization)
        if method != "fixed" and len(found) < 2:
            raise bad(f"method '{method}' needs at least two organizations.")
        if method != "fixed" and len(found) < FEW:
            analysis.warn("few_studies", k=len(found))
        effects.append({"term": term, **combine(found, method, knapp_hartung, confidence)})
    if not effects:
        raise stop("no_records")
    return analysis.answer({"method": method, "effects": effects})


def _given(estimates: Any) -> dict[str, list[Study]]:
    fields = {"organization", "term", "estimate", "standard_error"}
    said = "estimates gives organization, term, estimate and standard_error of each."
    if not isinstance(estimates, list) or not estimates:
        raise bad(said)
    found: dict[str, list[Study]] = {}
    for one in estimates:
        if not isinstance(one, Mapping) or set(one) != fields:
            raise bad(said)
        estimate, error = one["estimate"], one["standard_error"]
        if not is_number(estimate) or not is_number(error) or error <= 0:
            raise bad("a standard_error is above 0, and an estimate is a number.")
        studies = found.setdefault(str(one["term"]), [])
        if any(study.organization == one["organization"] for study in studies):
            raise bad("an organization has one estimate of each term.")
        studies.append(Study(one["organization"], estimate, error**2))
    return {
        term: sorted(studies, key=lambda study: study.organization)
        for term, studies in found.items()
    }


def _fitted(parts: Mapping[int, Mapping[str, Any]]) -> dict[str, list[Study]]:
    found: dict[str, list[Study]] = {}
    for organization, part in parts.items():
        for term, row in part["terms"].items():
            if row["standard_error"]:
                study = Study(organization, row["estimate"], row["standard_error"] ** 2)
                found.setdefault(term, []).append(study)
    return found


def combine(
    studies: Sequence[Study], method: str, knapp_hartung: bool, confidence: float
) -> dict[str, Any]:
    """Return the combined effect of studies, and how they differ."""
    k = len(studies)
    y = [study.estimate for study in studies]
    plain = [1 / study.variance for study in studies]
    whole = math.fsum(plain)
    fixed = math.fsum(w * e for w, e in zip(plain, y, strict=True)) / whole
    q = math.fsum(w * (e - fixed) ** 2 for w, e in zip(plain, y, strict=True))
    scale = whole - math.fsum(w * w for w in plain) / whole
    typical = (k - 1) / scale if scale > 0 else math.nan
    tau = 0.0
    if method == "dl":
        tau = max(0.0, (q - (k - 1)) / scale)
    elif method == "reml":
        tau = reml(y, [study.variance for study in studies])
    weights = [1 / (study.variance + tau) for study in studies]
    total = math.fsum(weights)
    estimate = math.fsum(w * e for w, e in zip(weights, y, strict=True)) / total
    error, degrees = 1 / math.sqrt(total), None
    if knapp_hartung and k > 1:
        spread = math.fsum(w * (e - estimate) ** 2 for w, e in zip(weights, y, strict=True))
        error, degrees = math.sqrt(spread / (k - 1) / total), float(k - 1)
    reach = quantile(confidence, degrees)
    if method == "fixed":
        i_squared = max(0.0, (q - (k - 1)) / q) if q > 0 else 0.0
        h_squared = q / (k - 1) if k > 1 else None
    else:
        i_squared, h_squared = tau / (tau + typical), (tau + typical) / typical
    wide = math.sqrt(tau + error**2)
    has_prediction = method != "fixed"
    return {
        "k": k,
        "estimate": estimate,
        "standard_error": error,
        "statistic": estimate / error if error > 0 else None,
        "p_value": two_sided(estimate / error, degrees) if error > 0 else None,
        "lower": estimate - reach * error,
        "upper": estimate + reach * error,
        "tau_squared": tau,
        "i_squared": i_squared,
        "h_squared": h_squared,
        "prediction": {
            "lower": estimate - reach * wide if has_prediction else None,
            "upper": estimate + reach * wide if has_prediction else None,
        },
        "q": chi_squared_test(q, k - 1),
        "sites": [
            {
                "organization": study.organization,
                "estimate": study.estimate,
                "standard_error": math.sqrt(study.variance),
                "weight": w / total,
            }
            for study, w in zip(studies, weights, strict=True)
        ],
    }


def reml(estimates: Sequence[float], variances: Sequence[float]) -> float:
    """Return the variance between studies that maximizes the restricted likelihood.

    The root of Σw²(y - μ)² - Σw + Σw²/Σw (Viechtbauer 2005), found by bracketing to the last bit;
    0 if it is negative at 0.
    """

    def slope(tau: float) -> float:
        weights = [1 / (variance + tau) for variance in variances]
        total = math.fsum(weights)
        mean = math.fsum(w * e for w, e in zip(weights, estimates, strict=True)) / total
        squares = [w * w for w in weights]
        away = [s * (e - mean) ** 2 for s, e in zip(squares, estimates, strict=True)]
        return math.fsum([*away, *(-w for w in weights), math.fsum(squares) / total])

    if slope(0.0) <= 0:
        return 0.0
    low, high = 0.0, max(variances)
    while slope(high) > 0 and high < 1e300:
        low, high = high, 2 * high
    while True:
        middle = low + (high - low) / 2
        if not low < middle < high:
            return high
        if slope(middle) > 0:
            low = middle
        else:
            high = middle
