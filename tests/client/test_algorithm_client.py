"""The clients inside a container, and a central algorithm that uses one, against a proxy."""

import json
import os
import pickle
import subprocess
import sys
from contextlib import closing
from typing import Any

import pytest

from vantage6.client import AlgorithmClient, ContainerClient
from vantage6.client.exceptions import SubTaskFailed
from vantage6.common import base64s_to_bytes, bytes_to_base64s
from vantage6.common.errors import Forbidden, Invalid, NotFound, V6Error
from vantage6.common.serialization import PickleRefused, SerializationError

IDENTITY = {
    "client_type": "container",
    "node_id": 12,
    "organization_id": 2,
    "collaboration_id": 1,
    "task_id": 9,
    "image": "average",
    "database": "default",
}


@pytest.fixture
def algorithm(peer, make_token):
    client = AlgorithmClient(make_token(IDENTITY), peer.address, None, "/api")
    yield client
    client.close()


@pytest.fixture
def container(peer, make_token):
    client = ContainerClient(make_token(IDENTITY), peer.address, None, "/api")
    yield client
    client.close()


def _result(organization: int, answer: bytes, status: str = "completed") -> dict[str, Any]:
    return {
        "organization": organization,
        "status": status,
        "result": bytes_to_base64s(answer),
        "ports": [{"port": 8888, "label": "x"}],
        "node": {"ip": f"10.0.0.{organization}"},
    }


def test_container_learns_itself_from_its_token(algorithm) -> None:
    assert (algorithm.image, algorithm.database) == ("average", "default")
    assert (algorithm.host_node_id, algorithm.collaboration_id) == (12, 1)
    assert (algorithm.organization_id, algorithm.task_id) == (2, 9)


@pytest.mark.parametrize("text", ["nonsense", "a.b.c", ""])
def test_something_else_than_a_token_is_refused(text) -> None:
    with pytest.raises(Invalid, match="not a JSON web token"):
        AlgorithmClient(text, "http://proxyserver", 8080)


def test_token_of_a_user_is_refused(make_token) -> None:
    with pytest.raises(Invalid, match="not the token of a container"):
        AlgorithmClient(make_token(3), "http://proxyserver", 8080)


def test_subtask_travels_as_json_and_asks_for_json(peer, algorithm, container) -> None:
    peer.answers["POST task"] = (200, {"id": 10})
    assert algorithm.task.create({"method": "m"}, [2, 3])["id"] == 10
    assert container.create_new_task({"method": "m"}, organization_ids=[2, 3])["id"] == 10
    first, second = (asked.body for asked in peer.asked)
    assert first == second
    assert first["image"] == "average"
    assert first["collaboration_id"] == 1
    assert first["name"] == "subtask"
    assert first["description"] == "task from container on node_id=12"
    sent = base64s_to_bytes(first["organizations"][1]["input"])
    assert sent.startswith(b"json.")
    assert json.loads(sent[5:]) == {"output_format": "json", "method": "m"}


def test_older_client_posts_a_task_of_which_it_says_everything(peer, container) -> None:
    peer.answers["POST task"] = (200, {"id": 10})
    assert container.post_task("n", "i", 1, {"method": "m"}, "d", [2], "other") == {"id": 10}
    assert peer.asked[0].body == {
        "name": "n",
        "image": "i",
        "collaboration_id": 1,
        "description": "d",
        "database": "other",
        "organizations": [{"id": 2, "input": bytes_to_base64s(b'json.{"method": "m"}')}],
    }


def test_answers_in_json_are_read(peer, algorithm, container) -> None:
    answers = [_result(2, b"json.[1]"), _result(3, b"json.[2]"), _result(4, b"", "crashed")]
    peer.answers["GET task/10/result"] = (200, answers)
    assert algorithm.result.get(10) == container.get_results(10) == [[1], [2]]


@pytest.mark.parametrize("prefix", [b"", b"pickle."])
def test_answers_in_pickles_are_read_only_where_the_author_allows_it(
    peer, make_token, algorithm, container, prefix
) -> None:
    peer.answers |= {
        "GET task/10": (200, {"id": 10, "complete": True}),
        "GET task/10/result": (200, [_result(2, prefix + pickle.dumps([2]))]),
    }
    for read in (algorithm.result.get, container.get_results, container.wait_for_results):
        with pytest.raises(PickleRefused, match="'output_format': 'json'"):
            read(10)
    for kind in (AlgorithmClient, ContainerClient):
        with closing(
            kind(make_token(IDENTITY), peer.address, None, "/api", allow_pickle=True)
        ) as allowing:
            assert allowing.wait_for_results(10) == [[2]]


def test_unreadable_answer_is_an_error_and_not_silence(peer, algorithm) -> None:
    peer.answers["GET task/10/result"] = (200, [_result(2, b"json.[1]"), _result(3, b"json.[")])
    with pytest.raises(SerializationError):
        algorithm.result.get(10)


