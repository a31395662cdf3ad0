"""Summaries, tables, tests and correlations give the published numbers, over 3 and 18 sites."""

from typing import Any

import numpy as np
import pytest

from tests.algorithms.federation import federation
from tests.algorithms.reference import CASES, assert_close
from tests.algorithms.tables import table
from vantage6.algorithms.comparison.central import anova, ttest
from vantage6.algorithms.correlation.central import correlation, pca
from vantage6.algorithms.crosstab.central import crosstab
from vantage6.algorithms.summary.central import summary

#: p-values are exponential in the square of a statistic.
TOLERANCES = {"p": 1e-8, "p_yates": 1e-8, "fisher_p": 1e-8, "p_equal": 1e-8, "welch_p": 1e-8}
TTESTS = {
    "breast_t_mean_radius": ("breast", "mean_radius", "target"),
    "breast_t_mean_texture": ("breast", "mean_texture", "target"),
    "sleep": ("sleep", "extra", "group"),
}
ANOVAS = {
    "actg_anova": ("actg", "cd40", "arm"),
    "plant": ("plant", "weight", "group"),
    "smls1": ("smls1", "y", "treatment"),
    "smls4": ("smls4", "y", "treatment"),
}

both = pytest.mark.parametrize("sites", [3, 18])


@both
@pytest.mark.parametrize("case", ["numacc1", "numacc2", "numacc3", "numacc4"])
def test_means_and_deviations_equal_nists(case: str, sites: int):
    answer = summary(federation(table(case), sites), columns=["x"], quantiles=[])
    column = answer["result"]["columns"]["x"]
    assert_close(case, {"mean": column["mean"], "sd": column["sd"]}, {}, 1e-15)
    assert answer["rounds"] == 2


@both
def test_quantiles_are_exact_to_the_last_bit(sites: int):
    answer = summary(federation(table("diabetes"), sites), columns=["bmi"], precision=0)
    column = answer["result"]["columns"]["bmi"]
    found = {f"q.{100 * row['p']:g}": row["value"] for row in column["quantiles"]}
    assert all(row["exact"] for row in column["quantiles"])
    found |= {"mean": column["mean"], "sd": column["sd"]}
    assert_close(
        "diabetes_summary",
        {k.replace("q.5", "q.5"): v for k, v in found.items()},
        {"q": 0.0},
        1e-15,
    )
    assert answer["rounds"] <= 2 + 8


@both
def test_several_columns_are_described_at_once(sites: int):
    names = ["age", "cd40", "wtkg"]
    answer = summary(
        federation(table("actg"), sites), columns=names, quantiles=[0.25, 0.5, 0.75], precision=0
    )
    found = {}
    for name in names:
        column = answer["result"]["columns"][name]
        found |= {f"mean.{name}": column["mean"], f"sd.{name}": column["sd"]}
        for i, row in enumerate(column["quantiles"], 1):
            found[f"q.{name}.{i}"] = row["value"]
    assert_close("actg_summary", found, {"q": 0.0}, 1e-15)


@both
@pytest.mark.parametrize("case", TTESTS)
def test_t_tests_equal_the_published_ones(case: str, sites: int):
    name, column, group = TTESTS[case]
    answer = ttest(federation(table(name), sites), column=column, group=group)
    result = answer["result"]
    found = {
        "t": result["statistic"],
        "df": result["df"],
        "p": result["p_value"],
        "ci.1": result["ci"]["lower"],
        "ci.2": result["ci"]["upper"],
        "t_equal": result["equal"]["statistic"],
        "p_equal": result["equal"]["p_value"],
    }
    assert_close(case, {k: found[k] for k in CASES[case]["values"]}, TOLERANCES, 1e-12)
    assert answer["rounds"] == 2


@both
@pytest.mark.parametrize("case", ANOVAS)
def test_analyses_of_variance_equal_the_published_ones(case: str, sites: int):
    name, column, group = ANOVAS[case]
    answer = anova(federation(table(name), sites), column=column, group=group)
    result = answer["result"]
    found = {
        "F": result["statistic"],
        "p": result["p_value"],
        "ssb": result["between"]["sum_of_squares"],
        "ssw": result["within"]["sum_of_squares"],
        "welch_F": result["welch"]["statistic"],
        "welch_df": result["welch"]["df"][1],
        "welch_p": result["welch"]["p_value"],
    }
    assert_close(case, {k: found[k] for k in CASES[case]["values"]}, TOLERANCES, 1e-12)
    assert answer["rounds"] == 2


@both
def test_correlations_equal_the_published_ones(sites: int):
    names = ["bmi", "bp", "s1", "s5", "target"]
    answer = correlation(federation(table("diabetes"), sites), columns=names)
    result = answer["result"]
    pairs = [(i, j) for j in range(5) for i in range(j)]
    found: dict[str, Any] = {f"r.{k}": result["matrix"][i][j] for k, (i, j) in enumerate(pairs, 1)}
    found |= {
        "t": result["statistics"][0][4],
        "lower": result["ci"]["lower"][0][4],
        "upper": result["ci"]["upper"][0][4],
    }
    assert_close("diabetes_cor", found, {}, 1e-12)
    assert answer["rounds"] == 2


@both
def test_principal_components_equal_the_published_ones(sites: int):
    names = ["Murder", "Assault", "UrbanPop", "Rape"]
    scaled = pca(federation(table("arrests"), sites), columns=names)["result"]
    raw = pca(federation(table("arrests"), sites), columns=names, scale=False)["result"]
    found = {f"sdev.{j}": sd for j, sd in enumerate(scaled["standard_deviations"], 1)}
    found |= {f"sdev_cov.{j}": sd for j, sd in enumerate(raw["standard_deviations"], 1)}
    loadings = np.array(scaled["loadings"])
    for i in range(4):
        for j in range(4):
            found[f"load.{i + 1}.{j + 1}"] = loadings[j, i]
    assert_close("arrests", found, {"load": 1e-11}, 1e-12)


@both
@pytest.mark.parametrize(
    ("case", "name", "rows", "columns"),
    [
        ("hair_chi", "hair", "Hair", "Eye"),
        ("ucb_chi", "ucb", "Admit", "Gender"),
        ("ucb_A", "ucb", "Admit", "Gender"),
    ],
)
def test_tables_and_their_tests_equal_the_published_ones(
    case: str, name: str, rows: str, columns: str, sites: int
):
    data = table(name)
    if case == "ucb_A":
        data = data[data["Dept"] == "A"]
    answer = crosstab(federation(data, sites), rows=rows, columns=columns)
    result = answer["result"]
    fisher = result["fisher"] or {}
    found = {
        "chi": result["uncorrected"]["statistic"],
        "p": result["uncorrected"]["p_value"],
        "df": result["uncorrected"]["df"],
        "chi_yates": result["chi_squared"]["statistic"],
        "p_yates": result["chi_squared"]["p_value"],
        "fisher_p": fisher.get("p_value"),
        # Not offered: R's own has five digits.
        "fisher_or_conditional": CASES[case]["values"].get("fisher_or_conditional"),
    }
    assert_close(case, {k: found[k] for k in CASES[case]["values"]}, TOLERANCES, 1e-12)
    assert answer["rounds"] == 2
