"""What survival models and curves promise beyond the published numbers."""

import json
from typing import Any

import numpy as np
import pytest

from tests.algorithms.federation import Federation, federation, split
from tests.algorithms.test_models import ORDERS, assert_same
from vantage6.algorithms.statistics.sentences import Stopped
from vantage6.algorithms.survival.central import cox, kaplan_meier
from vantage6.algorithms.survival.kaplan_meier import finest_partition
from vantage6.common.disclosure.floors import Floors

TIMES = {"time": "time", "event": "event"}


def patients(n: int = 240, seed: int = 2) -> dict[str, np.ndarray]:
    """Return made-up patients of two arms, a third of them censored, with tied times."""
    random = np.random.default_rng(seed)
    age = random.normal(60, 9, n)
    arm = np.array(["a", "b"])[random.integers(0, 2, n)]
    hazard = 0.01 * np.exp(0.03 * (age - 60) - 0.6 * (arm == "b"))
    death, leaving = random.exponential(1 / hazard), random.uniform(10, 250, n)
    return {
        "age": age,
        "arm": arm.astype(object),
        "stage": random.integers(1, 4, n).astype(float),
        "time": np.ceil(np.minimum(death, leaving)),
        "event": (death <= leaving).astype(float),
    }


CALLS: dict[str, tuple[Any, dict[str, Any]]] = {
    "stratified": (cox, {**TIMES, "formula": "age * arm + C(stage)"}),
    "pooled": (cox, {**TIMES, "formula": "age + arm", "baseline": "pooled", "time_unit": 7}),
    "grid": (kaplan_meier, {**TIMES, "group": "arm"}),
    "exact": (kaplan_meier, {**TIMES, "method": "exact", "group": "arm", "test_scope": "pooled"}),
    "tests": (kaplan_meier, {**TIMES, "method": "none", "group": "arm"}),
}


@pytest.mark.parametrize("name", CALLS)
def test_sites_in_any_order_give_the_same_bytes(name: str):
    call, arguments = CALLS[name]
    shares = split(patients(100), 5)
    answers = {json.dumps(call(Federation(shares, order=order), **arguments)) for order in ORDERS}
    assert len(answers) == 1


@pytest.mark.parametrize("name", ["pooled", "grid", "exact"])
def test_any_split_gives_the_result_of_the_pooled_records(name: str):
    call, arguments = CALLS[name]
    arguments = {**arguments, "test_scope": "pooled"} if call is kaplan_meier else arguments
    pooled = call(federation(patients(), 1), **arguments)["result"]
    table = patients()
    order = np.random.default_rng(8).permutation(240)
    shuffled = {key: values[order] for key, values in table.items()}
    for shares in (split(table, 3), split(shuffled, 18)):
        assert_same(call(Federation(shares), **arguments)["result"], pooled, 1e-9)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("lost_in", [1, 2, 3])
def test_a_lost_site_leaves_the_result_of_the_others(name: str, lost_in: int):
    call, arguments = CALLS[name]
    shares = split(patients(), 3)
    others = call(Federation({1: shares[1], 3: shares[3]}), **arguments)
    sites = Federation(shares)
    sites.absent = {(lost_in, 2)}
    answer = call(sites, **arguments, min_organizations=2)
    if lost_in > others["rounds"]:
        return
    assert answer["organizations"]["used"] == [1, 3]
    if name == "grid" and lost_in > 1:
        # The candidates of the first rounds stay.
        answer["result"] = answer["result"]["tests"]
        others["result"] = others["result"]["tests"]
    if name == "exact" and lost_in > 1:
        answer["result"]["times"] = others["result"]["times"]
    assert_same(answer["result"], others["result"], 1e-8)


def test_one_stratum_equals_the_pooled_baseline():
    arguments = {**TIMES, "formula": "age + arm"}
    one = cox(federation(patients(), 1), **arguments)["result"]
    pooled = cox(federation(patients(), 3), baseline="pooled", **arguments)["result"]
    assert_same(one["coefficients"], pooled["coefficients"], 1e-11)
    assert_same(one["log_likelihood"], pooled["log_likelihood"], 1e-12)


