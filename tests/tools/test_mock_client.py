"""The clients for trying an algorithm without a server."""

import sys
import types
from pathlib import Path
from typing import Any

import pandas
import pytest

from vantage6.common.cards import parse
from vantage6.common.disclosure.floors import PRESETS, Floors
from vantage6.common.errors import Forbidden, NotFound
from vantage6.tools import floors, parties
from vantage6.tools.errors import AlgorithmError
from vantage6.tools.mock_client import ClientMockProtocol, MockAlgorithmClient

AVERAGE = "vantage6.algorithms.average"
MASTER = {"method": "master", "master": True, "kwargs": {"column_name": "age"}}
PARTIAL = {"method": "average_partial", "kwargs": {"column_name": "age"}}
FRAMES = [pandas.DataFrame({"age": [60, 70]}), pandas.DataFrame({"age": [50, None]})]


@pytest.fixture
def client() -> MockAlgorithmClient:
    datasets = [{"database": frame} for frame in FRAMES]
    return MockAlgorithmClient(datasets, AVERAGE, organization_ids=[7, 8], node_ids=[1, 2])


def test_average_over_all_organizations(client: MockAlgorithmClient) -> None:
    task = client.task.create(MASTER, organization_ids=[7])
    assert client.result.get(task["id"]) == [{"average": 60.0}]
    assert client.task.get(task["id"])["complete"] is True
    assert client.wait_for_results(task["id"] + 1) == [
        {"sum": 130, "count": 2},
        {"sum": 50.0, "count": 1},
    ]


def test_average_over_the_given_organizations(client: MockAlgorithmClient) -> None:
    input_ = {**MASTER, "kwargs": {"column_name": "age", "organization_ids": [7]}}
    task = client.task.create(input_, organization_ids=[8])
    assert client.result.get(task["id"]) == [{"average": 65.0}]


def test_task_for_several_organizations_asks_just_those(client: MockAlgorithmClient) -> None:
    task = client.task.create(MASTER, organization_ids=[7, 8])
    assert client.result.get(task["id"]) == [{"average": 60.0}] * 2
    assert client.task.organizations(task["id"]) == [7, 8]


def test_part_of_each_organization(client: MockAlgorithmClient) -> None:
    task = client.task.create(PARTIAL, organization_ids=[8, 7], name="n", description="d")
    assert client.result.get(task["id"]) == [{"sum": 50.0, "count": 1}, {"sum": 130, "count": 2}]
    assert (task["name"], task["description"], task["status"]) == ("n", "d", "completed")


@pytest.mark.parametrize(
    ("frame", "column", "message"),
    [
        (FRAMES[0], "height", "There is no column 'height'. The columns are: age."),
        (pandas.DataFrame({"age": ["old"]}), "age", "Column 'age' does not hold numbers."),
        (pandas.DataFrame({"age": [float("nan")]}), "age", "No organization has a value"),
    ],
)
def test_mistakes_are_explained(frame: pandas.DataFrame, column: str, message: str) -> None:
    client = MockAlgorithmClient([{"database": frame}], AVERAGE)
    input_ = {**MASTER, "kwargs": {"column_name": column}}
    with pytest.raises(AlgorithmError, match=message):
        client.task.create(input_, organization_ids=[0])


def _module(monkeypatch: pytest.MonkeyPatch, **functions: Any) -> str:
    """Make an algorithm of some functions, and return its name."""
    module = types.ModuleType("floors_algorithm")
    vars(module).update(functions)
    monkeypatch.setitem(sys.modules, "floors_algorithm", module)
    return "floors_algorithm"


def _cautious(data: pandas.DataFrame) -> dict[str, Any]:
    if len(data) < floors().records:
        raise AlgorithmError(f"Fewer than {floors().records} records.")
    if len(parties()) < floors().parties:
        raise AlgorithmError(f"Fewer than {floors().parties} organizations.")
    return {"n": len(data), "floors": floors().to_json(), "parties": list(parties())}


def _central(client: MockAlgorithmClient, data: Any) -> Any:
    task = client.task.create({"method": "cautious"}, client.organizations_with_data)
    answers = client.wait_for_answers(task["id"])
    with pytest.raises(AlgorithmError, match="Fewer than 5 records"):
        client.wait_for_results(task["id"])
    return [[id_, answer] for id_, answer in answers.items()]


def test_stations_of_the_mock_have_floors_and_one_that_refuses_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = _module(monkeypatch, RPC_cautious=_cautious, central=_central)
    datasets = [
        {"database": FRAMES[0]},
        {"database": FRAMES[0], "floors": "open"},
        {"database": FRAMES[0], "floors": {"records": 2, "parties": 3}},
    ]
    client = MockAlgorithmClient(datasets, name, organization_ids=[7, 8, 9])
    task = client.task.create({"method": "central", "master": True}, organization_ids=[7])
    answers = dict(client.result.get(task["id"])[0])
    assert answers[7]["failed"]["code"] == "exit_code"
    assert "Fewer than 5 records." in answers[7]["failed"]["message"]
    assert answers[8]["answer"]["parties"] == answers[9]["answer"]["parties"] == [7, 8, 9]
    assert answers[8]["answer"]["floors"] == PRESETS["open"].to_json()
    with pytest.raises(AlgorithmError, match="Fewer than 3 organizations"):
        client.task.create({"method": "cautious"}, organization_ids=[9, 9])
    # What a mocked station says ends with its answer.
    assert floors() == Floors()
    assert parties() == ()


def test_floors_of_the_mock_are_floors() -> None:
    with pytest.raises(ValueError, match="floor"):
        MockAlgorithmClient([{"database": FRAMES[0], "floors": "none"}], AVERAGE)


