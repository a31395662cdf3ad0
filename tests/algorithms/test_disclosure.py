"""What a station refuses: counts below its floors, formulas that run code, chosen records."""

from typing import Any

import numpy as np
import pytest

from tests.algorithms.federation import OPEN, Federation, among_three, federation, split
from tests.algorithms.test_models import people
from vantage6.algorithms.catalogue import PARTIAL
from vantage6.algorithms.glm.central import glm, linear_model
from vantage6.algorithms.statistics import disclosure
from vantage6.algorithms.statistics.models.formula import parse_formula
from vantage6.algorithms.statistics.sentences import Refused, Stopped
from vantage6.algorithms.statistics.station import Station, answer
from vantage6.common.disclosure.floors import PRESETS, Floors

HOSTILE = [
    "y ~ {__import__('os').getpid()*x}",
    "y ~ I(x.iloc[0])",
    "y ~ x[0]",
    "y ~ {x[0]}",
    "y ~ poly(x, 2)",
    "y ~ center(x)",
    "y ~ scale(x)",
    "y ~ standardize(x)",
    "y ~ bs(x, df=4)",
    "y ~ cr(x, df=4)",
    "y ~ lag(x)",
    "y ~ hashed(x)",
    "y ~ .",
    "y ~ I(x == 13.74)",
    "y ~ I(x != 13.74)",
    "y ~ I(x > y)",
    "y ~ x.mean()",
    "y ~ np.log(x)",
    "y ~ eval('1')",
    "y ~ I([v for v in x][0])",
    "y ~ I(x if 1 else x)",
    "y ~ I(x and x)",
    "y ~ x % 2",
    "y ~ I(x % 2)",
    "y ~ I(x // 2)",
    "y ~ I(x ** 97)",
    "y ~ I(x ** x)",
    "y ~ C(g, levels=['a'])",
    "y ~ C(g, contr.custom([[1], [0], [0]]))",
    "y ~ C(x.iloc[:3])",
    "y ~ C(g, open('/etc/passwd'))",
    "y ~ f'{x}'",
    "y ~ 'a'",
    "y ~ x | g",
    "[y ~ x] ~ g",
    "y + x ~ g",
    "C(g) ~ x",
    "~ x",
    "x",
    "y ~ (a+b+c+d+e+f+g+h)**9",
    "y ~ " + "*".join("abcdefghijkl"),
    "y ~ I(" + "(" * 300 + "x" + ")" * 300 + ")",
    "y ~ I(" + "-" * 1500 + "x)",
    "y ~ " + "x + " * 600 + "x",
    "y ~ log(x, x)",
    "y ~ exp(x=1)",
    "y ~ `x",
    "",
    None,
    17,
]
ALLOWED = [
    "y ~ x",
    "y ~ 0 + g + `Größe µ`:x",
    "log(positive) ~ log1p(abs(x)) + I(x ** 2) + I(x ** 0.5) + I(-x / 2 + 1)",
    "y ~ (x + big) ** 2 - x",
    "y ~ x / g",
    "y ~ I(x >= -1.5) + C(g, contr.helmert)",
    "y ~ C(g, contr.treatment('b')) + 2:x",
    "y ~ C(g, contr.sas) + C(w, contr.poly([1, 2, 3, 4]))",
]


@pytest.fixture
def station() -> Station:
    federation(people(), 1)
    return among_three(people(), OPEN)


def refusal(method: str, station: Station, **arguments: Any) -> dict[str, str]:
    said = answer(PARTIAL[method], station, arguments)
    assert set(said) == {"refused"}, said
    return said["refused"]


@pytest.mark.parametrize("formula", HOSTILE)
def test_hostile_formulas_are_refused_at_central_and_at_the_station(formula: Any, station: Station):
    sites = federation(people(), 3)
    with pytest.raises(Stopped) as stopped:
        linear_model(sites, formula=formula)
    assert stopped.value.code == "formula_not_allowed"
    assert sites.calls == []
    for method, rest in (
        ("model_prepare", {}),
        ("linear_sums", {"levels": {}, "centres": {}, "y_centre": 0.0}),
        ("glm_step", {"levels": {}, "centres": {}, "family": "gaussian"}),
    ):
        said = refusal(method, station, formula=formula, **rest)
        assert said["code"] == "formula_not_allowed", said


