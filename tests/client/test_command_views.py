"""Results as tables, as the views of a card say; numbers are rounded there alone."""

import json
from typing import Any

import pytest

from tests.client.command import Command
from tests.models.cards import card, shelve
from tests.models.factories import IMAGE
from vantage6.client.commands.views import lines
from vantage6.common import cards
from vantage6.common.enums import CardState
from vantage6.models.tables import Algorithm

MODEL = {
    "organizations": {
        "used": [1, 2],
        "excluded": [{"organization": 3, "code": "few", "message": "It has too few records."}],
    },
    "n": {"rows": 8, "by_organization": [{"organization": 1, "used": 8}]},
    "rounds": 4,
    "warnings": [{"code": "vif", "message": "age and days\ngo together."}],
    "result": {
        "coefficients": [
            {"term": "Intercept", "estimate": 0.1 + 0.2, "p_value": 1.23456789e-9, "dropped": None},
            {"term": "age", "estimate": -12, "p_value": None, "dropped": None},
        ],
        "covariance": [[1.0, 0.5], [0.5, 2.0]],
        "deviance": 34.567891234,
    },
}
SHOWN = [
    "term       estimate  p_value",
    "Intercept  0.3       1.23457e-09",
    "age        -12       -",
    "",
    "Warning: organization 3: It has too few records.",
    r"Warning: age and days\ngo together.",
    "",
    "organizations.used  1, 2",
    "n.rows              8",
    "rounds              4",
    "deviance            34.5679",
    "",
    "Not shown: n, covariance. --json has them, and all digits.",
]


def view(kind: str, path: str = "", **more: Any) -> Any:
    """Return a view, as a card has it."""
    return cards.View(kind=kind, path=path, **more)


def shown(value: Any, kind: str, path: str = "") -> list[str] | None:
    """Return what one view shows of a result."""
    return lines(value, [view(kind, path)])


def shelve_with_views(*views: dict[str, Any], place: int = 0, **changes: Any) -> Algorithm:
    """Put the card of the average on the shelf, with views of its central function."""
    functions = card()["functions"]
    functions[place] |= {"views": list(views)}
    return shelve(functions=functions, **changes)


@pytest.fixture
def central(command: Command) -> int:
    """Return a central task of Amsterdam whose answer is a model."""
    command.log_in()
    return answered(command, MODEL)


def answered(command: Command, value: object) -> int:
    world = command.live.world
    words = ("run", "master", "--image", IMAGE, "--arg", "column_name=age", "--no-wait")
    task = int(command.json(*words)["task"])
    command.answer(task, world.amsterdam, world.amsterdam_north, value)
    return task


def test_a_result_is_shown_by_the_view_of_its_card_and_rounded_there_alone(
    command: Command, central: int
) -> None:
    shelve_with_views({"kind": "coefficients", "path": "/result/coefficients"})
    assert command.ok("result", "show", central).splitlines() == SHOWN
    (found,) = command.json("result", "show", central)["results"]
    assert found["result"] == MODEL


def test_the_parts_of_several_organizations_are_shown_one_after_the_other(
    command: Command,
) -> None:
    command.log_in()
    shelve_with_views({"kind": "table"}, place=1)
    words = ("run", "average_partial", "--arg", "column_name=age", "--no-wait")
    task, world = command.json(*words)["task"], command.live.world
    for organization, node in (
        (world.amsterdam, world.amsterdam_north),
        (world.berlin, world.berlin_north),
    ):
        command.answer(task, organization, node, {"sum": 1 / 3, "count": organization.id})
    assert command.ok("result", "show", task).splitlines() == [
        "Amsterdam:",
        "sum    0.333333",
        "count  1",
        "Berlin:",
        "sum    0.333333",
        "count  2",
    ]


@pytest.mark.parametrize(
    "card_",
    [
        lambda: None,
        lambda: shelve_with_views(),
        lambda: shelve_with_views({"kind": "hologram", "path": "/result"}),
        lambda: shelve_with_views({"kind": "table", "path": "/nowhere"}),
        lambda: shelve_with_views({"kind": "table"}, state=CardState.RETIRED),
        lambda: shelve_with_views({"kind": "table"}, state=CardState.DRAFT),
        lambda: shelve_with_views({"kind": "table"}, images=["another/image"]),
        lambda: shelve_with_views({"kind": "histogram", "path": "/result"}),
    ],
)
def test_without_a_view_that_fits_a_result_is_shown_with_all_digits(
    command: Command, central: int, card_: Any
) -> None:
    card_()
    assert json.loads(command.ok("result", "show", central)) == MODEL


