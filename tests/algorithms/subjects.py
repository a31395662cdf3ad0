"""One published case of each subject: data, task, and what its answer must equal."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.algorithms.reference import CASES, assert_close
from tests.algorithms.test_meta import ESTIMATES
from tests.algorithms.test_reference_models import GLM, LINEAR, glm_values, linear_values
from tests.algorithms.test_reference_survival import cox_values, curve_values

Values = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """A central function, its arguments, and the published numbers by the names of the case."""

    function: str
    case: str
    table: str
    arguments: dict[str, Any]
    values: Callable[[dict[str, Any]], Values]
    tolerances: dict[str, float] = field(default_factory=dict)
    least: float = 1e-12

    def check(self, answer: dict[str, Any]) -> None:
        """Fail unless the answer equals the published one within the tolerances."""
        assert answer["function"] == self.function
        assert answer["converged"]
        # A call of fewer numbers than the case has is compared in those.
        found = self.values(answer["result"] | {"answer": answer})
        wanted = CASES[self.case]["values"]
        assert found
        assert_close(
            self.case,
            {key: found.get(key, value) for key, value in wanted.items()},
            self.tolerances,
            self.least,
        )


def _mean_and_sd(result: dict[str, Any]) -> Values:
    column = result["columns"]["x"]
    return {"mean": column["mean"], "sd": column["sd"]}


def _table(result: dict[str, Any]) -> Values:
    test = result["uncorrected"]
    return {"chi": test["statistic"], "p": test["p_value"], "df": test["df"]}


def _welch(result: dict[str, Any]) -> Values:
    return {"t": result["statistic"], "df": result["df"], "p": result["p_value"]}


def _variance(result: dict[str, Any]) -> Values:
    between, within = (result[part]["sum_of_squares"] for part in ("between", "within"))
    return {"F": result["statistic"], "ssb": between, "ssw": within}


def _first_correlation(result: dict[str, Any]) -> Values:
    return {"r.1": result["matrix"][0][1], "t": result["statistics"][0][4]}


def _deviations(result: dict[str, Any]) -> Values:
    return {f"sdev.{j}": sd for j, sd in enumerate(result["standard_deviations"], 1)}


def _effect(result: dict[str, Any]) -> Values:
    (effect,) = result["effects"]
    return {"estimate": effect["estimate"], "se": effect["standard_error"]}


_TIMES = {"time": "t", "event": "status"}
SUBJECTS = [
    Subject(
        "summary",
        "numacc4",
        "numacc4",
        {"columns": ["x"], "quantiles": []},
        _mean_and_sd,
        {},
        1e-15,
    ),
    Subject(
        "crosstab", "hair_chi", "hair", {"rows": "Hair", "columns": "Eye"}, _table, {"p": 1e-8}
    ),
    Subject("ttest", "sleep", "sleep", {"column": "extra", "group": "group"}, _welch, {"p": 1e-8}),
    Subject("anova", "plant", "plant", {"column": "weight", "group": "group"}, _variance),
    Subject(
        "correlation",
        "diabetes_cor",
        "diabetes",
        {"columns": ["bmi", "bp", "s1", "s5", "target"]},
        _first_correlation,
    ),
    Subject(
        "pca",
        "arrests",
        "arrests",
        {"columns": ["Murder", "Assault", "UrbanPop", "Rape"]},
        _deviations,
    ),
    Subject(
        "linear_model",
        "longley",
        "longley",
        {"formula": LINEAR["longley"][1]},
        lambda result: linear_values(result["answer"]),
    ),
    Subject(
        "glm",
        "warp",
        "warp",
        GLM["warp"][1],
        lambda result: glm_values(result["answer"], "warp"),
        {"coef": 1e-11, "se": 1e-10},
    ),
    Subject(
        "cox",
        "leukemia_breslow_1",
        "leukemia",
        {**_TIMES, "formula": "Rx", "ties": "breslow", "baseline": "pooled"},
        lambda result: cox_values(result["answer"]),
        {"coef": 1e-11, "se": 1e-10},
    ),
    Subject(
        "kaplan_meier",
        "leukemia_km",
        "leukemia",
        {**_TIMES, "group": "Rx", "method": "exact", "test_scope": "pooled", "at": [6, 10, 23]},
        lambda result: curve_values(result["answer"], [6, 10, 23]),
        {"S": 0.0, "median": 0.0, "lower": 0.0, "upper": 0.0},
    ),
    Subject(
        "meta_analysis",
        "bcg_REML",
        "longley",
        {"estimates": ESTIMATES, "method": "reml"},
        _effect,
    ),
]