@pytest.mark.parametrize("formula", ALLOWED)
def test_useful_formulas_are_read(formula: str):
    assert parse_formula(formula, has_outcome=True).terms


def test_a_function_of_the_own_data_says_why_it_is_refused():
    with pytest.raises(Refused) as refused:
        parse_formula("y ~ poly(x, 2)", has_outcome=True)
    assert refused.value.message == (
        "'poly(x, 2)' cannot be used in a formula here: "
        "it would be computed differently at each organization."
    )


def test_a_chosen_beta_cannot_read_a_record():
    random = np.random.default_rng(3)
    table = {"x": random.normal(13, 1, 190), "z": random.normal(size=190)}
    table["yes"] = (random.random(190) < 0.5).astype(float)
    target = float(np.sort(table["x"])[95])
    station = among_three(table)
    asked = {"formula": "yes ~ x + z", "family": "binomial", "levels": {}}
    asked |= {"centres": {"x": 0.0, "z": 0.0}}
    honest = answer(PARTIAL["glm_step"], station, {**asked, "beta": [0.0, 0.0, 0.0]})
    assert "ok" in honest
    beta = [-1e4 * target, 1e4, 0.0]
    said = answer(PARTIAL["glm_step"], station, {**asked, "beta": beta})
    assert said["refused"] == {
        "code": "concentrated",
        "message": "The weights of this step rest on fewer than 5 records.",
    }


def test_saturated_means_cannot_read_the_largest_record():
    random = np.random.default_rng(3)
    table = {"x": random.normal(13, 1, 190), "z": random.normal(size=190)}
    table["yes"] = (random.random(190) < 0.5).astype(float)
    first, second = np.sort(table["x"])[[-1, -2]]
    # All means are 0 but that of one record, whose mean is 1: no record has any weight.
    slope = 60 / (first - second)
    beta = [-slope * (first + second) / 2, slope, 0.0]
    asked = {"formula": "yes ~ x + z", "family": "binomial", "levels": {}, "beta": beta}
    asked |= {"centres": {"x": 0.0, "z": 0.0}}
    for link in ("logit", "probit", "cloglog"):
        said = answer(PARTIAL["glm_step"], among_three(table), {**asked, "link": link})
        assert said["refused"]["code"] == "concentrated", link


@pytest.mark.parametrize(
    ("family", "link", "outcome"),
    [
        ("gamma", "log", "positive"),
        ("gamma", "inverse", "positive"),
        ("gamma", "identity", "positive"),
        ("poisson", "log", "count"),
        ("poisson", "sqrt", "count"),
        ("poisson", "identity", "count"),
        ("gaussian", "log", "positive"),
        ("gaussian", "inverse", "positive"),
        ("negative_binomial", "log", "count"),
    ],
)
def test_no_family_lets_a_beta_choose_the_largest_record(family: str, link: str, outcome: str):
    table = people(190)
    first, second = np.sort(table["x"])[[-1, -2]]
    asked = {"formula": f"{outcome} ~ x", "family": family, "link": link, "levels": {}}
    asked |= {"centres": {"x": 0.0}}
    asked["theta"] = 2.0 if family == "negative_binomial" else None
    steep = 60 / (first - second)
    for slope in (steep, -steep, steep / 5, -steep / 5, 1.0, -1.0):
        # Steep at the largest record; and a predictor that almost vanishes there.
        for constant in (-slope * (first + second) / 2, -slope * (first + 1e-9)):
            request = {**asked, "beta": [constant, slope]}
            said = answer(PARTIAL["glm_step"], among_three(table), request)
            if "refused" in said:
                assert said["refused"]["code"] == "concentrated"
            elif said["ok"]["valid"]:
                # Means of ordinary size everywhere; of a square root, all are far from 0.
                is_flat = abs(slope) == 1.0 and link == "log"
                assert is_flat or (link == "sqrt" and constant != -slope * (first + 1e-9))


