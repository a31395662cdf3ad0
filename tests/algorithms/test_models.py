"""What linear and generalized linear models promise beyond the published numbers."""

import json
import math
from typing import Any

import numpy as np
import pytest

from tests.algorithms.federation import Federation, federation, split
from vantage6.algorithms.glm.central import glm, linear_model
from vantage6.algorithms.statistics.sentences import Stopped

ORDERS = [[1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [3, 1, 5, 2, 4], [2, 5, 1, 4, 3], [4, 3, 2, 1, 5]]


def people(n: int = 90, seed: int = 7) -> dict[str, np.ndarray]:
    """Return a made-up table with a large column, levels, weights and an offset."""
    random = np.random.default_rng(seed)
    big = 1e9 + random.integers(-50, 51, n)
    group = np.array(["a", "b", "c"])[random.integers(0, 3, n)]
    x = random.normal(size=n)
    y = 3 + 0.5 * x + (big - 1e9) / 25 + (group == "b") + random.normal(size=n)
    return {
        "x": x,
        "Größe µ": random.normal(10, 2, n),
        "big": big.astype(float),
        "g": group.astype(object),
        "Gruppe µ": np.where(group == "b", "ja", "nein").astype(object),
        "µ": x**2,
        "y": y,
        "count": random.poisson(np.exp(0.2 + 0.4 * x)).astype(float),
        "yes": (random.random(n) < 1 / (1 + np.exp(-x))).astype(float),
        "positive": np.exp(0.3 * x + random.normal(0, 0.3, n)),
        "w": random.integers(0, 4, n).astype(float),
        "log_time": random.normal(0, 0.5, n),
    }


FITS: dict[str, tuple[Any, dict[str, Any]]] = {
    "interaction": (linear_model, {"formula": "y ~ x * g + `Größe µ`"}),
    "weights": (linear_model, {"formula": "y ~ x + g", "weights": "w"}),
    "no intercept": (linear_model, {"formula": "y ~ 0 + g + g:x"}),
    "terms": (linear_model, {"formula": "log(positive) ~ I(x ** 2) + sqrt(abs(x)) + I(x > 0)"}),
    "names": (linear_model, {"formula": "y ~ log(`Größe µ`) + I(`Größe µ` ** 2) + `Größe µ`:g"}),
    "names of categories": (linear_model, {"formula": "y ~ C(`Gruppe µ`, contr.sum) + x:µ"}),
    "contrasts": (linear_model, {"formula": "y ~ C(g, contr.sum) * x"}),
    "gaussian log": (glm, {"formula": "positive ~ x", "family": "gaussian", "link": "log"}),
    "gaussian inverse": (
        glm,
        {
            "formula": "positive ~ x",
            "family": "gaussian",
            "link": "inverse",
            "start": {"Intercept": 1.0, "x": -0.2},
        },
    ),
    "cloglog": (glm, {"formula": "yes ~ x + g", "family": "binomial", "link": "cloglog"}),
    "offset": (
        glm,
        {"formula": "count ~ x + g", "family": "poisson", "offset": "log_time", "weights": "w"},
    ),
    "sqrt": (glm, {"formula": "count ~ x", "family": "poisson", "link": "sqrt"}),
    "gamma log": (glm, {"formula": "positive ~ x * g", "family": "gamma", "link": "log"}),
    "gamma identity": (glm, {"formula": "positive ~ g", "family": "gamma", "link": "identity"}),
    "theta": (
        glm,
        {"formula": "count ~ x", "family": "negative_binomial", "theta": 2.0},
    ),
    "no constant": (glm, {"formula": "positive ~ 0 + x", "family": "gamma", "link": "log"}),
}


def assert_same(left: Any, right: Any, tolerance: float, path: str = "") -> None:
    """Compare two results number by number."""
    if isinstance(left, dict):
        assert left.keys() == right.keys(), path
        for key in left:
            assert_same(left[key], right[key], tolerance, f"{path}/{key}")
    elif isinstance(left, list):
        assert len(left) == len(right), path
        for i, pair in enumerate(zip(left, right, strict=True)):
            assert_same(*pair, tolerance, f"{path}/{i}")
    elif isinstance(left, float) and isinstance(right, float):
        assert abs(left - right) <= tolerance * max(1.0, abs(left)), (path, left, right)
    else:
        assert left == right, path


@pytest.mark.parametrize("name", FITS)
def test_sites_in_any_order_give_the_same_bytes(name: str):
    fit, arguments = FITS[name]
    shares = split(people(), 5)
    answers = {json.dumps(fit(Federation(shares, order=order), **arguments)) for order in ORDERS}
    assert len(answers) == 1


@pytest.mark.parametrize("name", FITS)
def test_any_split_gives_the_result_of_the_pooled_records(name: str):
    fit, arguments = FITS[name]
    table = people()
    pooled = fit(federation(table, 1), **arguments)
    assert pooled["converged"]
    for sites in (3, 18):
        assert_same(fit(federation(table, sites), **arguments)["result"], pooled["result"], 1e-9)
    order = np.random.default_rng(1).permutation(len(table["x"]))
    shuffled = {key: values[order] for key, values in table.items()}
    assert_same(fit(federation(shuffled, 3), **arguments)["result"], pooled["result"], 1e-9)


@pytest.mark.parametrize(
    "formula", ["y ~ g * big", "y ~ g + g:big", "y ~ big + x:big + x", "y ~ 0 + g + g:big"]
)
def test_large_values_lose_no_digits(formula: str):
    # The same model around zero: slopes of `big` do not change.
    table = people()
    small = {**table, "big": table["big"] - 1e9}
    far, near = (
        {
            row["term"]: (row["estimate"], row["standard_error"])
            for row in linear_model(federation(data, 3), formula=formula)["result"]["coefficients"]
        }
        for data in (table, small)
    )
    for term in far:
        if "big" in term:
            assert far[term] == pytest.approx(near[term], rel=1e-12)


def test_missing_values_levels_and_weights_of_zero_do_not_count():
    table = people(40)
    table["x"] = table["x"].copy()
    table["x"][[3, 8]] = np.nan
    table["g"][5] = None
    table["w"][:] = 1.0
    table["w"][7] = 0.0
    keep = [i for i in range(40) if i not in (3, 5, 7, 8)]
    answer = linear_model(federation(table, 4), formula="y ~ x + g", weights="w")
    left = {key: values[keep] for key, values in table.items()}
    wanted = linear_model(federation(left, 1), formula="y ~ x + g", weights="w")
    assert_same(answer["result"], wanted["result"], 1e-10)
    assert answer["n"] == {
        "rows": 40,
        "used": 36,
        "missing": 4,
        "by_organization": answer["n"]["by_organization"],
    }


def test_dropped_terms_stay_in_the_answer_with_their_reason():
    table = {**people(60), "k": np.full(60, 4.7)}
    table["twice"] = 2 * table["x"] + 1
    answer = linear_model(
        federation(table, 3),
        formula="y ~ x + k + twice + g",
        levels={"g": ["a", "b", "c", "none"]},
    )
    reasons = {row["term"]: row["dropped"] for row in answer["result"]["coefficients"]}
    assert reasons["k"] == "constant"
    assert reasons["twice"] == "collinear"
    assert reasons["g[T.none]"] == "absent_level"
    kept = linear_model(federation(table, 3), formula="y ~ x + g")
    assert answer["result"]["sigma"] == pytest.approx(kept["result"]["sigma"], rel=1e-13)
    assert {w["message"] for w in answer["warnings"]} >= {
        "Term 'k' has the same value everywhere and was dropped.",
        "Term 'twice' is determined by the terms before it and was dropped.",
    }


def test_separated_outcomes_end_with_the_terms_named():
    x = np.arange(40.0) - 19.5
    table = {"x": x, "z": np.tile([0.0, 1.0, 1.0, 0.0], 10), "yes": (x > 0).astype(float)}
    answer = glm(federation(table, 3), formula="yes ~ x + z", family="binomial")
    assert not answer["converged"]
    assert answer["warnings"][-1]["code"] == "separation"
    assert "(x)" in answer["warnings"][-1]["message"]
    assert answer["rounds"] < 20


def test_nearly_separated_outcomes_are_not_accused():
    x = np.arange(40.0) - 19.5
    yes = (x > 0).astype(float)
    yes[19], yes[20] = 1.0, 0.0
    answer = glm(federation({"x": x, "yes": yes}, 3), formula="yes ~ x", family="binomial")
    assert answer["converged"]
    assert answer["warnings"] == []


@pytest.mark.parametrize("name", ["interaction", "weights", "cloglog", "offset", "gamma log"])
@pytest.mark.parametrize("lost_in", [1, 2, 3])
def test_a_lost_site_leaves_the_result_of_the_others(name: str, lost_in: int):
    fit, arguments = FITS[name]
    table = people()
    # A close fit, so that a linear model takes three rounds.
    table["y"] = table["x"] + (table["g"] == "b") + 0.01 * table["y"]
    shares = split(table, 3)
    sites = Federation(shares)
    sites.absent = {(lost_in, 2)}
    with pytest.raises(Stopped) as stopped:
        fit(sites, **arguments)
    assert stopped.value.code == "organizations_missing"
    assert "min_organizations=2" in stopped.value.message
    sites = Federation(shares)
    sites.absent = {(lost_in, 2)}
    answer = fit(sites, **arguments, min_organizations=2)
    others = fit(Federation({1: shares[1], 3: shares[3]}), **arguments)
    assert [e["organization"] for e in answer["organizations"]["excluded"]] == [2]
    assert answer["organizations"]["used"] == [1, 3]
    assert answer["n"]["used"] == others["n"]["used"]
    assert answer["converged"]
    assert_same(answer["result"]["coefficients"], others["result"]["coefficients"], 1e-9)
    assert_same(answer["result"].get("deviance"), others["result"].get("deviance"), 1e-9)
    assert_same(answer["result"].get("r_squared"), others["result"].get("r_squared"), 1e-9)


def test_levels_of_a_lost_site_become_absent():
    table = people(60)
    shares = split(table, 3)
    shares[2]["g"] = np.where(np.arange(20) < 6, "only", shares[2]["g"]).astype(object)
    sites = Federation(shares)
    sites.absent = {(3, 2)}
    answer = glm(sites, formula="count ~ x + g", family="poisson", min_organizations=2)
    (row,) = [r for r in answer["result"]["coefficients"] if r["term"] == "g[T.only]"]
    assert row["dropped"] == "absent_level"
    others = glm(
        Federation({1: shares[1], 3: shares[3]}), formula="count ~ x + g", family="poisson"
    )
    found = [r for r in answer["result"]["coefficients"] if r["term"] != "g[T.only]"]
    assert_same(found, others["result"]["coefficients"], 1e-9)


def test_one_wrong_sum_changes_the_result():
    table = people()
    right = glm(federation(table, 3), formula="yes ~ x", family="binomial")
    sites = federation(table, 3)

    def tamper(method: str, number: int, said: Any) -> Any:
        if method == "glm_step" and number == 2:
            said["ok"]["score"][0] += 1.0
        return said

    sites.tamper = tamper
    wrong = glm(sites, formula="yes ~ x", family="binomial")
    assert wrong["result"]["coefficients"] != right["result"]["coefficients"]


@pytest.mark.parametrize(
    ("family", "link", "outcome", "ratio"),
    [
        ("binomial", "logit", "yes", "odds_ratio"),
        ("binomial", "log", "yes", "risk_ratio"),
        ("poisson", "log", "count", "rate_ratio"),
        ("negative_binomial", "log", "count", "rate_ratio"),
        ("gaussian", "log", "positive", None),
        ("binomial", "probit", "yes", None),
    ],
)
def test_logarithms_of_ratios_come_with_the_ratios(
    family: str, link: str, outcome: str, ratio: str | None
):
    answer = glm(federation(people(), 3), formula=f"{outcome} ~ g", family=family, link=link)
    for row in answer["result"]["coefficients"]:
        names = [name for name in row if name.endswith("_ratio")]
        assert names == ([ratio] if ratio else [])
        for end, of in (("", "estimate"), ("_lower", "lower"), ("_upper", "upper")):
            if ratio:
                assert row[f"{ratio}{end}"] == pytest.approx(math.exp(row[of]), rel=1e-15)


def test_one_organization_is_answered_with_a_warning():
    answer = linear_model(federation(people(), 1), formula="y ~ x")
    assert [w["code"] for w in answer["warnings"]] == ["one_organization"]
