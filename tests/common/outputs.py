"""Outputs with known verdicts: what a card says of them, what they hold, what a station says."""

from dataclasses import dataclass, field
from typing import Any

from vantage6.common.cards import Function
from vantage6.common.disclosure.shares import ColumnTotals, Question

PASS, MITIGATED, HELD = "pass", "mitigated", "held"
FIVE, TEN = 5, 10


def function(*shares: dict[str, Any], **more: Any) -> Function:
    """Return a partial function with these shares."""
    return Function.model_validate(
        {"name": "part", "kind": "partial", "shares": list(shares), **more}, strict=False
    )


def share(path: str, class_: str, of: str | None = None, **more: Any) -> dict[str, Any]:
    """Return an entry of a card."""
    return {"path": path, "class": class_, **({"of": of} if of else {}), **more}


@dataclass(frozen=True)
class Output:
    """An output, and what a station with a preset says of it."""

    name: str
    shares: tuple[dict[str, Any], ...]
    document: Any
    #: `pass`, `mitigated` or `held`; otherwise the rule that refuses.
    said: str
    preset: str = "default"
    question: Question = field(default_factory=Question)


N = share("/n", "count")
SUM = (N, share("/sum", "sum", "/n"))
TABLE = (share("/t/*", "frequency_table", masked="/hidden"), share("/hidden", "status"))
CROSS = (share("/t/*/*", "frequency_table", masked="/hidden"), share("/hidden", "status"))
MODEL = (
    N,
    share("/p", "parameter"),
    share("/b/*", "regression_coefficient", "/n", parameters="/p"),
)
SCORE = (N, share("/u/*", "score_vector", "/n"), share("/v/*", "information_matrix", "/n"))
QUANTILES = (N, share("/at/*", "parameter"), share("/q/*", "quantile", "/n", at="/at/*"))
LEVELS = (share("/levels/*/*", "frequency_table"),)
STEPS = (share("/edges/*", "quantile", cumulative=True),)
CURVE = (N, share("/s/*", "survival_table", "/n"))
EVENTS = (share("/events/*", "survival_table"), share("/censored/*", "survival_table"))
AT_RISK = (share("/at_risk/*", "survival_table", cumulative=True),)
RISK = (
    share("/at_risk/*", "survival_table", cumulative=True),
    share("/sums/*", "risk_set_sum", "/at_risk/*"),
)
GROUPS = (share("/g/*/n", "count"), share("/g/*/sum", "sum", "/g/*/n"))
ROWS_200 = Question(rows=200)
#: One income of a million among 99 of a hundred.
DOMINATED = Question(columns={"income": ColumnTotals(100, 1_009_900.0, 1_000_000.0, 100.0)})
EVEN = Question(columns={"income": ColumnTotals(100, 10_000.0, 110.0, 109.0)})
ECHO = Question.of({"at": [0.05, 0.25, 0.5, 0.95], "column": "age"})

COUNTS = [
    Output("a count of 5", (N,), {"n": 5}, PASS),
    Output("a count of 4", (N,), {"n": 4}, "count_below_cell"),
    Output("a count of 4 where 3 are enough", (N,), {"n": 4}, PASS, "datashield"),
    Output("a count of 7 where 8 are asked", (N,), {"n": 7}, "count_below_cell", "opensafely"),
    Output("a count of 10 where 11 are asked", (N,), {"n": 10}, "count_below_cell", "cms"),
    Output("a count of 1 of public data", (N,), {"n": 1}, PASS, "open"),
    Output("no record", (N,), {"n": 0}, PASS),
    Output("a hidden count", (N,), {"n": None}, PASS),
    Output("a count with a fraction", (N,), {"n": 63.2}, "not_a_count"),
    Output("a negative count", (N,), {"n": -63}, "not_a_count"),
    Output("a flag for a count", (N,), {"n": True}, "not_a_count"),
    Output("a text for a count", (N,), {"n": "Ms Jansen"}, "not_a_count"),
    Output("more records than there are", (N,), {"n": 201}, "count_beyond_data", question=ROWS_200),
    Output("all records", (N,), {"n": 200}, PASS, question=ROWS_200),
    Output(
        "all but one record",
        (share("/rows", "count"), share("/n", "count", "/rows")),
        {"rows": 200, "n": 199},
        "rest_below_cell",
    ),
    Output(
        "all but five records",
        (share("/rows", "count"), share("/n", "count", "/rows")),
        {"rows": 200, "n": 195},
        PASS,
    ),
]

