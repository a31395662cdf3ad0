"""What leaves a station: the fields that the contract names, finite numbers, nothing else."""

import json
import math
from typing import Any

import pytest

from tests.algorithms.federation import federation
from tests.algorithms.test_models import people
from tests.algorithms.test_survival import TIMES, patients
from vantage6.algorithms.catalogue import PARTIAL
from vantage6.algorithms.comparison.central import anova
from vantage6.algorithms.correlation.central import pca
from vantage6.algorithms.crosstab.central import crosstab
from vantage6.algorithms.glm.central import glm, linear_model
from vantage6.algorithms.meta.central import meta_analysis
from vantage6.algorithms.summary.central import histogram, summary
from vantage6.algorithms.survival.central import cox, kaplan_meier
from vantage6.common.disclosure.floors import Floors

FIELDS = {
    "model_prepare": "rows n kinds levels factors products y w events times",
    "linear_sums": "n p cross log_w",
    "glm_step": ("n p valid score info observed deviance loglik pearson ratio2 null gamma theta"),
    "describe": "rows columns groups",
    "moments": "groups step",
    "counts": "columns groups",
    "histogram_counts": "n rows counts below above masked",
    "crosstab_levels": "rows n levels",
    "crosstab_counts": "counts masked",
    "survival_prepare": "rows n events levels sum square step times",
    "survival_bins": "allowed",
    "survival_counts": "groups",
    "log_rank": "n rho",
    "cox_step": "n events p valid loglik score info",
    "cox_sums": "n events p valid sums",
    "local_model": "n df terms",
}
#: Fields that only a station without a floor for counts sends.
ONLY_OPEN = {"times", "sums"}
CALLS: list[tuple[Any, dict[str, Any], Any]] = [
    (linear_model, {"formula": "y ~ x * g", "weights": "w"}, people),
    (glm, {"formula": "yes ~ x", "family": "binomial", "link": "probit"}, people),
    (glm, {"formula": "count ~ x", "family": "negative_binomial", "offset": "log_time"}, people),
    (glm, {"formula": "positive ~ x", "family": "gamma"}, people),
    (summary, {"columns": ["x", "g"]}, people),
    (summary, {"columns": ["x"], "by": "g"}, people),
    (histogram, {"column": "x"}, people),
    (crosstab, {"rows": "g", "columns": "yes"}, people),
    (anova, {"column": "x", "group": "g"}, people),
    (pca, {"columns": ["x", "y"]}, people),
    (cox, {**TIMES, "formula": "age + arm"}, patients),
    (kaplan_meier, {**TIMES, "group": "arm"}, patients),
    (
        meta_analysis,
        {"model": {"function": "linear_model", "arguments": {"formula": "y ~ x"}}},
        people,
    ),
]
OPEN_CALLS: list[tuple[Any, dict[str, Any], Any]] = [
    (cox, {**TIMES, "formula": "age + arm", "baseline": "pooled"}, patients),
    (kaplan_meier, {**TIMES, "group": "arm", "method": "exact"}, patients),
]


def numbers(value: Any) -> list[float]:
    """Return all numbers of a payload."""
    if isinstance(value, dict):
        return [n for item in value.values() for n in numbers(item)]
    if isinstance(value, list):
        return [n for item in value for n in numbers(item)]
    return [value] if isinstance(value, float) else []


def said_by(call: Any, arguments: dict[str, Any], table: Any, **options: Any) -> list[Any]:
    sites = federation(table(), 2, **options)
    call(sites, **arguments)
    return [(method, one) for method, _, answers in sites.calls for one in answers.values()]


def test_every_partial_function_is_named():
    assert FIELDS.keys() == PARTIAL.keys()


@pytest.mark.parametrize("place", range(len(CALLS)))
def test_stations_with_floors_send_only_what_is_named(place: int):
    floors = Floors(dominance=None, parameters=0.25)
    for method, one in said_by(*CALLS[place], floors=floors):
        assert set(one) == {"ok", "floors", "versions"}
        assert set(one["ok"]) <= set(FIELDS[method].split()) - ONLY_OPEN
        assert one["floors"] == json.loads(json.dumps(floors.to_json()))
        assert all(map(math.isfinite, numbers(one["ok"])))


@pytest.mark.parametrize("place", range(len(OPEN_CALLS)))
def test_stations_without_floors_send_only_what_is_named(place: int):
    for method, one in said_by(*OPEN_CALLS[place]):
        assert set(one["ok"]) <= set(FIELDS[method].split())
        assert all(map(math.isfinite, numbers(one["ok"])))


@pytest.mark.parametrize("place", range(len(CALLS)))
def test_no_value_of_a_record_is_among_the_numbers_sent(place: int):
    call, arguments, table = CALLS[place]
    floors = Floors(dominance=None, parameters=0.25)
    values = {float(v) for name in ("x", "y", "positive", "age") for v in table().get(name, [])}
    for _, one in said_by(call, arguments, table, floors=floors):
        assert not values & set(numbers(one["ok"]))
