"""A partial function that is called directly below a floor refuses; and what the sentences say."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.algorithms.test_hostile_arguments import DATA, GOOD, MARKS
from vantage6.algorithms.catalogue import PARTIAL
from vantage6.algorithms.statistics.sentences import sentence
from vantage6.algorithms.statistics.station import Station, answer
from vantage6.common.disclosure.floors import PRESETS, Floors

OPEN = PRESETS["open"]
FEW = {name: np.concatenate([values[:2], values[-2:]]) for name, values in DATA.items()}
MODELS = {"model_prepare", "linear_sums", "glm_step", "cox_step", "cox_sums", "local_model"}
LEVELS = {"describe", "crosstab_levels", "crosstab_counts", "survival_prepare", "log_rank"}
#: Floor -> its value, and the functions that it is for; all others answer below it.
BELOW: dict[str, tuple[Any, set[str]]] = {
    "records": (5, set(GOOD)),
    "parties": (4, set(GOOD)),
    "residual_df": (60, MODELS | {"moments", "describe"}),
    "parameters": (0.001, MODELS),
    "effective": (61, MODELS),
    "levels": (1, LEVELS | {"local_model"}),
    # Two groups of 30: those of a category, of an event, or of an outcome.
    "cell": (
        31,
        LEVELS | MODELS - {"model_prepare", "linear_sums"} | {"survival_bins", "survival_counts"},
    ),
}


@pytest.mark.parametrize(
    ("floor", "method"), [(floor, method) for floor in BELOW for method in GOOD]
)
def test_each_partial_function_refuses_below_each_floor_that_is_for_it(floor: str, method: str):
    value, meant = BELOW[floor]
    floors = replace(OPEN, **{floor: value})
    station = Station(FEW if floor == "records" else DATA, floors, (1, 2, 3))
    said = answer(PARTIAL[method], station, {**GOOD[method]})
    assert ("refused" in said) == (method in meant), said
    if "refused" in said:
        assert "ok" not in said
        assert not any(f"{mark:g}"[:4] in said["refused"]["message"] for mark in MARKS)


def test_the_squares_of_a_group_need_their_degrees_of_freedom():
    # A group of ten has nine, and the output rules of SACRO ask for ten.
    station = Station(
        {"x": np.arange(20.0), "g": np.tile([0.0, 1.0], 10)}, PRESETS["sacro"], (1, 2)
    )
    for complete in (True, False):
        for method in ("describe", "moments"):
            asked: dict[str, Any] = {"columns": ["x"], "by": "g", "complete": complete}
            if method == "moments":
                asked["centre"] = {"0": [0.0], "1": [0.0]}
            said = answer(PARTIAL[method], station, asked)
            assert said["refused"] == {
                "code": "too_few_degrees_of_freedom",
                "message": "1 parameter leaves fewer than 10 degrees of freedom.",
            }


@pytest.mark.parametrize(
    ("code", "values", "message"),
    [
        (
            "too_many_levels",
            {"column": "x", "levels": 40},
            "Column 'x' has more than 40 levels: it looks like an identifier.",
        ),
        (
            "design_differs",
            {"versions": "organization 2: numpy 1"},
            "The organizations built different models; their versions are organization 2: numpy 1. "
            "Use the same image everywhere.",
        ),
        (
            "local_fit_failed",
            {"reason": "it did not converge"},
            "The model could not be fitted at this station: it did not converge.",
        ),
        ("dominance", {"column": "x"}, "One or two records make up most of column 'x'."),
        (
            "floors_unreadable",
            {},
            "The floors of this station cannot be read; it refuses until they can.",
        ),
        (
            "place_unknown",
            {},
            "The node of this station does not say which of the organizations asked it is. "
            "Update it.",
        ),
        ("one_organization", {}, "Only one organization took part: this is its own result."),
        ("absent_level", {"term": "g[T.c]"}, "Term 'g[T.c]' has no record and was dropped."),
        (
            "not_converged",
            {"rounds": 26},
            "The estimates still changed after 26 rounds. "
            "Raise max_iterations, or simplify the model.",
        ),
        (
            "perfect_fit",
            {},
            "The model reproduces the outcome: there is no spread left to estimate errors.",
        ),
        (
            "no_overdispersion",
            {},
            "The counts vary no more than a Poisson model allows: use family 'poisson'.",
        ),
        ("fisher_not_offered", {}, "Fisher's test is offered for tables of two by two only."),
        (
            "masked_cells",
            {"cells": 3},
            "3 cells are hidden because they are small; no test can be computed. Merge levels.",
        ),
        (
            "no_spread",
            {},
            "A group has fewer than two records, or no value differs within the groups.",
        ),
        (
            "close_components",
            {},
            "Some components have nearly equal variance: their loadings are arbitrary.",
        ),
        (
            "coarsened",
            {},
            "Intervals of time were merged until no organization shows a small count.",
        ),
    ],
)
def test_the_sentences_that_no_other_test_compares(code: str, values: Any, message: str):
    assert sentence(code, **values) == message


def test_the_table_of_floors_is_complete():
    others = {"zeros", "dominance"}  # in tests of their own
    assert set(BELOW) | others == set(Floors.__dataclass_fields__)
