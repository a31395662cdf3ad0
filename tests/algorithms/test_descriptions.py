"""What summaries, tables, tests and correlations promise beyond the published numbers."""

import json
from typing import Any

import numpy as np
import pytest

from tests.algorithms.federation import Federation, federation, split
from tests.algorithms.test_models import ORDERS, assert_same, people
from vantage6.algorithms.comparison.central import anova, ttest
from vantage6.algorithms.correlation.central import correlation, pca
from vantage6.algorithms.crosstab.central import crosstab
from vantage6.algorithms.statistics.sentences import Stopped
from vantage6.algorithms.summary.central import histogram, summary
from vantage6.common.disclosure.floors import Floors

CALLS: dict[str, tuple[Any, dict[str, Any]]] = {
    "summary": (summary, {"columns": ["x", "g", "count"]}),
    "summary by": (summary, {"columns": ["x", "count"], "by": "g"}),
    "histogram": (histogram, {"column": "x"}),
    "crosstab": (crosstab, {"rows": "g", "columns": "yes"}),
    "ttest": (ttest, {"column": "big", "group": "yes"}),
    "anova": (anova, {"column": "big", "group": "g"}),
    "correlation": (correlation, {"columns": ["x", "y", "big"]}),
    "pca": (pca, {"columns": ["x", "y", "big"]}),
}


@pytest.mark.parametrize("name", CALLS)
def test_sites_in_any_order_give_the_same_bytes(name: str):
    call, arguments = CALLS[name]
    shares = split(people(), 5)
    answers = {json.dumps(call(Federation(shares, order=order), **arguments)) for order in ORDERS}
    assert len(answers) == 1


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("sites", [3, 18])
def test_any_split_gives_the_result_of_the_pooled_records(name: str, sites: int):
    call, arguments = CALLS[name]
    pooled = call(federation(people(), 1), **arguments)
    assert_same(call(federation(people(), sites), **arguments)["result"], pooled["result"], 1e-8)


@pytest.mark.parametrize("name", CALLS)
def test_a_lost_site_leaves_the_result_of_the_others(name: str):
    call, arguments = CALLS[name]
    shares = split(people(), 3)
    others = call(Federation({1: shares[1], 3: shares[3]}), **arguments)
    for lost_in in (1, 2):
        sites = Federation(shares)
        sites.absent = {(lost_in, 2)}
        with pytest.raises(Stopped) as stopped:
            call(sites, **arguments)
        assert stopped.value.message.startswith("Organization 2 takes no part: Its node is offline")
        sites = Federation(shares)
        sites.absent = {(lost_in, 2)}
        answer = call(sites, **arguments, min_organizations=2)
        assert answer["organizations"]["used"] == [1, 3]
        if name != "histogram":  # whose default edges stay those of the first rounds
            assert_same(answer["result"], others["result"], 1e-8)


@pytest.mark.parametrize("cell", [5, 10])
def test_quantiles_of_stations_that_hide_counts_lie_within_their_bounds(cell: int):
    random = np.random.default_rng(11)
    columns = {
        "normal": random.normal(50, 8, 900),
        "skewed": random.lognormal(0, 1, 900),
        "whole": np.round(random.normal(60, 12, 900)),
    }
    sites = federation(columns, 3, floors=Floors(records=cell, cell=cell))
    answer = summary(sites, columns=list(columns))
    assert answer["rounds"] == 3
    for name, values in columns.items():
        column = answer["result"]["columns"][name]
        assert len(column["quantiles"]) == 7
        told = [row for row in column["quantiles"] if row["value"] is not None]
        assert len(told) >= 5
        for row in told:
            truth = np.quantile(values, row["p"])
            assert row["lower"] - 1e-9 <= truth <= row["upper"] + 1e-9, (name, row, truth)
            if 0.25 <= row["p"] <= 0.75:
                assert row["upper"] - row["lower"] < column["sd"] / 2
    shown = [
        said["ok"]
        for method, _, said in sites.calls
        if method == "counts"
        for said in said.values()
    ]
    for ok in shown:
        for lists in ok["columns"].values():
            (kept,) = lists
            numbers = [0, *(number for _, number in kept), 300]
            assert min(np.diff(numbers)) >= cell


def test_edges_between_the_points_of_a_stations_lattice_are_refused():
    sites = federation(people(90), 3, floors=Floors(dominance=None))
    answer = summary(sites, columns=["x"], quantiles=[])
    mean = answer["result"]["columns"]["x"]["mean"]
    arguments = {"columns": ["x"], "edges": {"x": [[mean]]}}
    said = sites.ask("counts", arguments, [1, 2, 3])[1]["refused"]
    assert said["code"] == "too_fine"
    assert said["message"].startswith("Edges of column 'x' must be multiples of 0.0")
    arguments["edges"] = {"x": [[0.0], [0.5]]}
    assert sites.ask("counts", arguments, [1, 2, 3])[1]["refused"]["code"] == "bad_argument"


def test_small_tail_groups_give_no_quantile_and_say_so():
    sites = federation(people(60), 6, floors=Floors(dominance=None))
    answer = summary(sites, columns=["x"], quantiles=[0.05, 0.5])
    low = answer["result"]["columns"]["x"]["quantiles"][0]
    assert low["value"] is None
    assert {
        "code": "quantile_in_tail",
        "message": "Too few values lie beyond the 5 % quantile of column 'x' at some organization.",
    } in answer["warnings"]