TABLES = [
    Output("a table of large cells", TABLE, {"t": [9, 8, 7], "hidden": 0}, PASS),
    Output("a table with a small cell", TABLE, {"t": [90, 3, 20], "hidden": 0}, MITIGATED),
    Output("a zero where zeros are fine", TABLE, {"t": [90, 0, 20], "hidden": 0}, PASS),
    Output(
        "a zero where zeros are small", TABLE, {"t": [90, 0, 20], "hidden": 0}, MITIGATED, "sacro"
    ),
    Output(
        "a small cell without a way to say so",
        LEVELS,
        {"levels": {"sex": {"f": 3, "m": 90}}},
        "cell_below_floor",
    ),
    Output("levels of enough records", LEVELS, {"levels": {"sex": {"f": 30, "m": 90}}}, PASS),
    Output("hidden cells that are counted", TABLE, {"t": [None, None, 20], "hidden": 2}, PASS),
    Output(
        "hidden cells that nothing counts",
        TABLE,
        {"t": [None, None, 20], "hidden": 0},
        "hidden_not_said",
    ),
    Output("one hidden cell", TABLE, {"t": [None, 30, 20], "hidden": 1}, "hidden_cell_follows"),
    Output(
        "a hidden and a small cell", TABLE, {"t": [None, None, 2], "hidden": 2}, "cell_below_floor"
    ),
    Output(
        "hidden cells beside their total",
        (N, share("/t/*", "histogram", "/n", masked="/hidden"), share("/hidden", "status")),
        {"n": 53, "t": [None, None, 50], "hidden": 2},
        "hidden_cell_follows",
    ),
    Output(
        "many hidden beside their total",
        (N, share("/t/*", "histogram", "/n", masked="/hidden"), share("/hidden", "status")),
        {"n": 60, "t": [None, None, 50], "hidden": 2},
        PASS,
    ),
    Output("a cross table", CROSS, {"t": [[9, 8], [7, 6]], "hidden": 0}, PASS),
    Output(
        "a cross table with a small cell", CROSS, {"t": [[9, 2], [70, 60]], "hidden": 0}, MITIGATED
    ),
    Output(
        "one hidden cell of a row",
        CROSS,
        {"t": [[None, 8], [None, None]], "hidden": 3},
        "hidden_cell_follows",
    ),
    Output("a histogram with a bin of one", TABLE, {"t": [40, 1, 60], "hidden": 0}, MITIGATED),
    Output(
        "a histogram of single values",
        (share("/bins/*", "histogram"),),
        {"bins": [1] * 200},
        "cell_below_floor",
    ),
    Output(
        "more cells than records",
        (share("/bins/*", "histogram"),),
        {"bins": [150, 60]},
        "count_beyond_data",
        question=ROWS_200,
    ),
    Output("40 levels", LEVELS, {"levels": {"town": {f"t{i}": 9 for i in range(40)}}}, PASS),
    Output(
        "41 levels",
        LEVELS,
        {"levels": {"town": {f"t{i}": 9 for i in range(41)}}},
        "too_many_levels",
    ),
    Output("a measure in a table", TABLE, {"t": [63.25, 71.5], "hidden": 0}, "not_a_count"),
]

