"""Published cases over stations that take their shares of the data from the image."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from vantage6.algorithms.published import reference_case, reference_share
from vantage6.algorithms.statistics.reference import cases, is_alike
from vantage6.algorithms.statistics.sentences import Stopped
from vantage6.algorithms.statistics.station import Station, answer
from vantage6.common.disclosure.floors import PRESETS, Floors
from vantage6.tools.mock_client import MockAlgorithmClient

CASES = {case.name: case for case in cases() if case.is_packaged}
OPEN = PRESETS["open"]
#: What stations hold themselves, which no answer may be made of.
OWN = {"x": np.full(7, 4711.0), "TOTEMP": np.full(7, 4711.0)}


class Network:
    """Stations by id, as `Sites`."""

    def __init__(self, ids: list[int], floors: Floors = OPEN) -> None:
        self.ids = ids
        self.floors = dict.fromkeys(ids, floors)
        #: Changes what a station says: (id, answer) -> answer.
        self.tamper: Callable[[int, Any], Any] = lambda number, said: said

    def organizations(self) -> list[int]:
        return self.ids

    def ask(
        self, method: str, arguments: dict[str, Any], organization_ids: list[int]
    ) -> dict[int, Any]:
        assert method == "reference_share"
        asked = tuple(organization_ids)
        answers = {}
        for number in organization_ids:
            station = Station(OWN, self.floors[number], asked, number)
            said = answer(reference_share, station, json.loads(json.dumps(arguments)))
            answers[number] = self.tamper(number, json.loads(json.dumps(said)))
        return answers


@pytest.mark.parametrize("ids", [[9, 4], [7, 2, 5]], ids=["two", "three"])
@pytest.mark.parametrize("name", CASES)
def test_a_case_gives_its_published_numbers(name: str, ids: list[int]):
    found = reference_case(Network(ids), name)
    assert (found["left"], found["differ"], found["stopped"]) == ([], [], None)
    assert all(one.is_equal for one in CASES[name].compare(found["answer"]))
    assert found["answer"]["rounds"] == CASES[name].rounds
    assert found["organizations"] == sorted(ids)


def method_of(ok: dict[str, Any]) -> str:
    """Return the partial function that has answered, as far as the tests tell them apart."""
    groups = ok.get("groups", {}).values()
    return "moments" if any("s" in group for group in groups) else "another"


def add(value: Any, number: float) -> Any:
    """Return an answer with a number added to the first number in it."""
    if isinstance(value, dict):
        key = next(iter(value))
        return {**value, key: add(value[key], number)}
    return [add(value[0], number), *value[1:]] if isinstance(value, list) else value + number


@pytest.mark.parametrize("name", ["longley", "numacc4", "smls1"])
def test_a_station_with_a_wrong_value_is_named(name: str):
    network = Network([7, 2, 5])

    def change(number: int, said: Any) -> Any:
        # The number of records stays right.
        if number != 5:
            return said
        ok = said["ok"]
        if method_of(ok) == "moments":
            groups = {level: {**g, "s": add(g["s"], 0.5)} for level, g in ok["groups"].items()}
            return {**said, "ok": {**ok, "groups": groups}}
        if "cross" in ok:
            return {**said, "ok": {**ok, "cross": add(ok["cross"], 0.5)}}
        return said

    network.tamper = change
    found = reference_case(network, name)
    assert found["differ"] == [5]
    assert not all(one.is_equal for one in CASES[name].compare(found["answer"]))


def test_the_floors_of_a_station_hold_for_published_data():
    network = Network([2, 5, 7])
    network.floors[5] = PRESETS["opensafely"]
    found = reference_case(network, "longley")
    assert found["answer"] is None
    assert found["stopped"]["code"] == "organizations_missing"
    (left,) = found["left"]
    assert (left["organization"], left["code"], left["by_floors"]) == (5, "too_few_records", True)
    assert found["differ"] == []


def test_a_station_that_is_away_is_no_refusal_by_floors():
    network = Network([2, 5])
    away = {"failed": {"code": "crashed", "message": "Its node is offline."}}
    network.tamper = lambda number, said: away if number == 2 else said
    (left,) = reference_case(network, "numacc1")["left"]
    assert left == {
        "organization": 2,
        "code": "crashed",
        "message": "Its node is offline.",
        "by_floors": False,
    }


def test_an_answer_under_stricter_floors_than_it_says_is_wrong():
    network = Network([2, 5, 7])
    network.floors[2] = PRESETS["cms"]
    network.tamper = lambda number, said: {**said, "floors": "none"} if number == 2 else said
    assert reference_case(network, "numacc3")["differ"] == [2]


HOSTILE = [
    "../glm/reference/longley",
    "/etc/passwd",
    "longley.csv",
    "",
    "longley\0",
    None,
    3,
    ["longley"],
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_no_other_file_is_reached_by_the_name_of_a_case(name: Any):
    asked = {"case": name, "method": "describe", "arguments": {"columns": ["x"]}}
    said = answer(reference_share, Station(OWN, OPEN, (1, 2), 1), asked)
    assert said["refused"]["code"] == "bad_argument"
    assert "case is one of" in said["refused"]["message"]
    with pytest.raises(Stopped, match="case is one of"):
        reference_case(Network([1, 2]), name)


@pytest.mark.parametrize(
    "asked",
    [
        {"method": "glm_step", "arguments": {}},
        {"method": "reference_share", "arguments": {"case": "numacc1"}},
        {"method": "RPC_describe", "arguments": {"columns": ["x"]}},
        {
            "method": "describe",
            "arguments": {"columns": ["x"], "station": {"data": OWN["x"].tolist()}},
        },
        {"method": "describe", "arguments": {"columns": ["x"], "parties": [1, 2, 3]}},
        {"method": "describe", "arguments": ["x"]},
        {"method": ["describe"], "arguments": {"columns": ["x"]}},
        {"method": "describe", "arguments": {"columns": ["x"]}, "position": 1},
    ],
    ids=range(8),
)
def test_only_the_functions_of_the_case_are_called_and_only_with_their_arguments(asked: Any):
    right = {"case": "numacc1", "method": "describe", "arguments": {"columns": ["x"]}}
    assert "ok" in answer(reference_share, Station(OWN, OPEN, (1, 2), 1), right)
    said = answer(reference_share, Station(OWN, OPEN, (1, 2), 1), {"case": "numacc1", **asked})
    assert said["refused"]["code"] == "bad_argument"
    assert "4711" not in json.dumps(said)


def test_the_own_data_of_a_station_is_not_read():
    class Closed:
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(name)

    asked = {"case": "numacc1", "method": "describe", "arguments": {"columns": ["x"]}}
    said = answer(reference_share, Station(Closed(), OPEN, (1, 2), 1), asked)
    assert said["ok"]["columns"]["x"]["n"] == 2


@pytest.mark.parametrize("own", [None, 3])
def test_a_station_that_does_not_know_its_place_refuses(own: int | None):
    asked = {"case": "numacc1", "method": "describe", "arguments": {"columns": ["x"]}}
    said = answer(reference_share, Station(None, OPEN, (1, 2), own), asked)
    assert said["refused"]["code"] == "place_unknown"


def test_a_case_with_few_parties_is_refused_like_any_question():
    asked = {"case": "numacc3", "method": "describe", "arguments": {"columns": ["x"]}}
    said = answer(reference_share, Station(None, Floors(), (1,), 1), asked)
    assert said["refused"]["code"] == "too_few_organizations"


def test_the_task_knows_its_place_from_the_node_and_gets_none_of_the_data():
    frames = [{"database": pd.DataFrame({"x": [4711.0] * 7}), "floors": "open"}] * 3
    client = MockAlgorithmClient(frames, "vantage6.algorithms.shelf", organization_ids=[9, 4, 7])
    input_ = {"method": "reference_case", "master": True, "kwargs": {"case": "numacc3"}}
    task = client.task.create(input_, organization_ids=[4])
    (found,) = client.result.get(task["id"])
    assert found["organizations"] == [4, 7, 9]
    assert all(one.is_equal for one in CASES["numacc3"].compare(found["answer"]))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"s": [1e12, 1.0]}, {"s": [1e12, 1.0 + 1e-5]}),
        ({"n": 3, "levels": {"a": None}}, {"n": 3, "levels": {"a": None}}),
        ([], []),
    ],
)
def test_rounding_is_no_difference(wanted: Any, found: Any):
    assert is_alike(wanted, found)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"n": 3}, {"n": 4}),
        ({"n": 3}, {"n": 3, "m": 1}),
        ({"n": 3}, 3),
        ({"valid": True}, {"valid": 1.5}),
        ({"s": [1.0, 2.0]}, {"s": [1.0]}),
        ({"s": [1.0, 2.0]}, {"s": [1.0, 2.001]}),
        ({"s": [1.0, 2.0]}, {"s": [1.0, None]}),
        (None, {"n": 3}),
    ],
    ids=range(8),
)
def test_another_number_is_a_difference(wanted: Any, found: Any):
    assert not is_alike(wanted, found)