def test_a_masked_cell_is_neither_zero_nor_tested():
    table = {"a": np.array(["u"] * 60 + ["v"] * 60, object), "b": np.array(["x", "y"] * 60, object)}
    table["b"][:58] = "x"
    sites = federation(table, 2, floors=Floors())
    answer = crosstab(sites, rows="a", columns="b")
    result = answer["result"]
    assert any(cell is None for row in result["counts"] for cell in row)
    assert result["chi_squared"] is None
    assert result["fisher"] is None
    assert answer["warnings"][-1]["message"].endswith("no test can be computed. Merge levels.")
    assert np.sum(result["at_least"]) < 120


def test_a_histogram_with_hidden_counts_knows_all_records():
    sites = federation(people(90), 3, floors=Floors(dominance=None))
    answer = histogram(sites, column="x", bins=12)
    assert answer["result"]["masked"]
    assert (answer["n"]["rows"], answer["n"]["used"], answer["n"]["missing"]) == (90, 90, 0)
    assert [warning["message"] for warning in answer["warnings"]] == [
        f"{sum(one['cells'] for one in answer['result']['masked'])} counts are hidden because "
        "they are small."
    ]


def test_groups_are_whole_or_absent():
    table = people(90)
    table["g"] = np.array(["a"] * 43 + ["b"] * 45 + ["c"] * 2, object)
    with pytest.raises(Stopped) as stopped:
        anova(federation(table, 3, floors=Floors(dominance=None, parties=1)), column="y", group="g")
    assert stopped.value.message == (
        "Organization 2 takes no part: Column 'g' splits the records into groups of fewer than 5. "
        "Ask with min_organizations=1 to go on without it."
    )
    # What no station would answer is no advice.
    with pytest.raises(Stopped) as stopped:
        anova(federation(table, 3, floors=Floors(dominance=None)), column="y", group="g")
    assert "Ask with" not in stopped.value.message
    shares = split(people(90), 2)
    shares[1]["g"][:] = "a"
    shares[2]["g"][:] = "b"
    answer = ttest(Federation(shares, floors=Floors(dominance=None)), column="x", group="g")
    assert answer["result"]["n"] == [45, 45]


@pytest.mark.parametrize(
    ("call", "arguments", "message"),
    [
        (ttest, {"column": "x", "group": "g"}, "Column 'g' has 3 levels; a t-test compares two."),
        (
            ttest,
            {"column": "g", "group": "yes"},
            "Column 'g' holds text, not numbers. Convert it at the station.",
        ),
        (
            correlation,
            {"columns": ["x", "y"], "method": "spearman"},
            "Ranks need the records of all organizations at once.",
        ),
        (correlation, {"columns": "x"}, "columns is a list of names."),
        (
            correlation,
            {"columns": ["x", "g"]},
            "Column 'g' holds text, not numbers. Convert it at the station.",
        ),
        (summary, {"columns": ["x"], "quantiles": [1.5]}, "quantiles lie between 0 and 1."),
        (histogram, {"column": "x", "edges": [1, 1]}, "edges must rise."),
        (
            crosstab,
            {"rows": "g", "columns": "yes", "levels": {"g": ["a"]}},
            "Column 'g' has values that are not among the given levels.",
        ),
    ],
)
def test_requests_that_do_not_fit_end_with_a_sentence(call: Any, arguments: Any, message: str):
    with pytest.raises(Stopped) as stopped:
        call(federation(people(), 3), **arguments)
    assert stopped.value.message == message


def test_columns_without_spread_give_no_statistic():
    table = {**people(60), "k": np.full(60, 0.1)}
    answer = correlation(federation(table, 3), columns=["x", "k"])
    assert answer["result"]["matrix"] == [[1.0, None], [None, None]]
    assert answer["warnings"][0]["message"] == "Column 'k' has the same value everywhere."
    assert pca(federation(table, 3), columns=["x", "k"])["result"]["loadings"] is None
    for call in (ttest, anova):
        answer = call(federation(table, 3), column="k", group="yes")
        assert answer["result"]["statistic"] is None
        assert answer["warnings"][0]["code"] == "no_spread"
    described = summary(federation(table, 3), columns=["k"])["result"]["columns"]["k"]
    assert described["mean"] == 0.1
    assert described["sd"] < 1e-15


def test_a_column_that_is_empty_at_a_site_takes_no_part_there():
    shares = split(people(60), 3)
    shares[2]["x"] = np.full(20, np.nan)
    answer = summary(Federation(shares), columns=["x", "g"])
    column = answer["result"]["columns"]["x"]
    assert column["n"] == 40
    assert column["missing"] == 20
    values = np.concatenate([shares[1]["x"], shares[3]["x"]])
    assert column["mean"] == pytest.approx(values.mean(), rel=1e-14)
    assert correlation(Federation(shares), columns=["x", "y"])["result"]["n"] == 40


def test_few_missing_values_are_not_counted_in_public():
    table = people(90)
    table["x"] = table["x"].copy()
    table["x"][:2] = np.nan
    answer = summary(federation(table, 2, floors=Floors(dominance=None)), columns=["x"])
    assert answer["result"]["columns"]["x"]["missing"] is None
    assert answer["n"]["rows"] is None
    assert "masked" in {warning["code"] for warning in answer["warnings"]}