@pytest.mark.parametrize("preset", ["default", "datashield", "opensafely"])
@pytest.mark.parametrize(
    "term",
    [
        "I((x > {second}) * (z - 1000))",
        "I((x > {second}) * (x < {first}) * z)",
        "I(x > {second}):z",
        "I(exp(200 * (x - {first})))",
        "I(-exp(200 * (x - {first})))",
        "I(exp(200 * (x - {first})) - 1)",
        "g:h:z",
    ],
)
@pytest.mark.parametrize("place", ["outcome", "term"])
def test_no_term_and_no_outcome_may_choose_records(term: str, place: str, preset: str):
    random = np.random.default_rng(3)
    table = {"x": random.normal(13, 1, 190), "z": random.normal(size=190)}
    table["y"] = random.normal(size=190)
    table["g"] = np.array(["a"] * 95 + ["b"] * 95, object)
    # Two records are in the last cell of both groups.
    table["h"] = np.array((["u"] * 93 + ["v"] * 2) + ["v"] * 95, object)
    order = np.sort(table["x"])
    text = term.format(first=float(order[-1]), second=float(order[-3]))
    if place == "outcome" and ":" in text:
        return
    formula = f"y ~ {text}" if place == "term" else f"{text} ~ z"
    said = refusal("model_prepare", among_three(table, PRESETS[preset]), formula=formula)
    assert said["code"] in ("small_cell", "dominance"), said


def test_a_weight_of_zero_leaves_out_no_few_records():
    table = people(60)
    table["w"] = np.array([0.0] * 3 + [1.0] * 57)
    said = refusal("model_prepare", among_three(table), formula="y ~ x", weights="w")
    assert said["message"] == "Column 'w' splits the records into groups of fewer than 5."


def test_honest_fits_keep_to_the_floors_of_stations():
    from tests.algorithms.tables import table as published

    answer_ = glm(
        federation(published("breast"), 3, floors=Floors()),
        formula="target ~ mean_texture + mean_smoothness + mean_symmetry",
        family="binomial",
    )
    assert answer_["converged"]
    answer_ = glm(
        federation(published("birthwt"), 3, floors=Floors()),
        formula="low ~ age + lwt + race",
        family="binomial",
    )
    assert answer_["converged"]


@pytest.mark.parametrize(
    ("code", "table", "formula"),
    [
        ("too_few_records", {"x": [1.0, 2, 3], "y": [1.0, 2, 3]}, "y ~ 1"),
        (
            "small_cell",
            {"x": [1.0] * 3 + [0.0] * 57, "y": [float(i % 7) for i in range(60)]},
            "y ~ x",
        ),
        (
            "small_cell",
            {"x": ["a"] * 3 + ["b"] * 57, "y": [float(i % 7) for i in range(60)]},
            "y ~ x",
        ),
        (
            "too_many_parameters",
            {name: [float((i * k) % 11) for i in range(30)] for k, name in enumerate("yabcd", 1)},
            "y ~ a + b + c + d",
        ),
        (
            "dominance",
            {"x": [1e6] + [float(i) for i in range(1, 60)], "y": [float(i % 7) for i in range(60)]},
            "y ~ x",
        ),
        (
            "too_many_levels",
            {"x": [f"p{i}" for i in range(60)], "y": [float(i % 7) for i in range(60)]},
            "y ~ x",
        ),
    ],
)
def test_each_floor_refuses_in_the_first_round_and_in_direct_calls(
    code: str, table: dict[str, list[Any]], formula: str
):
    station = among_three(
        {k: np.array(v, dtype=object if isinstance(v[0], str) else float) for k, v in table.items()}
    )
    levels = (
        {"x": sorted(set(table["x"]))}
        if isinstance(table["x" if "x" in table else "a"][0], str)
        else {}
    )
    centres = {name: 0.0 for name in table}
    calls = {
        "model_prepare": {},
        "linear_sums": {"levels": levels, "centres": centres, "y_centre": 0.0},
        "glm_step": {"levels": levels, "centres": centres, "family": "gaussian"},
    }
    for method, rest in calls.items():
        said = refusal(method, station, formula=formula, **rest)
        assert said["code"] == code, (method, said)
        # The sentence may name floors of the station, never a number from the data.
        floors = {"5", "10", "40", "1"} | {str(len(formula.split("+")) + 1)}
        assert {w for w in said["message"].replace(".", " ").split() if w.isdigit()} <= floors


def test_alone_or_with_too_few_parties_nothing_is_answered():
    for parties in ((1,), (1, 1), ()):
        alone = Station(people(), parties=parties)
        said = answer(PARTIAL["model_prepare"], alone, {"formula": "y ~ x"})
        assert said["refused"]["message"] == (
            "This station takes part only together with at least 2 organizations."
        )


