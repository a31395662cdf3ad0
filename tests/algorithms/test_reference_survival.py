"""Cox models, survival curves and log-rank tests give the published numbers."""

from typing import Any

import pytest

from tests.algorithms.federation import Federation, federation
from tests.algorithms.reference import CASES, assert_close
from tests.algorithms.tables import table
from tests.algorithms.test_reference_models import coefficients
from vantage6.algorithms.survival.central import cox, kaplan_meier

_ROSSI = {
    "time": "week",
    "event": "arrest",
    "formula": "fin + age + race + wexp + mar + paro + prio",
}
_LARYNX = {"time": "time", "event": "death", "formula": "Stage_II + Stage_III + Stage_IV + age"}
_LUNG = {"time": "time", "event": "status", "formula": "age + sex + ph_ecog"}
_ONE = {"time": "t", "event": "status", "formula": "Rx"}
_TWO = {"time": "t", "event": "status", "formula": "Rx + logWBC"}
COX: dict[str, tuple[str, dict[str, Any]]] = {
    "rossi_efron": ("rossi", _ROSSI),
    "rossi_breslow": ("rossi", {**_ROSSI, "ties": "breslow"}),
    "leukemia_breslow_1": ("leukemia", {**_ONE, "ties": "breslow"}),
    "leukemia_breslow_2": ("leukemia", {**_TWO, "ties": "breslow"}),
    "leukemia_efron_1": ("leukemia", _ONE),
    "leukemia_efron_2": ("leukemia", _TWO),
    "larynx_breslow": ("larynx", {**_LARYNX, "ties": "breslow"}),
    "larynx_efron": ("larynx", _LARYNX),
    "lung227": ("lung", _LUNG),
    "gbsg2": (
        "gbsg2",
        {
            "time": "time",
            "event": "cens",
            "formula": "horTh + age + menostat + tsize + tgrade + pnodes + progrec + estrec",
        },
    ),
    "actg_cox": (
        "actg",
        {
            "time": "days",
            "event": "cens",
            "formula": "arm + age + wtkg + cd40 + karnof + gender",
        },
    ),
}
CURVES: dict[str, tuple[str, dict[str, Any], list[float]]] = {
    "leukemia_km": ("leukemia", {"time": "t", "event": "status", "group": "Rx"}, [6, 10, 23]),
    "lung_km": ("lung", {"time": "time", "event": "status", "group": "sex"}, [180, 365, 730]),
    "lung_km_grid30": (
        "lung",
        {
            "time": "time",
            "event": "status",
            "group": "sex",
            "method": "grid",
            "times": [30.0 * i for i in range(1, 36)],
        },
        [180, 360, 720],
    ),
    "gbsg2_km": ("gbsg2", {"time": "time", "event": "cens", "group": "horTh"}, [365, 1000, 2000]),
    "gbsg2_km_all": ("gbsg2", {"time": "time", "event": "cens"}, [365, 1000, 2000]),
    "waltons_km": ("waltons", {"time": "T", "event": "E", "group": "group"}, [20, 50, 60]),
}
LARGE = ("gbsg2", "actg_cox")
TOLERANCES = {"coef": 1e-11, "se": 1e-10}
both = pytest.mark.parametrize("sites", [3, 18])


def cox_values(answer: dict[str, Any]) -> dict[str, float]:
    result = answer["result"]
    return {
        **coefficients(answer),
        "loglik": result["log_likelihood"]["model"],
        "loglik0": result["log_likelihood"]["null"],
        "score": result["score"]["statistic"],
        "wald": result["wald"]["statistic"],
        "lr": result["likelihood_ratio"]["statistic"],
        "n": result["n"],
        "events": result["events"],
    }


def curve_values(answer: dict[str, Any], at: list[float]) -> dict[str, float]:
    found: dict[str, Any] = {}
    for curve in answer["result"]["curves"]:
        tail = "" if curve["level"] is None else f".{curve['level']}"
        found[f"median{tail}"] = curve["median"]["estimate"]
        found[f"lower{tail}"] = curve["median"]["lower"]
        found[f"upper{tail}"] = curve["median"]["upper"]
        rows = curve["rows"]
        for t in at:
            place = rows["time"].index(t)
            end = f"{tail}.{t:g}"
            found[f"S{end}"] = rows["survival"][place]
            found[f"se{end}"] = rows["standard_error"][place]
            found[f"lo{end}"] = rows["lower"][place]
            found[f"hi{end}"] = rows["upper"][place]
    for test in answer["result"]["tests"]:
        found[{"log_rank": "logrank", "peto": "peto"}[test["name"]]] = test["statistic"]
    return found


def by_hospital() -> Federation:
    lung = table("lung").dropna(subset=["inst"])
    shares = {}
    for number, (_, share) in enumerate(lung.groupby("inst"), 1):
        shares[number] = {name: share[name].to_numpy() for name in share}
    return Federation(shares)


@pytest.mark.parametrize(
    ("case", "sites"),
    [
        # Sums over risk sets of many times, from many sites, as JSON.
        pytest.param(case, sites, marks=[pytest.mark.slow] if sites == 18 and case in LARGE else [])
        for case in COX
        for sites in (3, 18)
    ],
)
def test_cox_models_equal_the_published_ones(case: str, sites: int):
    name, arguments = COX[case]
    answer = cox(federation(table(name), sites), baseline="pooled", **arguments)
    assert answer["converged"]
    assert_close(case, cox_values(answer), TOLERANCES, 1e-12)
    assert answer["rounds"] == CASES[case]["rounds"]


@pytest.mark.parametrize("case", ["lung226_strata", "lung226_strata_breslow"])
def test_cox_models_stratified_by_hospital_equal_the_published_ones(case: str):
    ties = "breslow" if case.endswith("breslow") else "efron"
    answer = cox(by_hospital(), ties=ties, **_LUNG)
    assert answer["organizations"]["used"] == list(range(1, 19))
    assert_close(case, cox_values(answer), TOLERANCES, 1e-12)
    assert answer["rounds"] == CASES[case]["rounds"]


@both
@pytest.mark.parametrize("case", CURVES)
def test_survival_curves_equal_the_published_ones(case: str, sites: int):
    name, arguments, at = CURVES[case]
    options = {"method": "exact", "test_scope": "pooled", **arguments}
    answer = kaplan_meier(federation(table(name), sites), at=at, **options)
    exact = {"S": 0.0, "median": 0.0, "lower": 0.0, "upper": 0.0}
    assert_close(case, curve_values(answer, at), exact, 1e-12)
    assert answer["result"]["estimator"] == "kaplan_meier"
    assert answer["rounds"] == CASES[case]["rounds"]


def test_log_rank_tests_stratified_by_hospital_equal_the_published_ones():
    answer = kaplan_meier(by_hospital(), time="time", event="status", group="sex", method="none")
    assert_close("lung_logrank_inst", curve_values(answer, []), {}, 1e-12)
    assert answer["rounds"] == 2