AGGREGATES = [
    Output("a sum of 200 records", SUM, {"n": 200, "sum": 12_600.5}, PASS),
    Output("a sum of 4 records", SUM, {"n": 4, "sum": 250.0}, "too_few_records"),
    Output("a sum of one record", SUM, {"n": 1, "sum": 63.0}, "too_few_records"),
    Output("a mean of one of public data", SUM, {"n": 1, "sum": 63.0}, PASS, "open"),
    Output("a sum of no record", SUM, {"n": 0, "sum": 0.0}, PASS),
    Output("a number for no record", SUM, {"n": 0, "sum": 63.0}, "too_few_records"),
    Output("a sum without a count", (share("/sum", "sum"),), {"sum": 63.0}, "no_count_of_records"),
    Output("a sum whose count is missing", SUM, {"sum": 63.0}, "no_count_of_records"),
    Output("a sum whose count is hidden", SUM, {"n": None, "sum": 63.0}, "no_count_of_records"),
    Output("a mean", (N, share("/mean", "mean", "/n")), {"n": 20, "mean": 63.1}, PASS),
    Output(
        "a mean of 9 where 10 are asked",
        (N, share("/mean", "mean", "/n")),
        {"n": 9, "mean": 63.1},
        "too_few_records",
        "sacro",
    ),
    Output(
        "a variance of 3 records",
        (N, share("/v", "variance", "/n")),
        {"n": 3, "v": 2.5},
        "too_few_records",
    ),
    Output("a text for a sum", SUM, {"n": 200, "sum": "Ms Jansen, 63"}, "not_a_number"),
    Output(
        "means of groups",
        GROUPS,
        {"g": {"a": {"n": 9, "sum": 1.5}, "b": {"n": 8, "sum": 2.5}}},
        PASS,
    ),
    Output(
        "one small group among large ones",
        GROUPS,
        {"g": {"a": {"n": 90, "sum": 1.5}, "b": {"n": 2, "sum": 2.5}}},
        "too_few_records",
    ),
    Output(
        "a list longer than a third of the data",
        (N, share("/s/*", "sum", "/n")),
        {"n": 200, "s": [x / 7 for x in range(67)]},
        "too_many_numbers",
    ),
    Output(
        "one of 200 records in each of 200 lists",
        (share("/n/*", "count"), share("/s/*", "sum", "/n/*")),
        {"n": [200] * 200, "s": [x / 7 for x in range(200)]},
        "too_many_numbers",
    ),
    Output(
        "sums of columns of the question, each with its count",
        (share("/n/*", "count"), share("/s/*", "sum", "/n/*")),
        {"n": [9] * 12, "s": [x / 7 for x in range(12)]},
        PASS,
        question=Question.of([f"c{i}" for i in range(12)]),
    ),
    Output(
        "sums of ten columns",
        (N, share("/s/*", "sum", "/n")),
        {"n": 200, "s": [x / 7 for x in range(10)]},
        PASS,
    ),
    Output(
        "the sum of a dominated column",
        SUM,
        {"n": 100, "sum": 1_009_900.0},
        "dominance",
        question=DOMINATED,
    ),
    Output(
        "the mean of a dominated column",
        (N, share("/mean", "mean", "/n")),
        {"n": 100, "mean": 10_099.0},
        "dominance",
        question=DOMINATED,
    ),
    Output(
        "a dominated column where dominance has no bound",
        SUM,
        {"n": 100, "sum": 1_009_900.0},
        HELD,
        "v6",
        DOMINATED,
    ),
    Output(
        "a dominated column of public data",
        SUM,
        {"n": 100, "sum": 1_009_900.0},
        PASS,
        "open",
        DOMINATED,
    ),
    Output("the sum of an even column", SUM, {"n": 100, "sum": 10_000.0}, PASS, question=EVEN),
]

POSITIONS = [
    Output(
        "quartiles",
        QUANTILES,
        {"n": 200, "at": [0.25, 0.5], "q": [51.0, 63.0]},
        PASS,
        question=ECHO,
    ),
    Output(
        "minimum and maximum as quantiles",
        QUANTILES,
        {"n": 200, "at": [0, 1], "q": [19.0, 97.0]},
        "quantile_of_few_records",
    ),
    Output(
        "the 5 % quantile of 40 records",
        QUANTILES,
        {"n": 40, "at": [0.05, 0.95], "q": [20.0, 90.0]},
        "quantile_of_few_records",
        question=ECHO,
    ),
    Output(
        "a quantile of unknown probability",
        (N, share("/q/*", "quantile", "/n")),
        {"n": 200, "q": [19.0, 97.0]},
        "no_probability_of_quantile",
    ),
    Output(
        "fewer probabilities than quantiles",
        QUANTILES,
        {"n": 200, "at": [0.5], "q": [19.0, 63.0]},
        "no_probability_of_quantile",
        question=ECHO,
    ),
    Output(
        "the median of 8 records",
        QUANTILES,
        {"n": 8, "at": [0.5], "q": [63.0]},
        "quantile_of_few_records",
        question=ECHO,
    ),
    Output("counts at edges", STEPS, {"edges": [5, 12, 40]}, PASS),
    Output("counts at edges between two records", STEPS, {"edges": [5, 6, 40]}, "step_below_cell"),
    Output("a smallest value at an edge", STEPS, {"edges": [1, 12, 40]}, "step_below_cell"),
    Output("running totals that jump about", STEPS, {"edges": [50, 12, 40]}, "not_a_running_total"),
    Output("a maximum", (share("/max", "extreme"),), {"max": 97.0}, "extreme"),
    Output("no maximum", (share("/max", "extreme"),), {"max": None}, PASS),
    Output("a maximum of public data", (share("/max", "extreme"),), {"max": 97.0}, PASS, "open"),
]