def test_a_view_cannot_command_the_terminal(command: Command, central: int) -> None:
    shelve_with_views({"kind": "table"})
    task = answered(command, {"x\n\x1b[2J": "a\nforged  row", "y": [{"\x1b]0;t": "\x1b[1m"}]})
    said = command.ok("result", "show", task)
    assert "\x1b" not in said
    assert len(said.splitlines()) == 5
    assert central != task


def test_long_views_are_cut_and_say_where_the_rest_is(command: Command, central: int) -> None:
    shelve_with_views({"kind": "table"})
    task = answered(command, [{"number": number} for number in range(1_000)])
    said = command.ok("result", "show", task).splitlines()
    assert len(said) == 201
    assert f"vantage6 result save {task} FILE" in said[-1]
    assert central != task


def test_a_histogram_has_its_intervals() -> None:
    value = {"column": "age", "edges": [0, 0.5, 1], "counts": [3, 4], "masked": [], "below": 2}
    assert shown(value, "histogram") == [
        "from  to   count",
        "0     0.5  3",
        "0.5   1    4",
        "",
        "column  age",
        "below   2",
    ]


def test_a_histogram_shows_what_is_known_of_hidden_counts_beside_them() -> None:
    least = {"counts": [3, 4], "below": 2, "above": 0}
    value = {"edges": [0, 1, 2], "counts": [3, None], "at_least": least}
    assert shown(value, "histogram") == [
        "from  to  count  at_least",
        "0     1   3      3",
        "1     2   -      4",
    ]
    whole = value | {"counts": [3, 4]}
    assert shown(whole, "histogram") == ["from  to  count", "0     1   3", "1     2   4"]


def test_a_cross_table_has_the_levels_of_both_columns() -> None:
    value = {
        "rows": {"column": "arm", "levels": ["a", "b"]},
        "columns": {"column": "died", "levels": ["0", "1"]},
        "counts": [[1, None], [3, 4]],
        "fisher": {"p_value": 0.05},
        "at_least": [[1, None], [3, 4]],
    }
    assert shown(value, "cross_table") == [
        "arm / died  0  1",
        "a           1  -",
        "b           3  4",
        "",
        "fisher.p_value  0.05",
    ]


def test_curves_have_a_table_each() -> None:
    curves = [
        {"level": level, "n": 4, "rows": {"time": [1, 2], "at_risk": [4, 3]}} for level in "ab"
    ]
    assert shown({"curves": curves}, "kaplan_meier", "/curves") == [
        *("level  n", "a      4", "b      4", ""),
        *("a: rows", "time  at_risk", "1     4", "2     3", ""),
        *("b: rows", "time  at_risk", "1     4", "2     3"),
    ]


def test_hazard_ratios_come_first_with_their_p_value() -> None:
    row = {
        **{"term": "age", "estimate": 0.1, "standard_error": 0.2, "p_value": 0.5, "lower": -0.3},
        **{"hazard_ratio": 1.105, "hazard_ratio_lower": 0.75, "hazard_ratio_upper": 1.6},
    }
    (header, _) = shown([row], "coefficients")  # type: ignore[misc]
    assert header.split() == [
        *("term", "hazard_ratio", "hazard_ratio_lower", "hazard_ratio_upper", "p_value"),
        *("estimate", "standard_error", "lower"),
    ]


def test_each_view_but_the_first_has_its_name() -> None:
    value = {"result": {"r": [[1, 0.5], [0.5, 1]], "curves": [], "tests": [{"name": "log_rank"}]}}
    views = [view("table", f"/result/{name}") for name in ("r", "curves", "tests", "none")]
    assert (lines(value, views) or [])[:6] == [
        *("1    0.5", "0.5  1", ""),
        *("tests:", "name", "log_rank"),
    ]
    # What is empty takes no line.
    assert (lines(value, views[1:]) or [])[:2] == ["name", "log_rank"]


