"""What the signatures of the statistical functions do not say, for their card.

Classes of what leaves a station are those of ACRO where it has one; the page on statistics says
which check stands before each. Paths lead into the envelope of `statistics.station.answer`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from vantage6.tools.card import share

#: What every partial function answers beside ``ok``, or in its place.
_ENVELOPE = (
    share("/floors/*", "parameter", note="what the station asks of every number"),
    share("/versions/*", "text"),
    share("/refused/code", "status"),
    share("/refused/message", "text"),
)
_COUNTS = (share("/ok/n", "count", of="/ok/rows"), share("/ok/rows", "count"))
_EVENTS = share("/ok/events", "count", of="/ok/n")
_SIZE = (share("/ok/n", "count"), share("/ok/p", "parameter", note="columns of the model"))
#: The number of hidden cells of a table, which stands beside it.
_MASKED = share("/ok/masked", "status", note="number of hidden cells")


def _model(path: str, class_: str) -> dict[str, Any]:
    """Return numbers of a model, with the numbers of its records and of its parameters."""
    return share(path, class_, of="/ok/n", parameters="/ok/p")


def _partial(*shares: Mapping[str, Any]) -> dict[str, Any]:
    return {"stability": "stable", "shares": (*shares, *_ENVELOPE)}


def _central(
    calls: list[str],
    least: int,
    most: int | None,
    kind: str,
    path: str = "/result",
    *more: tuple[str, str],
    example: Mapping[str, Any],
    others: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    return {
        "stability": "stable",
        "calls": calls,
        "rounds": (least, most),
        "views": [{"kind": kind, "path": path} for kind, path in ((kind, path), *more)],
        "examples": [example, *others],
    }


def _example(title: str, **arguments: Any) -> dict[str, Any]:
    """Return an example with the columns of ``examples/statistics.py``."""
    return {"title": title, "arguments": arguments}


def _described(place: str) -> tuple[dict[str, Any], ...]:
    """Return what `describe` shares of each column."""
    return (
        share(f"{place}/*/kind", "status"),
        share(f"{place}/*/holds", "status"),
        share(f"{place}/*/n", "count", of="/ok/rows"),
        share(f"{place}/*/missing", "count"),
        share(f"{place}/*/sum", "sum", of=f"{place}/*/n"),
        share(f"{place}/*/integer", "status"),
        share(f"{place}/*/levels/*", "frequency_table"),
    )


def _edges(place: str) -> tuple[dict[str, Any], ...]:
    """Return what `counts` shares of each column."""
    return (
        share(f"{place}/*/*/0", "parameter", cumulative=True, note="place of an edge in the list"),
        share(f"{place}/*/*/1", "quantile", cumulative=True, note="values at most the edge"),
    )


#: The most rounds of an iterative method: those that a caller may ask for, and the first one.
_ITERATIONS = 51
_MODEL = "/result/coefficients"
_OUTCOME = {"time": "days", "event": "died"}
_THREE = ["age", "pressure", "visits"]

#: Facts by the name of the function.
FACTS: dict[str, dict[str, Any]] = {
    "summary": _central(
        ["describe", "moments", "counts"],
        1,
        None,
        "table",
        "/result/columns",
        # Of an answer by groups, in its place.
        ("table", "/result/strata"),
        example=_example("Age and stage of all patients", columns=["age", "stage"]),
        others=[_example("Age and stage by arm", columns=["age", "stage"], by="arm")],
    ),
    "histogram": _central(
        ["describe", "moments", "histogram_counts"],
        1,
        3,
        "histogram",
        example=_example("Age by decades", column="age", edges=[40, 50, 60, 70, 80]),
    ),
    "crosstab": _central(
        ["crosstab_levels", "crosstab_counts"],
        2,
        2,
        "cross_table",
        example=_example("Deaths in each arm", rows="arm", columns="died"),
    ),
    "ttest": _central(
        ["describe", "moments"],
        1,
        2,
        "table",
        example=_example("Blood pressure of two arms", column="pressure", group="arm"),
    ),
    "anova": _central(
        ["describe", "moments"],
        1,
        2,
        "table",
        example=_example("Blood pressure by stage", column="pressure", group="stage"),
    ),
    "correlation": _central(
        ["describe", "moments"],
        1,
        2,
        "table",
        "/result/matrix",
        ("table", "/result/p_values"),
        example=_example("Correlation of three columns", columns=_THREE),
    ),
    "pca": _central(
        ["describe", "moments"],
        1,
        2,
        "scree",
        example=_example("Principal components of three columns", columns=_THREE),
    ),
    "linear_model": _central(
        ["model_prepare", "linear_sums"],
        2,
        3,
        "coefficients",
        _MODEL,
        example=_example("Blood pressure by age and arm", formula="pressure ~ age + arm"),
    ),
    "glm": _central(
        ["model_prepare", "glm_step"],
        2,
        _ITERATIONS,
        "coefficients",
        _MODEL,
        example=_example(
            "Logistic model of death", formula="died ~ age + arm + stage", family="binomial"
        ),
    ),
    "cox": _central(
        ["model_prepare", "cox_step", "cox_sums"],
        2,
        _ITERATIONS,
        "coefficients",
        _MODEL,
        example=_example("Time to death", **_OUTCOME, formula="age + arm + stage"),
    ),
    "kaplan_meier": _central(
        ["survival_prepare", "survival_bins", "survival_counts", "log_rank"],
        1,
        4,
        "kaplan_meier",
        "/result/curves",
        ("table", "/result/tests"),
        example=_example(
            "Survival of two arms", **_OUTCOME, group="arm", times=[90, 180, 270, 360, 450]
        ),
    ),
    "meta_analysis": _central(
        ["local_model"],
        0,
        1,
        "coefficients",
        "/result/effects",
        example=_example(
            "The model of each hospital, pooled",
            model={"function": "linear_model", "arguments": {"formula": "pressure ~ age + arm"}},
        ),
    ),
    "reference_case": {
        **_central(
            ["reference_share"],
            0,
            _ITERATIONS,
            "table",
            "/answer/result",
            example=_example("Mean and deviation of NIST's NumAcc3", case="numacc3"),
        ),
        "database": "none",
    },
    "reference_share": {
        **_partial(share("/ok/*", "sum", note="of published data, and none of the station's")),
        "database": "none",
    },
    "describe": _partial(
        share("/ok/rows", "count"),
        *_described("/ok/columns"),
        *_described("/ok/groups/*"),
    ),
    "moments": _partial(
        share("/ok/groups/*/n", "count"),
        share("/ok/groups/*/s/*", "sum", of="/ok/groups/*/n"),
        share("/ok/groups/*/q/*", "cross_product", of="/ok/groups/*/n"),
        share("/ok/step/*", "parameter", note="the station's lattice of a column"),
    ),
    "counts": _partial(
        *_edges("/ok/columns/*"),
        *_edges("/ok/groups/*/*"),
    ),
    "histogram_counts": _partial(
        *_COUNTS,
        share("/ok/missing", "count"),
        share("/ok/counts/*", "histogram", of="/ok/n", masked="/ok/masked"),
        share("/ok/below", "histogram", of="/ok/n", masked="/ok/masked"),
        share("/ok/above", "histogram", of="/ok/n", masked="/ok/masked"),
        _MASKED,
    ),
    "crosstab_levels": _partial(*_COUNTS, share("/ok/levels/*/*", "frequency_table")),
    "crosstab_counts": _partial(
        share("/ok/counts/*/*", "frequency_table", masked="/ok/masked"),
        _MASKED,
    ),
    "model_prepare": _partial(
        *_COUNTS,
        share("/ok/kinds/*", "status"),
        share("/ok/levels/*/*", "frequency_table"),
        share("/ok/factors/*", "sum", of="/ok/n"),
        share("/ok/products/*", "sum", of="/ok/n"),
        share("/ok/y", "sum", of="/ok/n"),
        share("/ok/w", "sum", of="/ok/n", note="sums for the model of the constant alone"),
        _EVENTS,
        share("/ok/times/*", "extreme", note="only from stations without a floor for counts"),
    ),
    "linear_sums": _partial(
        *_SIZE,
        _model("/ok/cross/*", "cross_product"),
        share("/ok/log_w", "sum", of="/ok/n"),
    ),
    "glm_step": _partial(
        *_SIZE,
        share("/ok/valid", "status"),
        _model("/ok/score/*", "score_vector"),
        _model("/ok/info/*", "information_matrix"),
        _model("/ok/observed/*", "information_matrix"),
        share("/ok/deviance", "sum", of="/ok/n"),
        share("/ok/loglik", "sum", of="/ok/n"),
        share("/ok/pearson", "sum", of="/ok/n"),
        share("/ok/null/*", "sum", of="/ok/n", note="score and information of the constant alone"),
        share("/ok/ratio2", "sum", of="/ok/n"),
        share("/ok/gamma/*", "sum", of="/ok/n"),
        share("/ok/theta/score", "sum", of="/ok/n"),
        share("/ok/theta/info", "sum", of="/ok/n"),
        _model("/ok/theta/cross/*", "score_vector"),
    ),
    "cox_step": _partial(
        *_SIZE,
        _EVENTS,
        share("/ok/valid", "status"),
        share("/ok/loglik", "sum", of="/ok/n"),
        _model("/ok/score/*", "score_vector"),
        _model("/ok/info/*", "information_matrix"),
    ),
    "cox_sums": _partial(
        *_SIZE,
        _EVENTS,
        share("/ok/valid", "status"),
        share("/ok/sums/*", "risk_set_sum", of="/ok/n"),
    ),
    "survival_prepare": _partial(
        *_COUNTS,
        _EVENTS,
        share("/ok/levels/*", "frequency_table"),
        share("/ok/sum", "sum", of="/ok/n"),
        share("/ok/square", "variance", of="/ok/n"),
        share("/ok/step", "parameter", note="the station's lattice of times"),
        share("/ok/times/*", "extreme", note="only from stations without a floor for counts"),
    ),
    "survival_bins": _partial(
        share("/ok/allowed/*", "status", note="whether an interval holds no small count"),
    ),
    "survival_counts": _partial(
        share("/ok/groups/*/events/*", "survival_table"),
        share("/ok/groups/*/censored/*", "survival_table"),
    ),
    "log_rank": _partial(
        share("/ok/n/*", "frequency_table"),
        share("/ok/rho/*/u/*", "score_vector", of="/ok/n/*"),
        share("/ok/rho/*/v/*", "information_matrix", of="/ok/n/*"),
    ),
    "local_model": _partial(
        share("/ok/n", "count"),
        share("/ok/df", "residual_df"),
        share("/ok/terms/*/estimate", "regression_coefficient", of="/ok/n"),
        share("/ok/terms/*/standard_error", "regression_coefficient", of="/ok/n"),
    ),
}