MODELS = [
    Output("3 coefficients of 200 records", MODEL, {"n": 200, "p": 3, "b": [0.1, 0.2, 0.3]}, PASS),
    Output("20 coefficients of 200 records", MODEL, {"n": 200, "p": 20, "b": [0.5] * 20}, PASS),
    Output(
        "21 coefficients of 200 records",
        MODEL,
        {"n": 200, "p": 21, "b": [0.5] * 21},
        "too_many_parameters",
    ),
    Output(
        "60 coefficients where a third is fine",
        MODEL,
        {"n": 200, "p": 60, "b": [0.5] * 60},
        PASS,
        "datashield",
    ),
    Output(
        "a saturated model",
        MODEL,
        {"n": 12, "p": 12, "b": [0.5] * 12},
        "too_few_degrees_of_freedom",
    ),
    Output(
        "a model with 9 degrees of freedom",
        MODEL,
        {"n": 10, "p": 1, "b": [0.5]},
        "too_few_degrees_of_freedom",
        "sacro",
    ),
    Output(
        "fewer parameters than coefficients",
        MODEL,
        {"n": 200, "p": 3, "b": [0.5] * 30},
        "parameters_not_said",
    ),
    Output(
        "a model without its parameters", MODEL, {"n": 200, "b": [0.5] * 3}, "parameters_not_said"
    ),
    Output(
        "a score and its information",
        SCORE,
        {"n": 200, "u": [0.1, 0.2], "v": [1.0, 0.1, 2.0]},
        PASS,
    ),
    Output(
        "a score as long as a third of the data",
        SCORE,
        {"n": 200, "u": [0.1] * 67, "v": []},
        "too_many_parameters",
    ),
    Output(
        "an information of 30 parameters",
        SCORE,
        {"n": 200, "u": [], "v": [0.1] * 465},
        "too_many_parameters",
    ),
    Output("degrees of freedom", (share("/df", "residual_df"),), {"df": 190}, PASS),
    Output(
        "9 degrees of freedom where 10 are asked",
        (share("/df", "residual_df"),),
        {"df": 9},
        "too_few_degrees_of_freedom",
        "sacro",
    ),
    Output(
        "no degree of freedom",
        (share("/df", "residual_df"),),
        {"df": 0},
        "too_few_degrees_of_freedom",
    ),
]

SURVIVAL = [
    Output("events in wide intervals", EVENTS, {"events": [12, 9], "censored": [8, 30]}, PASS),
    Output(
        "events at each time",
        EVENTS,
        {"events": [1, 0, 1], "censored": [0, 1, 0]},
        "cell_below_floor",
    ),
    Output(
        "numbers at risk at each time", AT_RISK, {"at_risk": [36, 35, 33, 32]}, "step_below_cell"
    ),
    Output("numbers at risk in wide intervals", AT_RISK, {"at_risk": [90, 60, 20]}, PASS),
    Output(
        "a curve with a drop of one record", CURVE, {"n": 36, "s": [0.97, 0.94]}, "step_below_cell"
    ),
    Output("a curve with wide drops", CURVE, {"n": 200, "s": [0.8, 0.5]}, HELD),
    Output("measures for a curve", CURVE, {"n": 200, "s": [63.0, 0.5]}, "not_a_curve"),
    Output(
        "sums over risk sets at each time",
        RISK,
        {"at_risk": [8, 7, 6], "sums": [[8.0, 3.2], [7.0, 2.9], [6.0, 2.2]]},
        "step_below_cell",
    ),
    Output(
        "sums over risk sets without numbers at risk",
        (share("/sums/*", "risk_set_sum"),),
        {"sums": [[8.0, 3.2]]},
        "step_below_cell",
    ),
    Output(
        "sums over wide risk sets",
        RISK,
        {"at_risk": [90, 60, 20], "sums": [[90.0, 3.2], [60.0, 2.9], [20.0, 2.2]]},
        PASS,
    ),
]