def test_the_mock_refuses_a_partial_function_as_a_station_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = _module(monkeypatch, RPC_cautious=_cautious, central=_central)
    functions = [
        {"name": "central", "kind": "central", "calls": ["cautious"]},
        {"name": "cautious", "kind": "partial"},
    ]
    card = parse({"card": 1, "name": "x", "version": "1", "functions": functions})
    datasets = [{"database": FRAMES[0], "floors": "open"}, {"database": FRAMES[0]}]
    client = MockAlgorithmClient(datasets, name, card=card)
    for input_ in ({"method": "cautious"}, {"method": "RPC_cautious", "master": True}, {}):
        with pytest.raises(Forbidden, match="a central function, with 'master': True: central"):
            client.task.create(input_, organization_ids=[0])
    task = client.task.create({"method": "central", "master": True}, organization_ids=[0])
    answers = dict(client.result.get(task["id"])[0])
    assert answers[0]["answer"]["n"] == 2
    assert "failed" in answers[1]


def _answering(data: pandas.DataFrame, answer: Any) -> Any:
    return answer


def _asking(client: MockAlgorithmClient, data: pandas.DataFrame, answer: Any) -> Any:
    input_ = {"method": "answering", "kwargs": {"answer": answer}}
    task = client.task.create(input_, organization_ids=client.all_organization_ids)
    return [[id_, one] for id_, one in client.wait_for_answers(task["id"]).items()]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"n": 60, "sum": 1234.5}, {"answer": {"n": 60, "sum": 1234.5}}),
        ({"n": 4, "sum": 251.5}, "output_refused"),
        ({"n": 61}, "output_refused"),
        ({"age": 63}, "output_refused"),
        ({"t": [90, 3, 20], "hidden": 0}, "output_refused"),
        ({"t": [30, 3, 20], "hidden": 0}, {"answer": {"t": [30, None, None], "hidden": 2}}),
        ({"code": ["a", "b"] * 150}, "awaiting_release"),
    ],
)
def test_an_answer_leaves_the_mock_as_it_leaves_a_station(
    answer: Any, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = _module(monkeypatch, RPC_answering=_answering, asking=_asking)
    shares = [
        {"path": "/n", "class": "count"},
        {"path": "/sum", "class": "sum", "of": "/n"},
        {"path": "/t/*", "class": "frequency_table", "masked": "/hidden"},
        {"path": "/hidden", "class": "status"},
        {"path": "/code/*", "class": "status"},
    ]
    functions = [
        {"name": "asking", "kind": "central", "calls": ["answering"]},
        {"name": "answering", "kind": "partial", "shares": shares},
    ]
    card = parse({"card": 1, "name": "x", "version": "1", "functions": functions})
    frame = pandas.DataFrame({"age": range(60)})
    datasets = [{"database": frame}, {"database": frame, "floors": "open"}]
    client = MockAlgorithmClient(datasets, name, card=card)
    input_ = {"method": "asking", "master": True, "kwargs": {"answer": answer}}
    task = client.task.create(input_, organization_ids=[0])
    answers = dict(client.result.get(task["id"])[0])
    if isinstance(said, str):
        assert answers[0]["failed"]["code"] == said
        assert "The rule " in answers[0]["failed"]["message"]
    else:
        assert answers[0] == said


def test_surroundings_are_mocked(client: MockAlgorithmClient) -> None:
    assert (client.organization_id, client.host_node_id, client.collaboration_id) == (7, 1, 1)
    assert client.organizations_with_data == [7, 8]
    assert client.organization.get(8) == {"id": 8, "name": "mock-8", "domain": "mock-8.org"}
    assert client.organization.get(9) == {"msg": "Organization 9 not found."}
    assert [each["id"] for each in client.organization.list()] == [7, 8]
    assert client.collaboration.get(is_encrypted=False)["encrypted"] is False
    assert client.node.get()["status"] == "online"


def test_wrong_use_is_refused(client: MockAlgorithmClient) -> None:
    with pytest.raises(ValueError, match="No organization"):
        client.task.create(PARTIAL, organization_ids=[])
    with pytest.raises(ValueError, match="one organization id"):
        MockAlgorithmClient([{"database": FRAMES[0]}], AVERAGE, organization_ids=[1, 2])
    with pytest.raises(NotFound, match="Task 9"):
        client.task.get(9)


def test_what_does_not_fit_in_json_shows_in_the_mock(
    client: MockAlgorithmClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("odd_algorithm")
    module.RPC_odd = lambda data: object()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "odd_algorithm", module)
    odd = MockAlgorithmClient([{"database": FRAMES[0]}], "odd_algorithm")
    with pytest.raises(Exception, match="no JSON form"):
        odd.task.create({"method": "odd"}, organization_ids=[0])


def test_old_mock_reads_files(tmp_path: Path) -> None:
    paths = []
    for number, frame in enumerate(FRAMES):
        paths.append(str(tmp_path / f"{number}.csv"))
        frame.to_csv(paths[-1], index=False)
    client = ClientMockProtocol(paths, AVERAGE)
    task = client.create_new_task(PARTIAL)
    assert client.get_task(task["id"])["complete"]
    assert client.get_results(task["id"]) == [{"sum": 130, "count": 2}, {"sum": 50.0, "count": 1}]
    assert client.wait_for_results(client.create_new_task(PARTIAL, [1])["id"]) == [
        {"sum": 50.0, "count": 1}
    ]
    organizations = client.get_organizations_in_my_collaboration()
    assert [each["id"] for each in organizations] == [0, 1]
