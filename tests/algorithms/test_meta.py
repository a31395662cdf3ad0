"""Meta-analysis gives the published numbers, from estimates and from models of organizations."""

import json
import math
from typing import Any

import numpy as np
import pytest

from tests.algorithms.federation import Federation, federation, split
from tests.algorithms.reference import CASES, assert_close
from tests.algorithms.test_models import ORDERS, people
from tests.algorithms.test_survival import patients
from vantage6.algorithms.glm.central import glm, linear_model
from vantage6.algorithms.meta.central import meta_analysis
from vantage6.algorithms.statistics.sentences import Stopped
from vantage6.algorithms.survival.central import cox
from vantage6.common.disclosure.floors import Floors

BCG = CASES["bcg_FE"]["input"]
ESTIMATES = [
    {
        "organization": number,
        "term": "log relative risk",
        "estimate": estimate,
        "standard_error": math.sqrt(variance),
    }
    for number, (estimate, variance) in enumerate(
        zip(BCG["estimate"], BCG["variance"], strict=True), 1
    )
]
MODEL = {"function": "linear_model", "arguments": {"formula": "y ~ x"}}


@pytest.mark.parametrize(
    ("case", "method"), [("bcg_FE", "fixed"), ("bcg_DL", "dl"), ("bcg_REML", "reml")]
)
def test_combined_effects_equal_the_published_ones(case: str, method: str):
    answer = meta_analysis(estimates=ESTIMATES, method=method)
    (effect,) = answer["result"]["effects"]
    hartung = meta_analysis(estimates=ESTIMATES, method=method, knapp_hartung=True)
    (knapp,) = hartung["result"]["effects"]
    found = {
        "estimate": effect["estimate"],
        "se": effect["standard_error"],
        "tau2": effect["tau_squared"],
        "Q": effect["q"]["statistic"],
        "I2": effect["i_squared"],
        "H2": effect["h_squared"],
        "ci.1": effect["lower"],
        "ci.2": effect["upper"],
        "se_hk": knapp["standard_error"],
        "ci_hk.1": knapp["lower"],
        "ci_hk.2": knapp["upper"],
        "pi.1": effect["prediction"]["lower"],
        "pi.2": effect["prediction"]["upper"],
    }
    assert_close(case, {k: found[k] for k in CASES[case]["values"]}, {}, 1e-12)
    assert answer["rounds"] == 0


@pytest.mark.parametrize(
    ("fit", "table", "arguments"),
    [
        (linear_model, people(), {"formula": "y ~ x + g", "weights": "w"}),
        (glm, people(), {"formula": "yes ~ x", "family": "binomial"}),
        (glm, people(), {"formula": "positive ~ x", "family": "gamma", "link": "log"}),
        (cox, patients(), {"time": "time", "event": "event", "formula": "age + arm"}),
    ],
)
def test_each_organization_fits_its_own_model(fit: Any, table: Any, arguments: dict[str, Any]):
    model = {"function": fit.__name__, "arguments": arguments}
    shares = split(table, 3)
    answer = meta_analysis(Federation(shares), model=model, method="fixed")
    assert answer["rounds"] == 1
    for effect in answer["result"]["effects"]:
        for site in effect["sites"]:
            alone = fit(Federation({1: shares[site["organization"]]}), **arguments)
            (row,) = [r for r in alone["result"]["coefficients"] if r["term"] == effect["term"]]
            assert site["estimate"] == pytest.approx(row["estimate"], rel=1e-10, abs=1e-12)
            assert site["standard_error"] == pytest.approx(row["standard_error"], rel=1e-9)


def test_sites_in_any_order_give_the_same_bytes():
    shares = split(people(), 5)
    answers = {
        json.dumps(meta_analysis(Federation(shares, order=order), model=MODEL)) for order in ORDERS
    }
    assert len(answers) == 1


def test_a_term_that_an_organization_lacks_counts_for_the_others():
    shares = split(people(120), 3)
    shares[2]["g"][:] = "a"
    model = {"function": "linear_model", "arguments": {"formula": "y ~ x + g"}}
    answer = meta_analysis(Federation(shares), model=model)
    by_term = {effect["term"]: effect["k"] for effect in answer["result"]["effects"]}
    assert by_term["x"] == 3
    assert by_term["g[T.b]"] == 2
    messages = [warning["message"] for warning in answer["warnings"]]
    assert "Term 'g[T.b]' has no estimate at organization 2." in messages
    assert "A random-effects estimate from 2 organizations is unsure; 5 is few." in messages


@pytest.mark.parametrize(
    ("table", "model", "floors", "code", "message"),
    [
        (
            {"x": np.arange(60.0), "y": (np.arange(60.0) > 29).astype(float)},
            {"function": "glm", "arguments": {"formula": "y ~ x", "family": "binomial"}},
            Floors(records=1, cell=1, parameters=None, dominance=None, effective=1),
            "organizations_missing",
            "the outcome is determined by the terms",
        ),
        (people(12), MODEL, Floors(), "organizations_missing", "Fewer than 5 complete records"),
        (people(24), MODEL, Floors(), "organizations_missing", "2 parameters are more than 10 %"),
        (
            people(),
            {"function": "glm", "arguments": {"formula": "y ~ x.y", "family": "gaussian"}},
            Floors(),
            "unknown_column",
            "There is no column 'x.y'.",
        ),
        (
            people(),
            {"function": "glm", "arguments": {"formula": "y ~ I(x.y)", "family": "gaussian"}},
            Floors(),
            "formula_not_allowed",
            "'I(x.y)' cannot be used",
        ),
    ],
)
def test_a_station_that_cannot_fit_says_why(table, model, floors, code, message):
    with pytest.raises(Stopped) as stopped:
        meta_analysis(federation(table, 3, floors=floors), model=model)
    assert stopped.value.code == code
    assert message in stopped.value.message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either model or estimates is given."),
        (
            {"estimates": ESTIMATES[:1], "method": "dl"},
            "method 'dl' needs at least two organizations.",
        ),
        ({"estimates": ESTIMATES, "method": "x"}, "method is 'reml', 'dl' or 'fixed'."),
        (
            {"model": {"function": "os.system", "arguments": {}}},
            "function is one of: linear_model, glm, cox.",
        ),
        (
            {"model": {"function": "cox", "arguments": {"baseline": "pooled"}}},
            "arguments of cox are: time, event, formula, ties, levels.",
        ),
        (
            {"estimates": [{**ESTIMATES[0], "standard_error": 0.0}]},
            "a standard_error is above 0, and an estimate is a number.",
        ),
    ],
)
def test_arguments_that_do_not_fit_end_with_a_sentence(arguments: Any, message: str):
    with pytest.raises(Stopped) as stopped:
        meta_analysis(federation(people(), 3), **arguments)
    assert stopped.value.message == message


def test_no_variance_between_equal_estimates():
    same = [{**one, "estimate": 0.5} for one in ESTIMATES]
    (effect,) = meta_analysis(estimates=same)["result"]["effects"]
    assert effect["tau_squared"] == 0
    assert effect["estimate"] == pytest.approx(0.5, rel=1e-15)
