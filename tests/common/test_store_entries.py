"""Entries of the algorithm store of vantage6 4.x become cards, and say what is left out.

``kaplan_meier.json`` has the form of a file in a public repository of that name, with other texts.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from vantage6.common import cards
from vantage6.common.cards import CardError, convert_entry, from_store
from vantage6.common.cards.store import TYPES, Imported

ENTRIES = Path(__file__).parent / "store_entries"


def entry(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ENTRIES / f"{name}.json").read_text())
    return found


@pytest.fixture(scope="module")
def every_type() -> Imported:
    return convert_entry(entry("every_type"))


def faults(imported: Imported, **kwargs: Any) -> tuple[str, ...]:
    input_ = {"method": "central", "master": True, "kwargs": kwargs}
    return cards.find_faults_of_input(imported.card, input_)


RIGHT: dict[str, Any] = {"texts": ["a"], "column": "age", "with_flag": "x", "unfinished": None}


def test_an_entry_of_a_public_repository_becomes_a_card():
    imported = convert_entry(entry("kaplan_meier"))
    card = imported.card
    assert imported.notes == ()
    assert (card.name, card.title) == ("kaplan-meier-of-a-cohort", "Kaplan-Meier of a cohort")
    assert card.images == ("registry.example.org/research/kaplan-meier",)
    (function,) = card.functions
    assert (function.kind, function.database) == ("central", "one")
    assert function.parameters == (
        "cohort_task_id",
        "time_column_name",
        "organizations_to_include",
    )
    assert function.arguments["required"] == list(function.parameters)
    views = [view.model_dump() for view in function.views]
    assert [view["kind"] for view in views] == ["table", "line"]
    assert (views[1]["x"], views[1]["y"]) == ("SURV_INT", "survival_cdf")
    assert cards.read(cards.write(card)) == card


def test_all_types_of_arguments_are_known(every_type: Imported):
    given = {one["type"] for one in entry("every_type")["functions"][0]["arguments"]}
    assert given - {""} == set(TYPES)
    assert len(TYPES) == 12
    schema = every_type.card.functions[0].arguments["properties"]
    assert {name: one.get("x-is") for name, one in schema.items() if "x-is" in one} == {
        "column": "column",
        "columns": "columns",
        "organization": "organizations",
        "organizations": "organizations",
    }
    defaults = {name: one["default"] for name, one in schema.items() if "default" in one}
    assert defaults["whole"] == 2
    assert defaults["flag"] is True
    assert defaults["number"] == 0.5
    assert defaults["numbers"] == [0.1, 0.9]


def test_right_arguments_of_an_imported_function_pass(every_type: Imported):
    assert faults(every_type, **RIGHT) == ()
    assert faults(every_type, **RIGHT, columns=None, whole=3, above_two=9, anything=[1]) == ()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"text": "c"}, "text of central has to be one of"),
        ({"texts": ["a", "c"]}, "texts/1 of central has to be one of"),
        ({"whole": 4}, "whole of central has to be one of: 1, 2, 3"),
        ({"wholes": [1.5]}, "wholes/0 of central has to be a whole number"),
        ({"number": "1"}, "number of central has to be a number"),
        ({"flag": 1}, "flag of central has to be true or false"),
        ({"column": 1}, "column of central has to be a text"),
        ({"organizations": ["a"]}, "organizations/0 of central has to be a whole number"),
        ({"with_flag": None}, "with_flag of central has to be a text"),
        ({"flag": False}, "with_flag of central has to be one of: null"),
        ({"above_two": 9}, "above_two of central has to be one of: null, 7"),
        ({"pages_only": True}, "does not take"),
    ],
)
def test_wrong_arguments_of_an_imported_function_are_refused(
    every_type: Imported, arguments: dict[str, Any], part: str
):
    said = faults(every_type, **RIGHT | arguments)
    assert part in " ".join(said)


def test_a_condition_asks_for_an_argument_where_it_holds(every_type: Imported):
    given = {name: value for name, value in RIGHT.items() if name != "with_flag"}
    # The default of the flag is true.
    assert "with_flag" in " ".join(faults(every_type, **given))
    assert faults(every_type, **given, flag=False) == ()


def test_views_point_into_the_result(every_type: Imported):
    table, line = (view.model_dump() for view in every_type.card.functions[0].views)
    assert (table["path"], table["columns"]) == ("/general/a~1b", ["mean", "sd"])
    assert (line["path"], line["x"], line["y"]) == ("/curve", "time", "survival")


def test_what_is_left_out_is_told(every_type: Imported):
    assert every_type.notes == (
        "central: the argument pages_only was left out: only the web pages of the store use it.",
        "central: the argument unfinished takes any value: the entry says no type that is known.",
        "central: the argument of_pages may always be given: its condition cannot be checked here.",
        "The function prepare was left out: its type is not central or federated.",
    )


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {"functions": {}},
        {"functions": []},
        {"functions": [None, {"name": 1}, {"name": "a b", "type": "central"}]},
        {"functions": [{"name": "a", "type": "central"}] * 2},
        {"functions": [{"name": "a", "type": "central"}], "image": "no image"},
        {"functions": [{"name": "a", "type": "central", "description": "a" * 300_000}]},
    ],
)
def test_what_is_no_entry_is_refused(wrong: Any):
    with pytest.raises(CardError):
        from_store(wrong)


@pytest.mark.parametrize("junk", [None, 1, "a", [], [[]], {"a": 1}, [{"name": []}], [None]])
def test_strange_parts_of_an_entry_do_no_harm(junk: Any):
    function = {"name": "a", "type": "central", "arguments": junk, "ui_visualizations": junk}
    argument = dict.fromkeys(
        ("allowed_values", "default_value", "conditional_on", "conditional_value", "type"), junk
    )
    argument |= {"name": "b", "has_default_value": True, "conditional_operator": "=="}
    both = {**function, "name": "c", "arguments": [argument, {"name": "a", "type": "integer"}]}
    with suppress(CardError):
        from_store({"name": junk, "description": junk, "functions": [function, both]})
