"""No two columns, no combination of columns and no other sum of a model stands for one record."""

from typing import Any

import numpy as np
import pytest

from tests.algorithms.federation import among_three, federation
from tests.algorithms.test_disclosure import refusal
from tests.algorithms.test_payloads import FIELDS
from vantage6.algorithms.catalogue import PARTIAL
from vantage6.algorithms.glm.central import linear_model
from vantage6.algorithms.statistics.models.combinations import leverage
from vantage6.algorithms.statistics.sentences import Stopped
from vantage6.algorithms.statistics.station import Station, answer
from vantage6.algorithms.summary.central import histogram
from vantage6.algorithms.survival.central import kaplan_meier
from vantage6.common.disclosure.floors import PRESETS, Floors

COUNT = 200


def table() -> dict[str, Any]:
    """Return records of which number 17 is to stay unknown."""
    random = np.random.default_rng(1)
    found: dict[str, Any] = {
        "x": random.normal(27, 4, COUNT),
        "z": np.round(random.normal(1000, 100, COUNT), 2),
        "y": random.normal(size=COUNT),
        "grade": random.choice([0.0, 1.0, 2.0], COUNT),
        "count": random.poisson(3, COUNT).astype(float),
        "positive": random.gamma(3, 1, COUNT),
        "days": np.round(random.exponential(100, COUNT)) + 1,
        "happened": np.array([0.0, 1.0] * (COUNT // 2)),
        "g": np.array(["a", "b"] * (COUNT // 2), object),
    }
    found["x"][17] = 27.01
    found["x"][np.abs(found["x"] - 27.01) < 0.02] += 0.1
    found["x"][17] = 27.01
    found["grade"][17] = 3.0
    found["left"] = (np.arange(COUNT) < 18).astype(float)
    found["right"] = (np.arange(COUNT) >= 17).astype(float)
    found["one"] = np.where(np.arange(COUNT) == 17, 1.0, 0.0)
    found["text"] = np.where(np.arange(COUNT) == 17, "rare", "usual").astype(object)
    found["steep"] = np.where(np.arange(COUNT) == 17, 99.0, found["y"])
    found["heavy"] = np.where(np.arange(COUNT) == 17, 1e9, found["positive"])
    found["change"] = np.where(np.arange(COUNT) == 17, 1e9, found["y"])
    return found


def station(preset: str = "default") -> Station:
    return among_three(table(), PRESETS[preset])


LOW, HIGH = "I(x > 27.005)", "I(x > 27.015)"
ONE_RECORD = [
    # A contrast of a level that is nowhere: no design, but products.
    "y ~ C(g, contr.treatment('nope')) + I(x > 27.005):I(x < 27.015):z",
    "y ~ C(g, contr.treatment('nope')) + I(x > 27.005) + I(x < 27.015)",
    # A difference of two columns.
    f"z ~ {LOW} + {HIGH}",
    f"z ~ {LOW}:y + {HIGH}:y",
    f"{LOW} ~ {HIGH} + y",
    # A product of two columns.
    "z ~ I(x > 27.005) + I(x < 27.015)",
    "z ~ I(x > 27.005) + I(x < 27.015):y",
    # Three columns of which each pair keeps to the floors.
    "z ~ I(abs(x - 27.01) < 3) + I(abs(x - 25.5075) < 1.5025) + I(abs(x - 28.5125) < 1.4975)",
    # Powers of a column of few values are its categories.
    "z ~ grade + I(grade ** 2) + I(grade ** 3)",
    # Hinges need no comparison.
    "z ~ I(abs(x - 27) + x) + I(abs(x - 27.02) - x)",
    # The low digits of a number.
    "y ~ I(1000000 * z + y * (abs(x - 27.01) < 0.004))",
    "y ~ I(1000000 * z + y * ((x > 27.005) - (x > 27.015)))",
    "I(1000000 * z + y * (abs(x - 27.01) < 0.004)) ~ z",
]


@pytest.mark.parametrize("preset", ["default", "v6", "sacro", "cms", "datashield"])
@pytest.mark.parametrize("formula", ONE_RECORD)
def test_no_formula_stands_for_one_record(formula: str, preset: str):
    said = answer(PARTIAL["model_prepare"], station(preset), {"formula": formula})
    assert said.get("refused", {}).get("code") in ("small_cell", "concentrated", "dominance"), said


@pytest.mark.parametrize("formula", ONE_RECORD[2:])
@pytest.mark.parametrize("method", ["linear_sums", "glm_step", "cox_step"])
def test_no_later_round_answers_what_the_first_one_refuses(formula: str, method: str):
    _, terms = formula.split(" ~ ")
    asked: dict[str, Any] = {"levels": {}, "centres": {}, "formula": formula}
    if method == "linear_sums":
        asked |= {"y_centre": 0.0, "basis": [[0.0], [1.0], [-1.0]]}
    elif method == "glm_step":
        asked |= {"family": "gaussian", "basis": [[0.0], [1.0], [-1.0]], "beta": [0.0] * 3}
    else:
        if not formula.startswith("z ~ "):
            return
        asked |= {"formula": terms, "time": "days", "event": "happened", "ties": "efron"}
        asked |= {"basis": [[1.0], [-1.0]], "beta": [0.0, 0.0]}
    assert refusal(method, station(), **asked)["code"] in (
        "small_cell",
        "concentrated",
        "dominance",
    )


def test_the_analysis_of_a_researcher_cannot_read_a_record():
    sites = federation(table(), 3, floors=Floors())
    for formula in ONE_RECORD:
        with pytest.raises(Stopped):
            linear_model(sites, formula=formula)
    values = set(table()["z"].tolist())
    for _, _, answers in sites.calls:
        for said in answers.values():
            products = said.get("ok", {}).get("products", {})
            assert not values & set(products.values())


def test_weights_and_a_combination_cannot_choose_a_record_together():
    # Seven records have all the weight; a combination of six columns is 0 for six of them.
    random = np.random.default_rng(2)
    data = {f"x{j}": random.normal(size=COUNT) for j in range(6)} | {
        "w": np.where(np.arange(COUNT) < 7, 1e6 + np.arange(COUNT), 1.0 + np.arange(COUNT) / 1e6)
    }
    data["y"] = random.normal(size=COUNT)
    terms = " + ".join(f"x{j}" for j in range(6))
    said = refusal(
        "linear_sums",
        among_three(data),
        formula=f"y ~ {terms}",
        weights="w",
        levels={},
        centres={f"x{j}": 0.0 for j in range(6)},
        y_centre=0.0,
    )
    assert said["code"] == "concentrated"


def test_steep_weights_are_no_third_comparison():
    # The sixteen largest of z have all the weight; one of them is above both borders.
    random = np.random.default_rng(4)
    x, v, z = (random.normal(size=COUNT) for _ in range(3))
    z[:16] = 20 + random.normal(size=16) / 10
    x[:16] = [1.0] * 6 + [-1.0] * 10
    v[:16] = [1.0] + [-1.0] * 5 + [1.0] * 5 + [-1.0] * 5
    data = {"x": x, "v": v, "z": z, "count": random.poisson(3, COUNT).astype(float)}
    asked = {
        "formula": "count ~ I(x > 0) + I(v > 0) + z",
        "family": "poisson",
        "levels": {},
        "centres": {"z": 0.0, "I(x > 0)": 0.0, "I(v > 0)": 0.0},
    }
    flat = {**asked, "beta": [0.0, 0.0, 0.0, 0.0]}
    assert "ok" in answer(PARTIAL["glm_step"], among_three(data), flat)
    steep = {**asked, "beta": [-50.0, 0.0, 0.0, 2.5]}
    assert refusal("glm_step", among_three(data), **steep)["code"] == "concentrated"


def test_honest_comparisons_and_interactions_keep_to_the_floors():
    data = table()
    for formula in (
        "z ~ I(x > 25) + I(x > 29) + g",
        "z ~ I(x > 27):y + y + g",
        "z ~ y + I(y ** 2) + log(positive) + g:y",
        "happened ~ I(x >= 27) * g",
        "y ~ C(g, contr.treatment('b')) + exp(y / 4)",
    ):
        assert linear_model(federation(data, 2, floors=Floors()), formula=formula)["converged"]


def test_leverage_is_the_largest_part_of_one_record():
    column = np.array([[1.0, 0, 0], [1, 1, 0], [1, 1, 1e-9], [1, 1, 1e-9], [1, 0, 0]])
    assert leverage(column[:, :1]) == pytest.approx(0.2)
    assert leverage(column[:, :2]) == pytest.approx(0.5)
    assert leverage(column) == pytest.approx(1.0)
    assert leverage(column[:, :1], np.array([1.0, 1, 2, 0, 0])) == pytest.approx(0.5)
    assert leverage(np.zeros((5, 2))) == 0.0


#: For each field of each payload a call that a check before the field has to refuse.
_RARE = {"time": "days", "event": "one"}
_GOOD = {"time": "days", "event": "happened"}
_MODEL = {"levels": {}, "centres": {"x": 0.0}}
_STEEP = {**_MODEL, "beta": [-1e4 * 27.01, 1e4]}
_CURVE = {**_GOOD, "group": None, "levels": [""]}
REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("model_prepare", "rows n factors", {"formula": f"y ~ {LOW} + {HIGH}"}, "small_cell"),
    ("model_prepare", "levels", {"formula": "y ~ text"}, "small_cell"),
    ("model_prepare", "products", {"formula": ONE_RECORD[0]}, "small_cell"),
    ("model_prepare", "y", {"formula": "one ~ x"}, "small_cell"),
    (
        "model_prepare",
        "w",
        {"formula": "count ~ x", "offset": "steep", "family": "poisson"},
        "concentrated",
    ),
    ("model_prepare", "events", {"formula": "x", **_RARE}, "small_cell"),
    ("model_prepare", "times", {"formula": "x", **_GOOD, "exact": True}, "pooled_refused"),
    (
        "linear_sums",
        "n cross",
        {**_MODEL, "formula": f"z ~ {LOW} + {HIGH}", "y_centre": 0.0},
        "small_cell",
    ),
    (
        "linear_sums",
        "log_w",
        {**_MODEL, "formula": "z ~ x", "weights": "heavy", "y_centre": 0.0},
        "dominance",
    ),
    (
        "glm_step",
        "n valid score info observed deviance loglik",
        {**_STEEP, "formula": "happened ~ x", "family": "binomial", "link": "probit"},
        "concentrated",
    ),
    (
        "glm_step",
        "pearson gamma",
        {
            **_MODEL,
            "beta": [-135.0, 5.0],
            "formula": "positive ~ x",
            "family": "gamma",
            "link": "log",
        },
        "concentrated",
    ),
    (
        "glm_step",
        "ratio2 theta",
        {
            "levels": {},
            "centres": {"x": 0.0},
            "beta": [-27.0, 1.0],
            "formula": "count ~ x",
            "family": "negative_binomial",
        },
        "concentrated",
    ),
    (
        "glm_step",
        "null",
        {**_MODEL, "formula": "count ~ x", "family": "poisson", "offset": "steep", "null": 0.0},
        "concentrated",
    ),
    ("describe", "rows columns groups", {"columns": ["text"]}, "small_cell"),
    ("describe", "columns", {"columns": ["change"]}, "dominance"),
    ("moments", "groups", {"columns": ["heavy"], "centre": {"": [0.0]}}, "dominance"),
    ("moments", "groups", {"columns": ["change"], "centre": {"": [0.0]}}, "dominance"),
    ("moments", "groups", {"columns": ["left", "right"], "centre": {"": [0.0, 0]}}, "small_cell"),
    ("counts", "columns groups", {"columns": ["x"], "edges": {"x": [[27.0123]]}}, "too_fine"),
    (
        "histogram_counts",
        "n rows counts below above masked",
        {"column": "x", "edges": [20.0, 27.0123]},
        "too_fine",
    ),
    ("crosstab_levels", "rows n levels", {"rows": "text", "columns": "g"}, "small_cell"),
    ("survival_prepare", "rows n events levels", _RARE, "small_cell"),
    (
        "survival_prepare",
        "sum square",
        {"time": "heavy", "event": "happened"},
        "dominance",
    ),
    ("survival_prepare", "times", {**_GOOD, "exact": True}, "exact_refused"),
    ("survival_bins", "allowed", {**_CURVE, "edges": [27.0123]}, "too_fine"),
    (
        "survival_counts",
        "groups",
        {**_CURVE, "edges": [10.0 * i for i in range(1, 70)]},
        "small_cell",
    ),
    (
        "log_rank",
        "n rho",
        {**_GOOD, "group": "text", "levels": ["rare", "usual"], "rho": [0]},
        "small_cell",
    ),
    (
        "cox_step",
        "n events valid loglik score info",
        {**_MODEL, **_GOOD, "formula": "x", "ties": "efron", "beta": [1e4], "basis": None},
        "concentrated",
    ),
    (
        "cox_sums",
        "n events valid sums",
        {**_MODEL, **_GOOD, "formula": "x", "beta": [0.0], "basis": None, "times": [1.0]},
        "pooled_refused",
    ),
    (
        "local_model",
        "n df terms",
        {"function": "linear_model", "arguments": {"formula": f"z ~ {LOW} + {HIGH}"}},
        "local_fit_failed",
    ),
]
#: Kinds of columns, the numbers of columns of the formula, and coarse steps (1 % of a spread).
KNOWN = {
    ("model_prepare", "kinds"),
    ("linear_sums", "p"),
    ("glm_step", "p"),
    ("cox_step", "p"),
    ("cox_sums", "p"),
    ("moments", "step"),
    ("survival_prepare", "step"),
}
#: Small counts are hidden, not refused: see the next test.
MASKED = {("crosstab_counts", "counts"), ("crosstab_counts", "masked")}


@pytest.mark.parametrize("place", range(len(REFUSED)))
def test_a_check_stands_before_each_field_of_a_payload(place: int):
    method, _, arguments, code = REFUSED[place]
    assert refusal(method, station(), **arguments)["code"] == code


def test_each_field_of_each_payload_is_in_the_table():
    named = {(method, field) for method, fields, _, _ in REFUSED for field in fields.split()}
    sent = {(method, field) for method, fields in FIELDS.items() for field in fields.split()}
    assert named | KNOWN | MASKED == sent
    assert not named & (KNOWN | MASKED)


def test_a_table_hides_the_cell_of_one_record():
    levels = {"left": ["0", "1"], "right": ["0", "1"]}
    asked = {"rows": "left", "columns": "right", "levels": levels}
    said = answer(PARTIAL["crosstab_counts"], station(), asked)
    assert said["ok"]["counts"][1][1] is None
    assert said["ok"]["masked"] == 4


def test_a_histogram_cannot_find_a_value_by_bisection():
    values = np.sort(table()["x"])
    low, high, answered = 20.0, 35.0, 0
    for _ in range(60):
        middle = (low + high) / 2
        asked = {"column": "x", "edges": [-1e6, middle]}
        said = answer(PARTIAL["histogram_counts"], station(), asked)
        if "refused" in said:
            assert said["refused"]["message"] == "Edges of column 'x' must be multiples of 0.05."
            break
        answered += 1
        low, high = (low, middle) if said["ok"]["counts"][0] >= 100 else (middle, high)
    assert answered < 10
    assert high - low > 0.04
    assert values[99] not in (low, high)


@pytest.mark.parametrize("column", ["x", "z", "y", "count", "days", "positive", "grade"])
@pytest.mark.parametrize("bins", [1, 7, 20, 199])
def test_the_edges_of_a_histogram_keep_to_the_lattice(column: str, bins: int):
    data = table() | {"grade": np.arange(COUNT) % 3 * 1.0}
    found = histogram(federation(data, 3, floors=Floors()), column=column, bins=bins)["result"]
    edges = np.array(found["edges"])
    assert len(edges) == bins + 1
    assert np.allclose(np.diff(edges), edges[1] - edges[0])
    mean, sd = data[column].mean(), data[column].std(ddof=1)
    step = edges[1] - edges[0]
    assert edges[0] <= mean - 3 * sd + step
    assert edges[-1] >= mean + 3 * sd - step


def test_only_the_whole_interval_allowed_leaves_the_tests():
    random = np.random.default_rng(0)
    data = {
        "time": np.round(random.exponential(100, 120)) + 1,
        "event": (random.random(120) < 0.5).astype(float),
        "g": np.array(["a", "b"] * 60, object),
    }
    said = kaplan_meier(federation(data, 3, floors=Floors()), time="time", event="event", group="g")
    assert said["result"]["times"] == []
    assert [warning["code"] for warning in said["warnings"]] == ["coarsened"]
    assert [test["name"] for test in said["result"]["tests"]] == ["log_rank", "peto"]
    assert all(test["statistic"] >= 0 for test in said["result"]["tests"])
    for curve, group in zip(said["result"]["curves"], "ab", strict=True):
        inside = data["g"] == group
        assert (curve["n"], curve["events"]) == (60, data["event"][inside].sum())
        assert curve["median"] == {"estimate": None, "lower": None, "upper": None}


def test_a_survival_curve_of_few_records_at_each_organization_is_answered():
    data = {
        "time": np.arange(1.0, 37.0),
        "event": np.repeat([1.0, 0.0], 18),
    }
    said = kaplan_meier(federation(data, 3, floors=Floors()), time="time", event="event")
    assert said["result"]["curves"][0]["events"] == 18
