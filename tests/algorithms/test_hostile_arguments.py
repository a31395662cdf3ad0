"""A partial function answers or refuses whatever arrives; a refusal holds no number of the data."""

import inspect
import json
from typing import Any

import numpy as np
import pytest

from tests.algorithms.federation import OPEN, among_three, federation
from vantage6.algorithms.catalogue import PARTIAL
from vantage6.algorithms.glm.central import linear_model
from vantage6.algorithms.statistics.sentences import Stopped
from vantage6.algorithms.statistics.station import answer
from vantage6.common.disclosure.floors import Floors

MARKS = [7391.25 + 17 * i for i in range(60)]
DATA = {
    "x": np.array(MARKS),
    "y": np.array(MARKS[::-1]),
    "g": np.array(["north 7391"] * 30 + ["south"] * 30, object),
    "e": np.tile([0.0, 1.0], 30),
}

#: Arguments with which each function answers.
GOOD: dict[str, dict[str, Any]] = {
    "model_prepare": {"formula": "y ~ x"},
    "linear_sums": {"formula": "y ~ x", "levels": {}, "centres": {"x": 0.0}, "y_centre": 0.0},
    "glm_step": {
        "formula": "e ~ x",
        "levels": {},
        "centres": {"x": 7900.0},
        "family": "binomial",
        "beta": [0.0, 0.0],
        "basis": [[1.0, 0.0], [0.0, 1.0]],
        "null": 0.0,
    },
    "describe": {"columns": ["x", "g"]},
    "moments": {"columns": ["x"], "centre": {"": [0.0]}},
    "counts": {"columns": ["x"], "edges": {"x": [[7400.0, 7600.0]]}},
    "histogram_counts": {"column": "x", "edges": [7400.0, 7600.0]},
    "crosstab_levels": {"rows": "g", "columns": "e"},
    "crosstab_counts": {
        "rows": "g",
        "columns": "e",
        "levels": {"g": ["north 7391", "south"], "e": ["0", "1"]},
    },
    "survival_prepare": {"time": "x", "event": "e", "group": "g"},
    "survival_bins": {
        "time": "x",
        "event": "e",
        "group": None,
        "levels": [""],
        "edges": [7500.0, 8000.0],
    },
    "survival_counts": {
        "time": "x",
        "event": "e",
        "group": None,
        "levels": [""],
        "edges": [7500.0, 8000.0],
    },
    "log_rank": {
        "time": "x",
        "event": "e",
        "group": "g",
        "levels": ["north 7391", "south"],
        "rho": [0, 1],
    },
    "cox_step": {
        "formula": "y",
        "time": "x",
        "event": "e",
        "ties": "efron",
        "levels": {},
        "centres": {"y": 7900.0},
        "basis": None,
        "beta": [0.0],
    },
    "cox_sums": {
        "formula": "y",
        "time": "x",
        "event": "e",
        "levels": {},
        "centres": {"y": 7900.0},
        "basis": None,
        "beta": [0.0],
        "times": MARKS,
    },
    "local_model": {"function": "linear_model", "arguments": {"formula": "y ~ g"}},
}
STRANGE: list[Any] = [
    None,
    True,
    -1,
    0,
    1e308,
    -1e308,
    10**400,
    "",
    "x",
    "x; y",
    "__class__",
    [],
    [None],
    [[]],
    [1, 2, 3],
    [1e308, 1e308],
    [["x"]],
    ["x", "x"],
    ["nothing"],
    {},
    {"x": 1},
    {"x": [1]},
    {"x": [[2, 1]]},
    {"": [1e308]},
    {"g": ["a"] * 3},
    {"__class__": "x"},
]


def test_all_partial_functions_are_tried():
    assert GOOD.keys() == PARTIAL.keys()


@pytest.mark.parametrize("method", GOOD)
def test_the_arguments_are_good_ones(method: str):
    said = answer(PARTIAL[method], among_three(DATA, OPEN), {**GOOD[method]})
    assert "ok" in said, said


@pytest.mark.parametrize("floors", [OPEN, Floors()], ids=["open", "default"])
@pytest.mark.parametrize("method", GOOD)
def test_strange_arguments_are_answered_or_refused(method: str, floors: Floors):
    names = list(inspect.signature(PARTIAL[method]).parameters)[1:]
    requests = [{**GOOD[method], name: value} for name in names for value in STRANGE]
    requests += [{}, {**GOOD[method], "station": 1}, {**GOOD[method], "floors": {}}]
    for request in requests:
        said = answer(PARTIAL[method], among_three(DATA, floors), {**request})
        json.dumps(said, allow_nan=False)
        if "refused" in said:
            message = said["refused"]["message"]
            assert set(said["refused"]) == {"code", "message"}
            assert not any(f"{mark:g}"[:4] in message for mark in MARKS[1:]), message


def test_products_of_many_levels_are_refused_before_they_are_built():
    random = np.random.default_rng(1)
    table = {
        name: np.array([f"{name}{i}" for i in range(30)], object)[random.integers(0, 30, 200)]
        for name in "abc"
    }
    table["y"] = random.normal(size=200)
    with pytest.raises(Stopped) as stopped:
        linear_model(federation(table, 2), formula="y ~ a * b * c")
    assert stopped.value.message.endswith("it makes more than 2000 columns.")