def test_nearly_all_records_of_a_station_stay_there():
    sites = federation(patients(), 3, floors=Floors())
    for arguments, message in (
        ({"baseline": "pooled"}, "Risk sets of one organization are nearly its records. "),
        ({"method": "exact"}, "Exact survival times of one organization are nearly its records. "),
    ):
        call, rest = (cox, {"formula": "age"}) if "baseline" in arguments else (kaplan_meier, {})
        with pytest.raises(Stopped) as stopped:
            call(sites, **TIMES, **rest, **arguments)
        assert stopped.value.message.startswith(message)
    asked = {**TIMES, "formula": "age", "levels": {}, "centres": {"age": 60.0}}
    asked |= {"basis": None}
    pooled = {**asked, "times": [1.0, 2.0], "beta": [0.0]}
    assert sites.ask("cox_sums", pooled, [1, 2, 3])[1]["refused"]["code"] == "pooled_refused"
    chosen = {**asked, "ties": "efron", "beta": [50.0]}
    assert sites.ask("cox_step", chosen, [1, 2, 3])[1]["refused"]["code"] == "concentrated"
    assert "ok" in sites.ask("cox_step", {**chosen, "beta": [0.01]}, [1, 2, 3])[1]


def test_grids_of_counts_show_no_small_one():
    sites = federation(patients(), 3, floors=Floors())
    answer = kaplan_meier(sites, **TIMES, group="arm", at=[60.0])
    assert answer["result"]["estimator"] == "life_table"
    assert answer["warnings"][0]["code"] == "coarsened"
    assert answer["rounds"] == 4
    for method, _, said in sites.calls:
        if method == "survival_counts":
            for one in said.values():
                for counts in one["ok"]["groups"].values():
                    for cell in counts["events"] + counts["censored"]:
                        assert cell == 0 or cell >= 5
    # Close to the curve of the records themselves.
    exact = kaplan_meier(federation(patients(), 3), **TIMES, group="arm", method="exact")
    for coarse, fine in zip(answer["result"]["curves"], exact["result"]["curves"], strict=True):
        for t, survival in zip(coarse["rows"]["time"], coarse["rows"]["survival"], strict=True):
            if t == 60.0 and t not in answer["result"]["times"]:
                assert survival is None
                continue
            known = [
                s
                for u, s in zip(fine["rows"]["time"], fine["rows"]["survival"], strict=True)
                if u <= t
            ]
            assert abs(survival - known[-1]) < 0.15
    assert_same(answer["result"]["tests"], exact["result"]["tests"], 1e-12)


def test_edges_between_the_points_of_the_lattice_are_refused():
    sites = federation(patients(), 3, floors=Floors())
    asked = {**TIMES, "group": None, "levels": [""], "edges": [31.4]}
    for method in ("survival_bins", "survival_counts"):
        said = sites.ask(method, asked, [1, 2, 3])[1]["refused"]
        assert said["code"] == "too_fine"
        assert said["message"].startswith("Edges of column 'time' must be multiples of ")
    asked["edges"] = [5.0, 10.0]
    assert sites.ask("survival_counts", asked, [1, 2, 3])[1]["refused"]["code"] == "small_cell"


def test_the_finest_partition_is_found():
    # Points start, 1, 2, 3, end; (start, 1] and (2, 3] are forbidden.
    forbidden = {(0, 1), (2, 3)}
    flags = [(i, j) not in forbidden for i in range(4) for j in range(i + 1, 5)]
    assert finest_partition([1.0, 2.0, 3.0], flags) == [3.0]
    assert finest_partition([1.0, 2.0, 3.0], [True] * 10) == [1.0, 2.0, 3.0]
    only_whole = [(i, j) == (0, 4) for i in range(4) for j in range(i + 1, 5)]
    assert finest_partition([1.0, 2.0, 3.0], only_whole) == []


def test_a_group_without_events_is_named():
    table = patients()
    table["arm"][:20] = "c"
    table["event"][:20] = 0.0
    answer = cox(federation(table, 3), **TIMES, formula="age + arm")
    assert not answer["converged"]
    assert answer["warnings"][-1]["message"] == (
        "The outcome is determined by the terms (arm[T.c]): no finite estimate exists."
    )
    assert answer["rounds"] < 20


def test_levels_of_a_lost_site_become_absent():
    shares = split(patients(), 3)
    shares[2]["arm"] = np.where(np.arange(80) < 30, "only", shares[2]["arm"]).astype(object)
    for baseline in ("stratified", "pooled"):
        arguments = {**TIMES, "formula": "age + arm", "baseline": baseline}
        sites = Federation(shares)
        sites.absent = {(3, 2)}
        answer = cox(sites, min_organizations=2, **arguments)
        others = cox(Federation({1: shares[1], 3: shares[3]}), **arguments)
        found = {row["term"]: row for row in answer["result"]["coefficients"]}
        assert found.pop("arm[T.only]")["dropped"] == "absent_level"
        assert answer["converged"]
        assert_same(list(found.values()), others["result"]["coefficients"], 1e-9)
        for name in ("log_likelihood", "score", "wald", "likelihood_ratio"):
            assert_same(answer["result"][name], others["result"][name], 1e-9)


