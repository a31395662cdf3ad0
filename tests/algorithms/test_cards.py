"""The card of each image is the one of its code."""

import inspect
from pathlib import Path

import pytest

from vantage6.common import cards
from vantage6.common.cards import Card
from vantage6.tools.card_building import build, find_differences
from vantage6.tools.dispatch_rpc import find

ALGORITHMS = Path(__file__).resolve().parents[2] / "algorithms"
#: The module that each image runs, by the folder with its card.
MODULES = {"average": "vantage6.algorithms.average"}


@pytest.fixture(params=MODULES)
def folder(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def card(folder: str) -> Card:
    return cards.read((ALGORITHMS / folder / "card.json").read_bytes())


def test_every_image_has_a_card():
    assert {path.parent.name for path in ALGORITHMS.glob("*/Dockerfile")} == set(MODULES)


def test_the_card_is_made_of_the_code(folder: str, card: Card):
    built = build(MODULES[folder])
    hint = f"vantage6 card build {MODULES[folder]} > algorithms/{folder}/card.json"
    assert find_differences(built, card) == (), hint
    assert (ALGORITHMS / folder / "card.json").read_text() == cards.write(built, indent=2) + "\n"


def test_the_card_equals_the_signatures(folder: str, card: Card):
    for function in card.functions:
        found = find({"method": function.name, "master": function.is_central}, MODULES[folder])
        given = 2 if function.is_central else 1
        parameters = list(inspect.signature(found).parameters.values())[given:]
        assert [one.name for one in parameters] == list(function.parameters)
        required = [one.name for one in parameters if one.default is one.empty]
        assert function.arguments.get("required", []) == required
        described = function.arguments["properties"].values()
        assert all(one.get("title") and one.get("description") for one in described), function.name


def test_each_function_is_described(card: Card):
    partial = {one.name for one in card.functions if not one.is_central}
    called = {name for one in card.functions for name in one.calls}
    assert called == partial
    for function in card.functions:
        assert function.title
        assert function.shares if not function.is_central else function.rounds


def test_the_examples_of_the_card_fit_it(card: Card):
    for function in card.functions:
        for example in function.examples:
            input_ = {
                "method": function.name,
                "master": function.is_central,
                "kwargs": example.arguments,
            }
            assert cards.find_faults_of_input(card, input_) == ()


def test_the_defaults_of_the_card_fit_it(card: Card):
    for function in card.functions:
        schema = function.arguments["properties"]
        defaults = {name: one["default"] for name, one in schema.items() if "default" in one}
        (said, *_) = [
            *cards.find_faults_of_input(
                card,
                {"method": function.name, "master": function.is_central, "kwargs": defaults},
            ),
            "",
        ]
        assert said == "" or said.startswith(f"{function.name} needs the arguments")


def test_the_card_fits_into_a_label(card: Card):
    # The longest argument that Linux hands to a program.
    assert len(cards.write_label(card)) < 128 * 1024
