"""The card of each image is the one of its code."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from examples.statistics import HOSPITALS, patients
from tests.algorithms.federation import federation
from tests.algorithms.subjects import SUBJECTS
from tests.algorithms.tables import table
from tests.algorithms.test_reference_models import GLM
from vantage6.algorithms.catalogue import CENTRAL
from vantage6.common import cards
from vantage6.common.cards import Card, Function
from vantage6.tools.card_building import build, find_differences
from vantage6.tools.dispatch_rpc import find
from vantage6.tools.mock_client import MockAlgorithmClient

ALGORITHMS = Path(__file__).resolve().parents[2] / "algorithms"
#: The module that each image runs, by the folder with its card.
MODULES = {
    "average": "vantage6.algorithms.average",
    "statistics": "vantage6.algorithms.shelf",
}


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


def test_the_examples_of_the_card_fit_it_and_run(folder: str, card: Card):
    tables = [{"database": pd.DataFrame(patients(hospital))} for hospital in HOSPITALS]
    ids = list(HOSPITALS)
    client = MockAlgorithmClient(tables, MODULES[folder], organization_ids=ids)
    central = [function for function in card.functions if function.is_central]
    for function in central:
        shown = set()
        assert function.examples, f"{function.name} has no example"
        for example in function.examples:
            input_ = {"method": function.name, "master": True, "kwargs": example.arguments}
            assert cards.find_faults_of_input(card, input_) == ()
            task = client.task.create(input_, organization_ids=ids[:1])
            (answer,) = client.result.get(task["id"])
            found = {view.path for view in function.views if _at(answer, view.path)}
            assert found, f"{function.name} shows nothing of {example.title}"
            shown |= found
        # A view may be for some of the examples.
        assert shown == {view.path for view in function.views}, function.name


def _at(answer: Any, path: str) -> Any:
    """Return what a path without wildcards leads to; None if nothing."""
    for step in path.split("/")[1:]:
        if isinstance(answer, dict) and step not in answer:
            return None
        answer = answer[int(step) if isinstance(answer, list) else step]
    return answer


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


#: More calls than one of each subject: what leaves depends on the arguments.
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    *((one.function, one.table, one.arguments) for one in SUBJECTS),
    *(("glm", name, arguments) for name, arguments in GLM.values()),
    ("histogram", "sleep", {"column": "extra"}),
    ("summary", "sleep", {"columns": ["extra"], "by": "group"}),
    ("summary", "diabetes", {"columns": ["bmi", "bp"]}),
    ("summary", "plant", {"columns": ["weight", "group"]}),
    ("cox", "leukemia", {"time": "t", "event": "status", "formula": "Rx"}),
    ("kaplan_meier", "leukemia", {"time": "t", "event": "status", "group": "Rx"}),
    (
        "meta_analysis",
        "diabetes",
        {"model": {"function": "linear_model", "arguments": {"formula": "target ~ bmi"}}},
    ),
]


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of each number, text and flag in an answer."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, str(index)))
    else:
        yield path


def is_declared(function: Function, leaf: tuple[str, ...]) -> bool:
    paths = [share.path.split("/")[1:] for share in function.shares]
    return any(
        len(path) <= len(leaf)
        and all(step in ("*", other) for step, other in zip(path, leaf, strict=False))
        for path in paths
    )


@pytest.mark.parametrize(
    ("function", "name", "arguments"),
    CALLS,
    ids=[f"{c[0]}-{c[1]}-{n}" for n, c in enumerate(CALLS)],
)
def test_what_leaves_a_station_and_what_is_asked_is_in_the_card(
    function: str, name: str, arguments: dict[str, Any]
):
    card = cards.read((ALGORITHMS / "statistics" / "card.json").read_bytes())
    central = card.find(function, is_central=True)
    assert central
    input_ = {"method": function, "master": True, "kwargs": arguments}
    assert cards.find_faults_of_input(card, input_) == ()
    stations = federation(table(name), 3)
    CENTRAL[function](stations, **arguments)
    for method, sent, answers in stations.calls:
        assert method in central.calls
        partial = card.find(method, is_central=False)
        assert partial
        assert cards.find_faults_of_input(card, {"method": method, "kwargs": sent}) == ()
        undeclared = {
            leaf
            for said in answers.values()
            for leaf in leaves(said)
            if not is_declared(partial, leaf)
        }
        assert not undeclared
    assert central.rounds
    assert central.rounds.at_least <= len(stations.calls) <= (central.rounds.at_most or 999)