def test_waiting_returns_the_answers(peer, algorithm) -> None:
    peer.answers |= {
        "GET task/10": [(200, {"id": 10, "complete": False}), (200, {"id": 10, "complete": True})],
        "GET task/10/result": (200, [_result(2, b"json.[1]"), _result(3, b"json.[2]")]),
    }
    assert algorithm.wait_for_results(10) == [[1], [2]]


def test_waiting_names_who_failed(peer, algorithm) -> None:
    peer.answers |= {
        "GET task/10": (200, {"id": 10, "complete": True}),
        "GET task/10/result": (
            200,
            [_result(2, b"json.[1]"), _result(3, b"", "crashed"), _result(4, b"", "not allowed")],
        ),
    }
    with pytest.raises(SubTaskFailed, match="organization 3: crashed, organization 4: not allowed"):
        algorithm.wait_for_results(10)
    refused = {**_result(4, b"", "not allowed"), "reason": {"code": "image", "msg": "No image."}}
    peer.answers |= {
        "GET task/10/result": (200, [_result(3, b"", "crashed"), refused]),
        "GET collaboration/1/organization": (200, [{"id": 4, "name": "Bree"}]),
    }
    with pytest.raises(SubTaskFailed) as failure:
        algorithm.wait_for_results(10)
    assert str(failure.value) == (
        "Sub-task 10 failed at organization 3: crashed, Bree: not allowed. Bree: No image."
    )


def test_waiting_for_answers_names_each_organization_and_survives_one_that_fails(
    peer, algorithm
) -> None:
    refused = {**_result(9, b"", "not allowed"), "reason": {"code": "too_deep", "msg": "Too deep."}}
    running = {"id": 10, "complete": False}
    peer.answers |= {
        "GET task/10": [(200, running), (200, {"id": 10, "complete": True})],
        "GET task/10/result": (
            200,
            [
                refused,
                _result(4, b"json.[1]"),
                _result(2, b"json.[2]"),
                _result(3, b"", "crashed"),
                _result(5, b"json.["),
                {**_result(6, b""), "result": None},
                {**_result(7, b""), "result": "no base64!"},
                _result(8, pickle.dumps({"a": 1})),
            ],
        ),
    }
    answers = algorithm.wait_for_answers(10)
    assert list(answers) == [2, 3, 4, 5, 6, 7, 8, 9]
    assert (answers[2], answers[4]) == ({"answer": [2]}, {"answer": [1]})
    assert answers[9] == {"failed": {"code": "too_deep", "message": "Too deep."}}
    assert answers[3] == {"failed": {"code": "failed", "message": "crashed."}}
    codes = [answers[id_]["failed"]["code"] for id_ in (5, 6, 7, 8)]
    assert codes == ["answer_unreadable", "no_output", "answer_unreadable", "answer_unreadable"]
    assert peer.asked[-1].query["each"] == "true"


def test_answers_that_are_too_large_together_are_read_one_by_one(peer, algorithm) -> None:
    refusal = (413, {"msg": "More than 64 kB.", "code": "reply_too_large"})
    pages = {"1": (200, [_result(3, b"json.[1]")]), "2": (200, [_result(2, b"json.[2]")])}
    peer.answers |= {
        "GET task/10": (200, {"id": 10, "complete": True, "results": [{"id": 1}, {"id": 2}]}),
        "GET task/10/result": lambda asked: pages.get(asked.query.get("page", ""), refusal),
    }
    assert algorithm.wait_for_answers(10) == {2: {"answer": [2]}, 3: {"answer": [1]}}
    assert peer.asked[-1].query == {"each": "true", "page": "2", "per_page": "1"}
    del pages["2"]
    with pytest.raises(V6Error) as refused:
        algorithm.wait_for_answers(10)
    assert refused.value.error_code == "reply_too_large"
    assert "One answer to sub-task 10 is larger than" in refused.value.message
    for word in ("limits.reply_bytes", "fewer columns", "administrator"):
        assert word in refused.value.message
    peer.answers["GET task/10/result"] = (403, {"msg": "No.", "code": "forbidden"})
    with pytest.raises(Forbidden):
        algorithm.wait_for_answers(10)


def test_codes_and_sentences_of_other_stations_are_bounded(peer, algorithm) -> None:
    long = {**_result(2, b"", "failed"), "reason": {"code": "x" * 10_000, "msg": "y" * 10_000}}
    strange = {**_result(3, b"", "failed"), "reason": {"code": ["x"], "msg": 5}}
    peer.answers |= {
        "GET task/10": (200, {"id": 10, "complete": True}),
        "GET task/10/result": (200, [long, strange]),
    }
    answers = algorithm.wait_for_answers(10)
    assert answers[2] == {"failed": {"code": "x" * 64, "message": "y" * 2000}}
    assert answers[3] == {"failed": {"code": "failed", "message": "5"}}