@pytest.mark.parametrize(
    ("name", "value"), [("floors", {"records": 1}), ("parties", [1, 2, 3]), ("station", None)]
)
def test_a_caller_cannot_bring_floors_or_parties_along(name: str, value: Any):
    alone = Station(people(4), Floors(parties=1), (1,))
    said = answer(PARTIAL["model_prepare"], alone, {"formula": "y ~ x", name: value})
    assert said["refused"]["code"] == "bad_argument"


@pytest.mark.parametrize(
    ("column", "values", "code", "message"),
    [
        ("x", [1.0, np.inf] * 30, "infinite_value", "Column 'x' has infinite values."),
        ("x", ["12", "1,5"] * 30, None, None),
        (
            "y",
            ["12", "1,5"] * 30,
            "not_numeric",
            "Column 'y' holds text, not numbers. Convert it at the station.",
        ),
        (
            "w",
            [1.0, -1.0] * 30,
            "negative_weight",
            "Weights in column 'w' are negative for some records.",
        ),
    ],
)
def test_strange_values_are_refused_with_a_sentence(column, values, code, message):
    table = people(60)
    table[column] = np.array(values, dtype=object if isinstance(values[0], str) else float)
    sites = federation(table, 3)
    if code is None:
        assert linear_model(sites, formula="y ~ x", weights="w")["converged"]
        return
    with pytest.raises(Stopped) as stopped:
        linear_model(sites, formula="y ~ x", weights="w")
    assert (stopped.value.code, stopped.value.message) == (code, message)


def test_sites_that_do_not_fit_together_stop_the_analysis():
    shares = split(people(60), 3)
    shares[2]["x"] = shares[2]["x"].astype(str).astype(object)
    with pytest.raises(Stopped) as stopped:
        linear_model(Federation(shares), formula="y ~ x")
    assert stopped.value.message == (
        "Column 'x' holds numbers at organization 1 and text at organization 2."
    )
    del shares[2]["x"]
    with pytest.raises(Stopped) as stopped:
        linear_model(Federation(shares), formula="y ~ x")
    assert stopped.value.message.startswith("There is no column 'x'. The columns are: Größe µ, big")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"family": "x"},
            "family is one of: gaussian, binomial, poisson, gamma, negative_binomial.",
        ),
        (
            {"family": "gamma", "link": "sqrt"},
            "link 'sqrt' does not go with the family 'gamma'; "
            "links of gamma: inverse, log, identity.",
        ),
        ({"confidence": 1.0}, "confidence lies between 0.5 and 0.999."),
        ({"theta": 0}, "theta is above 0."),
        (
            {"min_organizations": 4},
            "min_organizations is a number from 1 to 3, the organizations asked.",
        ),
        ({"max_iterations": 51}, "max_iterations is a number from 1 to 50."),
        ({"formula": "x ~ g", "family": "binomial"}, "A binomial outcome lies between 0 and 1."),
        ({"formula": "x ~ g", "family": "poisson"}, "A Poisson outcome is 0 or more."),
        ({"formula": "x ~ g", "family": "gamma"}, "A gamma outcome is above 0."),
        ({"formula": "k ~ x", "family": "gaussian"}, "The outcome is the same everywhere."),
        (
            {"formula": "log(x) ~ g", "family": "gaussian"},
            "The term log(x) is infinite or undefined for some records.",
        ),
        (
            {"levels": {"g": ["a", "b"]}},
            "Column 'g' has values that are not among the given levels.",
        ),
    ],
)
def test_arguments_that_do_not_fit_end_with_a_sentence(arguments: dict[str, Any], message: str):
    table = {**people(60), "k": np.full(60, 0.1)}
    with pytest.raises(Stopped) as stopped:
        glm(federation(table, 3), **{"formula": "count ~ g", "family": "poisson", **arguments})
    assert stopped.value.message == message


def test_random_tables_are_masked_so_that_no_sum_gives_a_cell_away():
    random = np.random.default_rng(5)
    floors = Floors()
    for _ in range(400):
        shape = tuple(random.integers(1, 6, 2))
        counts = random.integers(0, 12, shape)
        hidden = disclosure.mask(counts, floors)
        assert np.all(hidden[(counts > 0) & (counts < 5)])
        lines = [(counts.ravel(), hidden.ravel())]
        if min(shape) > 1:
            lines += [*zip(counts, hidden, strict=True), *zip(counts.T, hidden.T, strict=True)]
        for cells, covered in lines:
            if covered.any() and not covered.all():
                assert covered.sum() > 1
                assert cells[covered].sum() >= 5
