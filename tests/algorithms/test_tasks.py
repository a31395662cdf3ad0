"""The functions as tasks of the platform: same numbers, sentences for people, typed failures."""

import inspect
import json
import typing
from typing import Any

import pandas as pd
import pytest

from tests.algorithms.federation import split
from tests.algorithms.subjects import SUBJECTS, Subject
from tests.algorithms.tables import table
from tests.algorithms.test_models import people
from vantage6.algorithms import shelf
from vantage6.algorithms.catalogue import CENTRAL, PARTIAL
from vantage6.algorithms.published import reference_case, reference_share
from vantage6.common.disclosure.floors import Floors
from vantage6.tools.errors import AlgorithmError
from vantage6.tools.mock_client import MockAlgorithmClient

ORGANIZATIONS = (4, 7, 9)


def client_of(data: Any, *floors: Any) -> MockAlgorithmClient:
    """Return the client of three mocked organizations, whose floors may differ."""
    shares = split(data, len(ORGANIZATIONS)).values()
    return MockAlgorithmClient(
        [
            {"database": pd.DataFrame(share), "floors": own}
            for share, own in zip(shares, floors or ["open"] * 3, strict=True)
        ],
        "vantage6.algorithms.shelf",
        organization_ids=ORGANIZATIONS,
    )


def ask(client: MockAlgorithmClient, function: str, **arguments: Any) -> dict[str, Any]:
    """Send a task to the first organization; return its answer."""
    input_ = {"method": function, "master": True, "kwargs": arguments}
    task = client.task.create(input_, organization_ids=[ORGANIZATIONS[0]])
    (answer,) = client.result.get(task["id"])
    return answer


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.function)
def test_a_task_gives_the_published_numbers(subject: Subject):
    answer = ask(client_of(table(subject.table)), subject.function, **subject.arguments)
    subject.check(answer)
    if answer["rounds"]:
        assert answer["organizations"]["used"] == list(ORGANIZATIONS)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"formula": "y ~ nix"}, "unknown_column: There is no column 'nix'. The columns are: "),
        ({"formula": "y ~ x", "confidence": 2}, "bad_argument: confidence lies between"),
        ({}, "linear_model cannot be called like this: missing a required keyword-only argument"),
    ],
    ids=["column", "argument", "missing"],
)
def test_what_cannot_be_done_is_told_in_a_sentence(arguments: dict[str, Any], sentence: str):
    with pytest.raises(AlgorithmError) as refused:
        ask(client_of(people()), "linear_model", **arguments)
    said = str(refused.value)
    assert sentence.replace("keyword-only ", "") in said.replace("keyword-only ", "")


def test_a_station_answers_under_its_floors_and_never_alone():
    client = client_of(people(90), {"records": 31}, "default", "default")
    with pytest.raises(AlgorithmError) as few:
        ask(client, "linear_model", formula="y ~ x")
    assert "organizations_missing: Organization 4 takes no part: Fewer than 31" in str(few.value)
    without = ask(client, "linear_model", formula="y ~ x", min_organizations=2)
    assert without["organizations"]["used"] == [7, 9]
    with pytest.raises(AlgorithmError) as alone:
        ask(client, "linear_model", formula="y ~ x", organization_ids=[7])
    assert "This station takes part only together with at least 2 organizations" in str(alone.value)


def test_an_organization_that_fails_is_left_out_with_its_code(monkeypatch):
    def fails(data: Any, **arguments: Any) -> None:
        if data["x"].iloc[0] == people(90)["x"][1]:
            raise AlgorithmError("The database is away.")
        return answers(data, **arguments)

    answers = shelf.__dict__["RPC_model_prepare"]
    monkeypatch.setattr(shelf, "RPC_model_prepare", fails)
    client = client_of(people(90))
    with pytest.raises(AlgorithmError) as missing:
        ask(client, "linear_model", formula="y ~ x")
    assert "organizations_missing: Organization 7 takes no part: " in str(missing.value)
    (excluded,) = ask(client, "linear_model", formula="y ~ x", min_organizations=2)[
        "organizations"
    ]["excluded"]
    assert (excluded["organization"], excluded["round"]) == (7, 1)
    assert excluded["code"] == "exit_code"
    assert "The database is away." in excluded["message"]


def test_a_station_whose_floors_cannot_be_read_answers_nothing(tmp_path, monkeypatch):
    floors, parties = tmp_path / "floors", tmp_path / "parties"
    monkeypatch.setenv("FLOORS_FILE", str(floors))
    monkeypatch.setenv("PARTIES_FILE", str(parties))
    frame = pd.DataFrame(people(90))

    def said() -> dict[str, Any]:
        answer: dict[str, Any] = shelf.__dict__["RPC_model_prepare"](frame, formula="y ~ x")
        return answer

    for path in (floors, parties):
        path.write_text("{")
        assert said()["refused"]["code"] == "floors_unreadable"
        floors.write_text('{"records": 6}')
    parties.write_text(json.dumps({"organizations": [1]}))
    assert said()["refused"]["code"] == "too_few_organizations"
    parties.write_text(json.dumps({"organizations": [1, 2]}))
    assert said()["floors"] == Floors(records=6).to_json()


def test_every_function_is_offered_with_types_and_a_description_of_each_argument():
    functions = CENTRAL | {"reference_case": reference_case}
    partial = PARTIAL | {"reference_share": reference_share}
    functions |= {f"RPC_{name}": function for name, function in partial.items()}
    assert sorted(functions) == shelf.__all__
    for name, function in functions.items():
        task = getattr(shelf, name)
        assert task.__name__ == name
        assert task.__module__ == shelf.__name__
        arguments = list(inspect.signature(task).parameters.values())
        given = 1 if name.startswith("RPC_") else 2
        assert all(one.kind is one.POSITIONAL_ONLY for one in arguments[:given])
        described = _described(function.__doc__)
        hints = typing.get_type_hints(task)
        for one in arguments[given:]:
            assert one.kind is one.KEYWORD_ONLY
            assert one.name in hints, (name, one.name)
            assert one.name in described, (name, one.name)


def _described(text: str | None) -> set[str]:
    """Return the arguments that a docstring in numpy's style describes."""
    _, _, rest = inspect.cleandoc(text or "").partition("Parameters\n----------\n")
    lines = rest.partition("\n\n")[0].splitlines()
    return {word.strip() for line in lines if not line.startswith(" ") for word in line.split(",")}