def test_new_client_returns_refusals_and_old_one_raises(peer, algorithm, container) -> None:
    peer.answers["GET task/10"] = (404, {"msg": "Task not found"})
    assert algorithm.task.get(10)["msg"] == "Task not found"
    with pytest.raises(NotFound):
        container.get_task(10)
    with pytest.raises(Invalid, match="cannot refresh"):
        container.refresh_token()
    container.authenticate()


def test_surroundings_of_the_algorithm(peer, algorithm, container) -> None:
    peer.answers |= {
        "GET organization": (200, [{"id": 2}]),
        "GET organization/2": (200, {"id": 2}),
        "GET collaboration/1": (200, {"id": 1}),
        "GET collaboration/1/organization": (200, [{"id": 2}]),
        "GET node/12": (200, {"id": 12}),
        "GET task/9/result": (200, [_result(3, b""), _result(2, b"")]),
    }
    assert algorithm.organization.list() == [{"id": 2}]
    assert peer.asked[-1].query == {"collaboration_id": "1"}
    assert algorithm.organization.get(2) == {"id": 2}
    assert algorithm.collaboration.get() == {"id": 1}
    assert algorithm.node.get() == {"id": 12}
    assert algorithm.task.organizations() == [2, 3]
    assert container.get_organizations_in_my_collaboration() == [{"id": 2}]
    assert container.get_algorithm_address_by_label(9, "x") == "10.0.0.3:8888"
    assert container.get_algorithm_address_by_label(9, "y") is None


def test_addresses_send_only_the_flags_that_are_set(peer, algorithm) -> None:
    peer.answers["GET vpn/algorithm/addresses"] = (200, {"addresses": [{"ip": "10.0.0.1"}]})
    assert algorithm.vpn.get_addresses(label="x") == [{"ip": "10.0.0.1"}]
    assert peer.asked[-1].query == {"label": "x"}
    algorithm.vpn.get_child_addresses()
    assert peer.asked[-1].query == {"only_children": "true"}
    peer.answers["GET vpn/algorithm/addresses"] = (501, {"msg": "no VPN"})
    assert algorithm.vpn.get_parent_address() == {"message": "Obtaining VPN addresses failed!"}


def _run_average(peer, make_token, tmp_path, **kwargs) -> subprocess.CompletedProcess[str]:
    """Run the central part of the average as the node would."""
    input_ = {"method": "master", "master": True, "kwargs": {"column_name": "age", **kwargs}}
    (tmp_path / "input").write_bytes(b"json." + json.dumps(input_).encode())
    (tmp_path / "token").write_text(make_token(IDENTITY))
    (tmp_path / "data.csv").write_text("age\n60\n")
    environment = {
        "INPUT_FILE": str(tmp_path / "input"),
        "OUTPUT_FILE": str(tmp_path / "output"),
        "TOKEN_FILE": str(tmp_path / "token"),
        "HOST": "http://127.0.0.1",
        "PORT": str(peer.port),
        "API_PATH": "/api",
        "USER_REQUESTED_DATABASE_LABEL": "default",
        "DEFAULT_DATABASE_URI": str(tmp_path / "data.csv"),
        "DB_LABELS": '["default"]',
    }
    return subprocess.run(
        [sys.executable, "-m", "vantage6.algorithms.average"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _average_proxy(peer, receivers: list[int]) -> None:
    peer.answers |= {
        "GET task/9/result": (200, [_result(id_, b"", "active") for id_ in receivers]),
        "GET organization": (200, [{"id": 2}, {"id": 3}, {"id": 4}]),
        "POST task": (200, {"id": 10}),
        "GET task/10": [(200, {"id": 10, "complete": False}), (200, {"id": 10, "complete": True})],
        "GET task/10/result": (
            200,
            [
                _result(2, b'json.{"sum": 253, "count": 4}'),
                _result(3, b'json.{"sum": 173, "count": 4}'),
            ],
        ),
    }


@pytest.mark.parametrize(
    ("receivers", "kwargs", "asked"),
    [([2, 3], {}, [2, 3]), ([2], {}, [2, 3, 4]), ([2, 3], {"organization_ids": [4]}, [4])],
)
def test_average_of_the_manual_comes_out(
    peer, make_token, tmp_path, receivers, kwargs, asked
) -> None:
    _average_proxy(peer, receivers)
    ended = _run_average(peer, make_token, tmp_path, **kwargs)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (tmp_path / "output").read_bytes() == b'json.{"average": 53.25}'
    sent = next(each.body for each in peer.asked if each.method == "POST")
    assert [each["id"] for each in sent["organizations"]] == asked


def test_average_fails_with_the_name_of_who_failed(peer, make_token, tmp_path) -> None:
    _average_proxy(peer, [2, 3])
    peer.answers["GET task/10/result"] = (200, [_result(3, b"", "crashed")])
    ended = _run_average(peer, make_token, tmp_path)
    assert ended.returncode == 1
    assert ended.stderr == (
        "reason > Error encountered while calling master: "
        "Sub-task 10 failed at organization 3: crashed.\n"
    )