def test_a_step_too_far_is_halved():
    random = np.random.default_rng(0)
    x = random.lognormal(0, 3, 120)
    time = random.exponential(1 / (1 + np.log1p(x)))
    table = {"x": x, "time": time, "event": np.ones(120)}
    answer = cox(federation(table, 3), **TIMES, formula="x")
    assert answer["converged"]
    values = answer["result"]["log_likelihood"]
    assert values["model"] > values["null"]


def test_a_site_without_events_adds_nothing():
    shares = split(patients(), 3)
    shares[4] = {name: values[:20].copy() for name, values in shares[1].items()}
    shares[4]["event"][:] = 0.0
    answer = cox(Federation(shares), **TIMES, formula="age + arm")
    others = cox(Federation({i: shares[i] for i in (1, 2, 3)}), **TIMES, formula="age + arm")
    assert answer["organizations"]["used"] == [1, 2, 3, 4]
    found = [(row["term"], row["estimate"]) for row in answer["result"]["coefficients"]]
    wanted = [(row["term"], row["estimate"]) for row in others["result"]["coefficients"]]
    assert found == [(term, pytest.approx(value, rel=1e-10)) for term, value in wanted]


def test_constant_and_repeated_terms_are_dropped():
    table = {**patients(), "k": np.full(240, 0.3)}
    table["twice"] = 2 * table["age"]
    for baseline in ("stratified", "pooled"):
        answer = cox(federation(table, 3), **TIMES, formula="age + k + twice", baseline=baseline)
        reasons = [row["dropped"] for row in answer["result"]["coefficients"]]
        assert reasons == [None, "constant", "collinear"]
        assert answer["converged"]


@pytest.mark.parametrize(
    ("change", "call", "message"),
    [
        ({"time": [-1.0] * 240}, cox, "Times are negative for some records."),
        ({"event": [2.0] * 240}, cox, "Column 'event' must be 0 or 1."),
        ({"event": [0.0] * 240}, cox, "No organization has an event."),
        ({"time": [-1.0] * 240}, kaplan_meier, "Times are negative for some records."),
        ({"event": [2.0] * 240}, kaplan_meier, "Column 'event' must be 0 or 1."),
        (
            {"time": ["5"] * 240},
            cox,
            "Column 'time' holds text, not numbers. Convert it at the station.",
        ),
    ],
)
def test_times_and_events_that_are_none_are_refused(change: Any, call: Any, message: str):
    table = patients()
    for name, values in change.items():
        table[name] = np.array(values, dtype=object if isinstance(values[0], str) else float)
    rest = {"formula": "age"} if call is cox else {}
    with pytest.raises(Stopped) as stopped:
        call(federation(table, 3), **TIMES, **rest)
    assert stopped.value.message == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ties": "exact"}, "ties is 'efron' or 'breslow'."),
        ({"baseline": "none"}, "baseline is 'stratified' or 'pooled'."),
        ({"time_unit": 0}, "time_unit is above 0."),
        ({"event": "time"}, "time and event are different columns."),
    ],
)
def test_arguments_that_do_not_fit_end_with_a_sentence(arguments: Any, message: str):
    with pytest.raises(Stopped) as stopped:
        cox(federation(patients(), 3), **{**TIMES, "formula": "age", **arguments})
    assert stopped.value.message == message


def test_an_outcome_in_the_formula_is_told_where_it_belongs():
    with pytest.raises(Stopped) as stopped:
        cox(federation(patients(), 3), **TIMES, formula="Surv(time, event) ~ age")
    assert stopped.value.message == (
        "'Surv(time, event)' cannot be used in a formula here: "
        "the arguments time and event name the outcome, and formula only the terms."
    )


def test_few_events_of_a_group_are_refused_with_both_columns():
    table = patients()
    table["event"][table["arm"] == "b"] = 0.0
    table["event"][np.flatnonzero(table["arm"] == "b")[:6]] = 1.0
    sites = federation(table, 3, floors=Floors(parties=1))
    with pytest.raises(Stopped) as stopped:
        kaplan_meier(sites, **TIMES, group="arm")
    assert "Column 'event, arm' splits the records into groups" in stopped.value.message


def test_groups_and_times_are_different_columns():
    with pytest.raises(Stopped) as stopped:
        kaplan_meier(federation(patients(), 3), **TIMES, group="time")
    assert stopped.value.message == "time, event and group are different columns."
