"""Cards that are made of code: type hints, docstrings, and what the decorator says."""

import inspect
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

import pytest
from click.testing import CliRunner

from tests.common.test_store_entries import ENTRIES
from vantage6.common import cards
from vantage6.common.cards import Card, CardError
from vantage6.tools.argument_schemas import schema_of
from vantage6.tools.card import (
    Column,
    Columns,
    Formula,
    Level,
    Organizations,
    Schema,
    Weights,
)
from vantage6.tools.card_building import build, find_differences
from vantage6.tools.commands.card import card as command
from vantage6.tools.docstrings import parse

CODE = '''
"""Spread of a column.

Over several organizations.
"""

from typing import Annotated, Any, Literal

from vantage6.tools.card import Column, Image, Organizations, Schema, card, share
from vantage6.tools.util import info

__card__ = Image("spread", "1.2.0", licence="Apache-2.0", images=["registry.example.org/spread"])


@card(
    calls=["moments"],
    rounds=(1, 2),
    minimum_organizations=2,
    views=[{"kind": "table", "path": "/result", "columns": ["mean"]}],
    examples=[{"title": "Ages", "arguments": {"column": "age"}}],
)
def spread(
    client: Any,
    data: Any,
    column: Annotated[Column, Schema(x_types=["numeric"])],
    method: Literal["fast", "exact"] = "fast",
    bins: Annotated[int, Schema(minimum=1, maximum=199)] = 20,
    organization_ids: Organizations | None = None,
    min_organizations: int | None = None,
) -> dict[str, float]:
    """Tell the spread of a column.

    In two rounds.

    Parameters
    ----------
    column
        Column with
        numbers.
    method, bins
        How, with ``bins`` intervals.
    organization_ids, min_organizations
        Who takes part, and how many at least.

    Returns
    -------
    dict
        ``mean`` and ``sd``.

    Notes
    -----
    Welch 1947.
    """
    return {}


@card(shares=[share("/n", "count"), share("/total", "sum", of="/n", note="of one column")])
def RPC_moments(data, column: Column):
    """Return sums."""
    return {}


def _private(client, data):
    return {}
'''


def module_of(code: str, name: str = "an_algorithm") -> ModuleType:
    module = ModuleType(name)
    exec(compile(code, name, "exec", dont_inherit=True), module.__dict__)
    return module


@pytest.fixture(scope="module")
def module() -> ModuleType:
    return module_of(CODE)


@pytest.fixture(scope="module")
def built(module: ModuleType) -> Card:
    return build(module)


def test_the_card_says_what_the_image_is(built: Card):
    assert (built.name, built.version, built.licence) == ("spread", "1.2.0", "Apache-2.0")
    assert built.images == ("registry.example.org/spread",)
    assert (built.title, built.description) == (
        "Spread of a column",
        "Over several organizations.",
    )


def test_each_function_that_a_task_can_ask_for_is_in_the_card(built: Card):
    assert [(one.name, one.kind) for one in built.functions] == [
        ("spread", "central"),
        ("moments", "partial"),
    ]


def test_signature_and_docstring_make_the_arguments(built: Card, module: ModuleType):
    spread = built.find("spread", is_central=True)
    assert spread
    assert spread.title == "Tell the spread of a column"
    assert spread.description == "In two rounds.\n\nWelch 1947.\n\nReturns: `mean` and `sd`."
    assert spread.arguments["required"] == ["column"]
    assert spread.arguments["properties"] == {
        "column": {
            "title": "Column",
            "description": "Column with numbers.",
            "type": "string",
            "x-is": "column",
            "x-types": ["numeric"],
        },
        "method": {
            "title": "Method",
            "description": "How, with `bins` intervals.",
            "enum": ["fast", "exact"],
            "default": "fast",
        },
        "bins": {
            "title": "Bins",
            "description": "How, with `bins` intervals.",
            "type": "integer",
            "minimum": 1,
            "maximum": 199,
            "default": 20,
        },
        "organization_ids": {
            "title": "Organization ids",
            "description": "Who takes part, and how many at least.",
            "type": ["array", "null"],
            "items": {"type": "integer"},
            "x-is": "organizations",
            "default": None,
        },
        "min_organizations": {
            "title": "Min organizations",
            "description": "Who takes part, and how many at least.",
            "type": ["integer", "null"],
            "default": None,
        },
    }
    names = list(inspect.signature(module.spread).parameters)
    assert names == ["client", "data", *spread.parameters]