OTHERS = [
    Output(
        "something that the card does not name", (N,), {"n": 20, "rows": [[63, "f"]]}, "undeclared"
    ),
    Output("a list where the card names fields", (N,), [63, 71, 54], "undeclared"),
    Output("a number where the card names fields", (N,), 63.5, "undeclared"),
    Output(
        "measures declared as parameters",
        (share("/x/*", "parameter"),),
        {"x": [63.2, 71.9, 54.1]},
        "not_a_parameter",
    ),
    Output(
        "ages declared as parameters",
        (share("/x/*", "parameter"),),
        {"x": [63, 71, 54]},
        "not_a_parameter",
    ),
    Output(
        "what the question said",
        (share("/at/*", "parameter"),),
        {"at": [0.05, 0.25]},
        PASS,
        question=ECHO,
    ),
    Output("steps of a lattice", (share("/step/*", "parameter"),), {"step": [0.5, 2, 100]}, PASS),
    Output(
        "positions in a list of the question",
        (share("/i/*", "parameter", cumulative=True),),
        {"i": [0, 2, 3]},
        PASS,
        question=ECHO,
    ),
    Output(
        "positions beyond that list",
        (share("/i/*", "parameter", cumulative=True),),
        {"i": [0, 63]},
        "not_a_parameter",
        question=ECHO,
    ),
    Output(
        "measures declared as a status",
        (share("/x/*", "status"),),
        {"x": [63.2, 71.9]},
        "not_a_status",
    ),
    Output(
        "whole numbers declared as a status",
        (share("/x/*", "status"),),
        {"x": [63, 71]},
        "not_a_status",
    ),
    Output("flags", (share("/x/*", "status"),), {"x": [True, False, None]}, PASS),
    Output(
        "names declared as a status",
        (share("/x/*", "status"),),
        {"x": [f"person {i}" for i in range(200)]},
        "too_many_texts",
    ),
    Output(
        "a long text declared as a status",
        (share("/x", "status"),),
        {"x": "eHl6" * 100},
        "not_a_status",
    ),
    Output(
        "a column of two values, declared as flags",
        (share("/x/*", "status"),),
        {"x": [number % 3 == 0 for number in range(200)]},
        "too_many_flags",
    ),
    Output(
        "a column of two values, as many as pairs",
        (share("/x/*", "status"),),
        {"x": [number % 3 == 0 for number in range(210)]},
        "too_many_flags",
    ),
    Output("flags of pairs", (share("/x/*", "status"),), {"x": [True] * 210}, PASS),
    Output(
        "a sentence", (share("/message", "text"),), {"message": "There is no column 'bmi'."}, PASS
    ),
    Output(
        "data in base64, declared as a text",
        (share("/message", "text"),),
        {"message": "eHl6" * 1000},
        "not_a_text",
    ),
    Output(
        "names declared as texts",
        (share("/x/*", "text"),),
        {"x": [f"person {i}" for i in range(41)]},
        "too_many_texts",
    ),
    Output("a number declared as a text", (share("/x", "text"),), {"x": 63.2}, "not_a_text"),
    Output(
        "names as keys",
        (share("/g/*/n", "count"),),
        {"g": {f"person {i}": {"n": 9} for i in range(200)}},
        "too_many_levels",
    ),
    Output(
        "a record as a key",
        (share("/g/*/n", "count"),),
        {"g": {"63;f;Leiden;" * 20: {"n": 9}, "b": {"n": 9}}},
        "long_key",
    ),
    Output(
        "keys that the question named",
        (share("/g/*/n", "count"),),
        {"g": {f"c{i}": {"n": 9} for i in range(60)}},
        PASS,
        question=Question.of([f"c{i}" for i in range(60)]),
    ),
]

#: All of them.
OUTPUTS = [*COUNTS, *TABLES, *AGGREGATES, *POSITIONS, *MODELS, *SURVIVAL, *OTHERS]
