"""Every answer has all its parts; rare ends are told; the packages are light and stand alone."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.algorithms.federation import Federation, federation, split
from tests.algorithms.test_models import assert_same, people
from tests.algorithms.test_survival import patients
from vantage6.algorithms.comparison.central import ttest
from vantage6.algorithms.correlation.central import pca
from vantage6.algorithms.crosstab.central import crosstab
from vantage6.algorithms.glm.central import glm, linear_model
from vantage6.algorithms.statistics.levels import canonical_text, ordered
from vantage6.algorithms.statistics.sentences import SENTENCES, Stopped
from vantage6.algorithms.summary.central import summary
from vantage6.algorithms.survival.central import cox
from vantage6.common.disclosure.floors import Floors


def warnings(answer: dict[str, Any]) -> dict[str, str]:
    return {warning["code"]: warning["message"] for warning in answer["warnings"]}


def test_an_answer_has_all_its_parts():
    shares = split(people(), 3)
    shares[2] = {name: values[:2] for name, values in shares[2].items()}
    sites = Federation(shares, floors=Floors(dominance=None))
    answer = linear_model(sites, formula="y ~ x", min_organizations=2)
    json.dumps(answer, allow_nan=False)
    assert set(answer) == {
        "function", "shelf", "organizations", "n", "rounds", "converged", "warnings", "versions",
        "result",
    }  # fmt: skip
    assert answer["organizations"] == {
        "asked": [1, 2, 3],
        "used": [1, 3],
        "excluded": [
            {
                "organization": 2,
                "round": 1,
                "code": "too_few_records",
                "message": "Fewer than 5 complete records: too few to keep them private.",
            }
        ],
    }
    assert answer["n"] == {
        "rows": 60,
        "used": 60,
        "missing": 0,
        "by_organization": [{"organization": 1, "used": 30}, {"organization": 3, "used": 30}],
    }
    assert {"shelf", "python", "numpy"} <= set(answer["versions"]["central"])
    assert answer["versions"]["differ"] == []


def test_organizations_with_other_versions_are_named():
    sites = federation(people(), 3)

    def tamper(method: str, number: int, said: Any) -> Any:
        if number == 3:
            said["versions"]["numpy"] = "1.0"
        return said

    sites.tamper = tamper
    answer = linear_model(sites, formula="y ~ x")
    assert answer["versions"]["differ"] == [{"organization": 3, "numpy": "1.0"}]


def test_another_number_of_columns_ends_the_analysis():
    for call, arguments, table in (
        (linear_model, {"formula": "y ~ x"}, people()),
        (glm, {"formula": "yes ~ x", "family": "binomial"}, people()),
        (cox, {"formula": "age", "time": "time", "event": "event"}, patients()),
    ):
        sites = federation(table, 3)

        def tamper(method: str, number: int, said: Any) -> Any:
            if number == 2 and "p" in said["ok"]:
                said["ok"]["p"] += 1
            return said

        sites.tamper = tamper
        with pytest.raises(Stopped) as stopped:
            call(sites, **arguments)
        assert stopped.value.code == "design_differs"
        assert "organization 2: shelf 1.0.0" in stopped.value.message


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_sites_of_hardly_any_row_are_answered_where_floors_are_open(rows: int):
    shares = split(people(), 3)
    shares[4] = {name: values[:rows] for name, values in shares[1].items()}
    answer = linear_model(Federation(shares), formula="y ~ x * g")
    assert answer["n"]["used"] == 90 + rows
    said = warnings(answer)
    assert ("empty" in said) == (rows == 0)
    if rows == 0:
        assert said["empty"] == "Organization 4 has no complete record."


def test_a_column_that_is_missing_throughout_a_site_counts_for_no_record():
    shares = split(people(), 3)
    shares[2]["g"] = np.array([None] * 30, dtype=object)
    answer = glm(Federation(shares), formula="count ~ x + g", family="poisson")
    others = glm(
        Federation({1: shares[1], 3: shares[3]}), formula="count ~ x + g", family="poisson"
    )
    assert_same(answer["result"]["coefficients"], others["result"]["coefficients"], 1e-10)
    assert warnings(answer)["empty"] == "Organization 2 has no complete record."


def test_without_any_record_the_analysis_ends():
    table = people()
    table["x"] = np.full(90, np.nan)
    for call, arguments in (
        (linear_model, {"formula": "y ~ x"}),
        (ttest, {"column": "x", "group": "yes"}),
        (crosstab, {"rows": "x", "columns": "g"}),
    ):
        with pytest.raises(Stopped) as stopped:
            call(federation(table, 3), **arguments)
        assert stopped.value.message == "No organization has a complete record."


def test_dates_are_no_numbers():
    table = people(30)
    table["day"] = np.array([datetime(2020, 1, 1 + i % 9, tzinfo=UTC) for i in range(30)], object)
    for call, arguments in (
        (linear_model, {"formula": "y ~ day"}),
        (summary, {"columns": ["day"]}),
    ):
        with pytest.raises(Stopped) as stopped:
            call(federation(table, 3), **arguments)
        assert stopped.value.message == (
            "Column 'day' holds dates, not numbers. Convert it at the station."
        )


def test_too_few_degrees_of_freedom_are_refused():
    floors = Floors(records=1, cell=1, parameters=None, residual_df=10, dominance=None)
    with pytest.raises(Stopped) as stopped:
        linear_model(federation(people(33), 3, floors=floors), formula="y ~ x")
    assert "2 parameters leave fewer than 10 degrees of freedom." in stopped.value.message


def test_a_perfect_fit_has_errors_of_zero_and_no_statistic():
    table = people(40)
    table["exact"] = 2 * table["x"] + 1
    answer = linear_model(federation(table, 3), formula="exact ~ x")
    assert "perfect_fit" in warnings(answer)
    for row in answer["result"]["coefficients"]:
        assert row["standard_error"] == 0
        assert row["statistic"] is None


def test_an_iteration_that_is_cut_short_says_so():
    answer = glm(federation(people(), 3), formula="yes ~ x", family="binomial", max_iterations=2)
    assert not answer["converged"]
    assert warnings(answer)["not_converged"].startswith("The estimates still changed after 3")
    assert answer["result"]["coefficients"][1]["estimate"] is not None


def test_counts_without_overdispersion_are_named():
    table = people(200)
    table["even"] = np.tile([2.0, 3.0], 100)
    answer = glm(federation(table, 3), formula="even ~ x", family="negative_binomial")
    assert warnings(answer)["no_overdispersion"].endswith("use family 'poisson'.")


def test_a_start_outside_the_family_is_refused():
    with pytest.raises(Stopped) as stopped:
        glm(
            federation(people(), 3),
            formula="yes ~ x",
            family="binomial",
            link="log",
            start={"Intercept": 3.0},
        )
    assert stopped.value.message == "No valid start was found; give start."


def test_small_expected_counts_and_large_tables_are_told():
    table = {
        "a": np.array(["u", "v", "u"] * 4, object),
        "b": np.array(["x"] * 9 + ["y"] * 3, object),
        "c": np.array(["p", "q", "r"] * 4, object),
    }
    answer = crosstab(federation(table, 2), rows="a", columns="b")
    assert warnings(answer)["small_expected"] == (
        "The smallest expected count is 1.0: read Fisher's test."
    )
    answer = crosstab(federation(table, 2), rows="a", columns="c")
    assert "fisher_not_offered" in warnings(answer)
    assert answer["result"]["fisher"] is None


def test_components_of_equal_variance_are_told():
    a = np.array([1.0, -1, 0, 0] * 5)
    b = np.array([0.0, 0, 1, -1] * 5)
    answer = pca(federation({"a": a, "b": b}, 2), columns=["a", "b"], scale=False)
    assert "close_components" in warnings(answer)


def test_a_model_of_the_constant_alone():
    answer = linear_model(federation(people(), 3), formula="y ~ 1")
    (row,) = answer["result"]["coefficients"]
    assert row["estimate"] == pytest.approx(people()["y"].mean(), rel=1e-14)
    fitted = glm(federation(people(), 3), formula="yes ~ 1", family="binomial")
    assert fitted["result"]["deviance"] == pytest.approx(fitted["result"]["null_deviance"])


def test_one_text_for_each_value():
    assert [canonical_text(v) for v in (1, 1.0, "1", np.int64(1), np.float64(1))] == ["1"] * 5
    assert [canonical_text(v) for v in (True, 0.1, None, float("nan"))] == [
        "True",
        "0.1",
        None,
        None,
    ]
    assert canonical_text("e\u0301") == "\u00e9"
    assert ordered(["10", "9", "1.5"]) == ["1.5", "9", "10"]
    assert ordered(["10", "9", "a"]) == ["10", "9", "a"]


def test_levels_are_one_whether_numbers_or_text():
    shares = split({**people(), "stage": np.tile([1.0, 2.0, 3.0], 30)}, 3)
    pooled = linear_model(Federation(shares), formula="y ~ C(stage)")["result"]
    shares[2]["stage"] = np.array(["1", "2", "3"], object)[shares[2]["stage"].astype(int) - 1]
    shares[3]["stage"] = shares[3]["stage"].astype(int)
    assert linear_model(Federation(shares), formula="y ~ C(stage)")["result"] == pooled
    assert [row["term"] for row in pooled["coefficients"]][1] == "C(stage)[T.2]"


def test_a_reference_may_be_a_number():
    table = {**people(), "stage": np.tile([1.0, 2.0, 3.0], 30)}
    one = linear_model(federation(table, 3), formula="y ~ C(stage, contr.treatment(2))")
    two = linear_model(federation(table, 3), formula="y ~ C(stage, contr.treatment('2'))")
    assert one["result"]["coefficients"] == two["result"]["coefficients"]
    names = [row["term"] for row in one["result"]["coefficients"]]
    assert names[1:] == [f"C(stage, contr.treatment('2'))[T.{level}]" for level in "13"]
    with pytest.raises(Stopped) as stopped:
        linear_model(federation(table, 3), formula="y ~ C(stage, contr.treatment(7))")
    assert stopped.value.message.endswith("its contrasts do not fit the levels.")


def test_frames_and_mappings_give_the_same():
    import pandas as pd

    table = people()
    frame = pd.DataFrame(table).astype({"count": "Int64", "g": "category"})
    frame["yes"] = frame["yes"].astype("boolean")
    formula = "y ~ x + g + `Größe µ`"
    one = linear_model(Federation({1: frame, 2: frame}), formula=formula)
    two = linear_model(Federation({1: table, 2: table}), formula=formula)
    assert one["result"] == two["result"]
    fitted = glm(Federation({1: frame}), formula="yes ~ count", family="binomial")
    wanted = glm(Federation({1: table}), formula="yes ~ count", family="binomial")
    assert fitted["result"] == wanted["result"]


def test_sentences_end_as_sentences():
    for code, text in SENTENCES.items():
        assert text.endswith((".", "}", "?")), code


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_any_order_of_rows_and_any_cut_gives_the_same_model(seed: int, sites: int):
    table = people(60)
    random = np.random.default_rng(seed)
    order = random.permutation(60)
    owner = random.integers(1, sites + 1, 60)
    shares = {
        site: {name: values[order][owner == site] for name, values in table.items()}
        for site in range(1, sites + 1)
    }
    wanted = linear_model(federation(table, 1), formula="y ~ x + g * big", weights="w")
    found = linear_model(Federation(shares), formula="y ~ x + g * big", weights="w")
    assert found["result"]["sigma"] == pytest.approx(wanted["result"]["sigma"], rel=1e-12)
    for one, other in zip(
        found["result"]["coefficients"], wanted["result"]["coefficients"], strict=True
    ):
        unit = max(abs(other["estimate"]), other["standard_error"])
        assert abs(one["estimate"] - other["estimate"]) <= 1e-12 * unit
        assert one["standard_error"] == pytest.approx(other["standard_error"], rel=1e-12)


def test_partial_functions_need_numpy_alone():
    subjects = (
        "comparison", "correlation", "crosstab", "glm", "meta", "summary", "survival",
    )  # fmt: skip
    imports = "; ".join(f"import vantage6.algorithms.{name}.partial" for name in subjects)
    code = f"import sys; {imports}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    # The tools have the forms of floors and cards, which import nothing.
    platform = {"vantage6.client", "vantage6.tools.loaders", "pydantic", "httpx2"}
    assert not ({"pandas", "scipy", "formulaic"} | platform) & set(loaded)


def test_the_module_of_the_image_loads_no_client_and_nothing_that_a_partial_does_without():
    code = "import sys, vantage6.algorithms.shelf; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"pandas", "scipy", "formulaic", "httpx2", "vantage6.client"} & set(loaded)