def test_a_short_list_stands_among_the_facts() -> None:
    value = {"rows": [{"term": "age"}], "df": [2, 436.25], "times": list(range(9)), "empty": []}
    assert shown(value, "table", "/rows") == [
        *("term", "age", ""),
        *("df  2, 436.25", ""),
        "Not shown: times. --json has them, and all digits.",
    ]


def test_levels_have_their_share_unless_a_count_is_hidden() -> None:
    levels = [{"level": "a", "count": 1}, {"level": "b", "count": 2}]
    assert shown(levels, "table") == [
        "level  count  percent",
        "a      1      33.3",
        "b      2      66.7",
    ]
    levels[0] |= {"count": None}
    assert shown(levels, "table") == ["level  count  percent", "a      -      -", "b      2      -"]


def test_groups_have_a_section_each() -> None:
    columns = {name: {"n": 4, "mean": 0.5} for name in ("age", "days")}
    strata = [{"level": level, "columns": columns} for level in ("new", "usual")]
    table = ["      n  mean", "age   4  0.5", "days  4  0.5"]
    assert shown({"strata": strata}, "table", "/strata") == [
        *("new: columns", *table, ""),
        *("usual: columns", *table),
    ]


def test_a_table_that_is_wider_than_the_terminal_has_fewer_digits_then_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [{"term": "age", "estimate": 1 / 3, "error": 2 / 3}]
    for width, wanted in (
        (80, ["term  estimate  error", "age   0.333333  0.666667"]),
        (22, ["term  estimate  error", "age   0.3333    0.6667"]),
        (15, ["term  estimate", "age   0.3333", "", "term  error", "age   0.6667"]),
        (3, ["term  estimate", "age   0.3333", "", "term  error", "age   0.6667"]),
    ):
        monkeypatch.setattr("vantage6.common.cli.table.terminal_width", lambda width=width: width)
        assert shown(rows, "coefficients") == wanted


def test_components_have_their_share_and_loadings() -> None:
    value = {
        "columns": ["age", "weight"],
        "variance_share": [0.75, 0.25],
        "standard_deviations": [1.5, 0.5],
        "loadings": [[0.6, 0.8], [0.8, -0.6]],
    }
    assert shown(value, "scree") == [
        "component  variance_share  standard_deviation",
        "1          0.75            1.5",
        "2          0.25            0.5",
        "",
        "loadings  1    2",
        "age       0.6  0.8",
        "weight    0.8  -0.6",
    ]


def test_a_matrix_has_the_names_of_its_columns() -> None:
    value = {"columns": ["a", "b"], "matrix": [[1.0, 0.25], [0.25, 1.0]]}
    assert shown(value, "table", "/matrix") == [
        *("   a     b", "a  1     0.25", "b  0.25  1"),
        *("", "columns  a, b"),
    ]


@pytest.mark.parametrize(
    "kind", ["table", "coefficients", "histogram", "cross_table", "scree", "kaplan_meier"]
)
@pytest.mark.parametrize(
    "value",
    [
        None,
        1.5,
        "text",
        [],
        {},
        [[]],
        [1, [2]],
        {"edges": [1], "counts": "x", "rows": 1, "columns": None, "variance_share": {}},
        {"rows": {"levels": ["a"]}, "columns": {"levels": "b"}, "counts": [[1], [2]]},
        {"variance_share": [1], "standard_deviations": [1], "loadings": [[1, 2]], "columns": 3},
        [{"a": {"b": {"c": {"d": {"e": {"f": [{"g": [[1], {}]}]}}}}}}],
        {"warnings": "text", "excluded": {"a": [1]}, "x": [None, {"y": float("inf")}]},
    ],
)
def test_any_result_is_shown_or_left_to_json(kind: str, value: Any) -> None:
    for path in ("", "/x", "/x/1", "/rows/levels"):
        found = shown(value, kind, path)
        assert found is None or all(isinstance(line, str) for line in found)


def test_a_result_that_is_nested_without_end_is_left_to_json() -> None:
    value: Any = []
    for _ in range(500):
        value = {"a": [value]}
    assert shown(value, "table") is None