def test_the_decorator_says_the_rest_and_leaves_the_function(built: Card, module: ModuleType):
    spread, moments = built.functions
    assert spread.calls == ("moments",)
    assert spread.rounds
    assert (spread.rounds.at_least, spread.rounds.at_most) == (1, 2)
    assert spread.minimum_organizations == 2
    assert spread.views[0].model_dump()["columns"] == ["mean"]
    assert [(one.path, one.class_, one.of) for one in moments.shares] == [
        ("/n", "count", None),
        ("/total", "sum", "/n"),
    ]
    assert module.RPC_moments(None, "a") == {}


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (str, {"type": "string"}),
        (Any, {}),
        (list, {"type": "array"}),
        (list[float], {"type": "array", "items": {"type": "number"}}),
        (Sequence[Sequence[float]], None),
        (dict[str, Any], {"type": "object"}),
        (
            Mapping[str, list[str | int]],
            {
                "type": "object",
                "additionalProperties": {
                    "type": "array",
                    "items": {"type": ["string", "integer"]},
                },
            },
        ),
        (float | str | None, {"type": ["number", "string", "null"]}),
        (
            list[str] | dict[str, int],
            {
                "type": ["array", "object"],
                "items": {"type": "string"},
                "additionalProperties": {"type": "integer"},
            },
        ),
        (Literal["a", 1] | None, {"enum": ["a", 1, None]}),
        (Literal["a"] | list[str], None),
        (list[str] | list[int], None),
        (tuple[int, str], None),
        (Column, {"type": "string", "x-is": "column"}),
        (Columns | None, None),
        (Formula, {"type": "string", "x-is": "formula"}),
        (Weights, {"type": "string", "x-is": "weights"}),
        (Organizations, None),
        (Level, {"type": "number", "x-is": "level", "minimum": 0.5, "maximum": 0.999}),
        (
            Annotated[str, Schema(enum=["a"])] | None,
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        (Any | None, {}),
    ],
    # An annotation has the address of an object in its text.
    ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", str(value)),
)
def test_each_type_has_a_schema_that_a_card_may_hold(hint: Any, schema: dict[str, Any] | None):
    made = schema_of(hint)
    if schema is not None:
        assert made == schema
    function = {
        "name": "f",
        "kind": "partial",
        "arguments": {
            "type": "object",
            "properties": {"a": made},
            "additionalProperties": False,
        },
    }
    cards.parse({"card": 1, "name": "a", "version": "1", "functions": [function]})


@pytest.mark.parametrize("hint", [str, Literal["a"], str | list[str], Literal["a"] | list[str]])
def test_an_argument_with_none_for_a_default_takes_none(hint: Any):
    once = schema_of(hint, None)
    assert once["default"] is None
    assert once == schema_of(hint | None, None)
    function = {
        "name": "f",
        "kind": "partial",
        "arguments": {"type": "object", "properties": {"a": once}, "additionalProperties": False},
    }
    card = cards.parse({"card": 1, "name": "a", "version": "1", "functions": [function]})
    for right in (None, "a"):
        assert cards.find_faults_of_input(card, {"method": "f", "kwargs": {"a": right}}) == ()
    assert cards.find_faults_of_input(card, {"method": "f", "kwargs": {"a": 1.5}})


@pytest.mark.parametrize(
    "function",
    [
        "def RPC_a(data, *rest): pass",
        "def RPC_a(data, **rest): pass",
        "def RPC_a(data, b: bytes): pass",
        "def RPC_a(data, b=object()): pass",
        "def RPC_a(data, b=float('nan')): pass",
        "def RPC_a(): pass",
        "def a(client): pass",
        "a = 1",
    ],
)
def test_a_function_that_a_card_cannot_describe_is_refused(function: str):
    with pytest.raises(CardError):
        build(module_of(function))


def test_differences_between_code_and_card_are_told(built: Card):
    assert find_differences(built, built) == ()
    document = json.loads(cards.write(built))
    spread = document["functions"][0]
    spread["arguments"]["properties"] = dict(reversed(spread["arguments"]["properties"].items()))
    spread["arguments"]["properties"]["bins"]["maximum"] = 200
    del spread["rounds"]
    document["contact"] = "a@example.org"
    del document["functions"][1]
    spread["calls"] = []
    said = find_differences(built, cards.parse(document))
    assert said == (
        "/functions/spread (central)/arguments/properties/bins/maximum is 199 in the code, and "
        "200 in the file.",
        "/functions/spread (central)/arguments/properties has another order in the code: column, "
        "method, bins, organization_ids, min_organizations.",
        "/functions/spread (central)/calls is only in the code.",
        "/functions/spread (central)/rounds is only in the code.",
        "/functions/moments (partial) is only in the code.",
        "/contact is only in the file.",
    )


def test_a_docstring_without_sections_is_read():
    assert parse(None) == parse("")
    told = parse("Summary of\n    one.\n\n    More.\n    ")
    assert (told.summary, told.text) == ("Summary of one", "More.")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a_spread.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "a_spread", raising=False)
    return tmp_path


def test_the_command_builds_a_card_and_checks_it(folder: Path):
    run = CliRunner().invoke
    made = run(command, ["build", "a_spread"])
    assert made.exit_code == 0, made.output
    (folder / "card.json").write_text(made.output)
    assert run(command, ["check", "a_spread", "card.json"]).exit_code == 0
    label = run(command, ["build", "a_spread", "--label"]).output.strip()
    assert cards.read_label(label) == cards.read(made.output)
    (folder / "card.json").write_text(made.output.replace("199", "200"))
    wrong = run(command, ["check", "a_spread", "card.json"])
    assert wrong.exit_code == 1
    assert "maximum is 199 in the code" in wrong.output


def test_the_command_imports_an_entry_of_a_store(folder: Path):
    file = ENTRIES / "every_type.json"
    made = CliRunner().invoke(command, ["import", str(file), "--version", "2.0.0"])
    assert made.exit_code == 0, made.output
    assert cards.read(made.stdout).version == "2.0.0"
    assert "pages_only was left out" in made.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "no_such_module"],
        ["check", "a_spread", "a_spread.py"],
        ["import", "a_spread.py"],
    ],
)
def test_the_command_says_what_is_wrong_in_one_line(folder: Path, arguments: list[str]):
    run = CliRunner().invoke(command, arguments)
    assert run.exit_code == 1
    assert run.stderr.startswith("vantage6 card: ")
    assert run.stderr.count("\n") == 1
