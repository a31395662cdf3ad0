"""Creating, killing and deleting tasks, and reading results that are exactly these bytes.

The node of beta does not run: what is sent there stays, or the test acts for that node.
"""

import base64
import pickle
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.peer.calls import refused, returned
from tests.peer.conftest import SUM
from tests.peer.expect import AllOf, link
from tests.peer.published import Raised
from tests.peer.shapes import PART, RESULT, TASK, a
from tests.peer.worlds import ALPHA, BETA, COLLABORATION, NOWHERE, RESEARCHER, ROOTS, World
from vantage6.client.node_client import NodeClient
from vantage6.sandbox.federation import IMAGE

TASK_TO_BETA = {
    "collaboration": COLLABORATION,
    "organizations": [BETA],
    "name": "an-awesome-task",
    "image": IMAGE,
    "description": "",
    "input": {"method": "master", "kwargs": {"column_name": "age"}, "master": True},
    "data_format": "json",
}


@pytest.fixture
def task(open_world: World) -> int:
    """Return the id of a task that waits for the node of beta."""
    id_: int = open_world.researcher.task.create(**TASK_TO_BETA)["id"]
    return id_


@pytest.fixture(scope="module")
def beta(open_world: World) -> NodeClient:
    """Return somebody who acts for the node of beta."""
    return open_world.node("beta")


def stored_input(world: World, task: int) -> str:
    """Return the input that the server keeps for a task with one receiver."""
    (part,) = world.root.task.get(task, include_results=True)["results"]
    text: str = part["input"]
    return text


# Creating


def test_a_task_waits_for_its_receivers(open_world: World) -> None:
    known = a(
        TASK,
        name="an-awesome-task",
        image=IMAGE,
        description="",
        database="default",
        initiator=ALPHA,
        init_user=RESEARCHER,
        collaboration=link("collaboration", COLLABORATION),
        parent=None,
        children=None,
        finished_at=None,
        complete=False,
        status="pending",
        results=[link("result")],
    )
    created = returned(open_world.researcher, "task.create", known, **TASK_TO_BETA)
    assert open_world.researcher.exchanged == [
        ("GET", f"/api/organization/{BETA}", 200),
        ("POST", "/api/task", 201),
    ]
    part = a(PART, status="pending", organization=BETA, started_at=None, result=None)
    known = a(TASK, results=[part])
    returned(open_world.researcher, "task.get", known, id_=created["id"], include_results=True)


def test_the_stored_input_is_what_the_specification_shows(open_world: World, task: int) -> None:
    assert stored_input(open_world, task) == (
        "anNvbi57Im1ldGhvZCI6ICJtYXN0ZXIiLCAia3dhcmdzIjogeyJjb2x1bW5fbmFtZSI6ICJhZ2UifSwgIm1hc3"
        "RlciI6IHRydWV9"
    )


@pytest.mark.parametrize(
    ("data_format", "beginning"),
    [("json", b'json.{"'), ("JSON", b'JSON.{"'), ("pickle", b"pickle.\x80"), ("legacy", b"\x80")],
)
def test_an_input_is_stored_in_the_format_that_was_chosen(
    open_world: World, data_format: str, beginning: bytes
) -> None:
    given = {**TASK_TO_BETA, "data_format": data_format}
    created = open_world.researcher.task.create(**given)
    assert base64.b64decode(stored_input(open_world, created["id"])).startswith(beginning)


def test_an_unknown_format_is_refused_before_anything_is_sent(open_world: World) -> None:
    with pytest.raises(Raised, match="Serialization of yaml has not been implemented"):
        open_world.researcher.task.create(**{**TASK_TO_BETA, "data_format": "yaml"})
    assert open_world.researcher.exchanged == []


def test_a_task_asks_for_a_database(open_world: World) -> None:
    given = {**TASK_TO_BETA, "database": "other", "fields": ["database", "status"]}
    known = AllOf({"database", "status"}, {"database": "other", "status": "pending"})
    returned(open_world.researcher, "task.create", known, **given)


def test_a_task_to_nobody_is_complete(open_world: World) -> None:
    known = a(TASK, results=None, complete=True, status="unknown")
    returned(open_world.researcher, "task.create", known, **{**TASK_TO_BETA, "organizations": []})


@pytest.mark.parametrize(
    ("who", "changes", "status"),
    [
        ("researcher", {"collaboration": NOWHERE}, 404),
        ("researcher", {"organizations": [ROOTS]}, 400),
        ("researcher", {"organizations": [NOWHERE]}, 400),
        ("researcher", {"organizations": [BETA, BETA]}, 400),
        # Root may do everything, but its organization is in no collaboration.
        ("root", {}, 401),
        ("viewer", {}, 401),
        ("stranger", {}, 401),
    ],
)
def test_a_task_is_not_created(
    open_world: World, who: str, changes: dict[str, Any], status: int
) -> None:
    refused(open_world.user(who), status, "task.create", **{**TASK_TO_BETA, **changes})


POSTED = {
    "name": "older",
    "image": IMAGE,
    "collaboration_id": COLLABORATION,
    "input_": SUM,
    "organization_ids": [ALPHA],
}


def test_a_task_is_posted_with_the_older_method(open_world: World) -> None:
    given = {**POSTED, "data_format": "json"}
    created = returned(open_world.researcher, "post_task", a(TASK, name="older"), **given)
    known = [a(RESULT, result=b'json.{"sum": 253, "count": 4}', status="completed")]
    returned(open_world.researcher, "wait_for_results", known, task_id=created["id"], sleep=0.05)


def test_an_algorithm_that_reads_json_only_says_how_to_send_it(open_world: World) -> None:
    # Without a format the older method sends a pickle.
    created = returned(open_world.researcher, "post_task", a(TASK, name="older"), **POSTED)
    known = [a(RESULT, result="", log=lambda log: "data_format='json'" in log)]
    returned(open_world.researcher, "wait_for_results", known, task_id=created["id"], sleep=0.05)


def test_a_task_runs_and_its_result_is_read(open_world: World) -> None:
    created = open_world.send([ALPHA], SUM)
    client = open_world.researcher
    known = [a(RESULT, result=b'json.{"sum": 253, "count": 4}')]
    returned(client, "wait_for_results", known, task_id=created["id"], sleep=0.05)
    assert "Waiting for task" in client.printed
    known = [a(RESULT, result={"sum": 253, "count": 4}, input=bytes)]
    returned(client, "result.from_task", known, task_id=created["id"])


def test_an_encrypted_task_needs_the_keys_of_its_receivers(sealed: World) -> None:
    given = {**TASK_TO_BETA, "organizations": [ROOTS]}
    with pytest.raises(Raised, match="AttributeError"):
        sealed.researcher.task.create(**given)
    assert ("POST", "/api/task") not in [asked[:2] for asked in sealed.researcher.exchanged]


# Results, byte by byte

#: Bytes of a result, and what is read of them: one result alone, in a list, and of a task.
BYTES = {
    "json": (b'json.{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}),
    "upper case": (b'JSON."x"', "x"),
    "marked pickle": (b"pickle." + pickle.dumps({"a": 1}), {"a": 1}),
    "bare pickle": (pickle.dumps([1, "é"]), [1, "é"]),
}
#: Those that this client does not decode.
STRANGE = {"text": b"hello, world", "unknown format": b"yaml.a: 1", "broken json": b"json.{"}


def finish(beta: NodeClient, world: World, task: int, content: bytes | None) -> int:
    """Let beta compute a result, and return its id."""
    (part,) = world.root.task.get(task)["results"]
    beta.claim(part["id"])
    fields: dict[str, Any] = {"status": "completed", "finished_at": datetime.now(UTC)}
    if content is not None:
        fields["result"] = base64.b64encode(content).decode()
    beta.patch_result(part["id"], **fields)
    id_: int = part["id"]
    return id_


@pytest.mark.parametrize("name", BYTES)
def test_a_result_of_these_bytes_is_read(
    open_world: World, beta: NodeClient, task: int, name: str
) -> None:
    content, value = BYTES[name]
    id_ = finish(beta, open_world, task, content)
    known = a(RESULT, id=id_, result=value, status="completed")
    client = open_world.researcher
    returned(client, "result.get", known, id_=id_)
    returned(client, "result.list", {"data": [known]}, task=task)
    returned(client, "result.from_task", [known], task_id=task)
    returned(client, "get_results", [a(RESULT, result=content)], task_id=task)


@pytest.mark.parametrize("name", STRANGE)
def test_a_result_of_strange_bytes_is_left_as_it_is(
    open_world: World, beta: NodeClient, task: int, name: str
) -> None:
    id_ = finish(beta, open_world, task, STRANGE[name])
    client = open_world.researcher
    returned(client, "result.get", a(RESULT, result=STRANGE[name]), id_=id_)
    # This client drops it from lists without a word.
    returned(client, "result.list", {"data": []}, task=task)
    with pytest.raises(Raised):
        client.result.from_task(task)


@pytest.mark.parametrize("content", [None, b""])
def test_a_result_without_content_is_listed(
    open_world: World, beta: NodeClient, task: int, content: bytes | None
) -> None:
    id_ = finish(beta, open_world, task, content)
    known = a(RESULT, id=id_, result=lambda result: not result)
    returned(open_world.researcher, "result.get", known, id_=id_)
    returned(open_world.researcher, "result.from_task", [known], task_id=task)


# Killing and deleting


def test_a_killed_task_has_failed(open_world: World, task: int) -> None:
    client = open_world.researcher
    assert client.task.kill(id_=task) is None
    assert client.exchanged == [("POST", "/api/kill/task", 200)]
    known = a(TASK, complete=True, status="failed", finished_at=str)
    returned(client, "task.get", known, id_=task)
    killed = {"data": [a(RESULT, status="killed by user", finished_at=str)]}
    returned(client, "result.list", killed, task=task)
    client.task.kill(id_=task)
    assert client.exchanged[-1][2] == 400


def test_a_killed_task_is_killed_with_its_finished_results_untouched(
    open_world: World, beta: NodeClient
) -> None:
    client = open_world.researcher
    created = open_world.send([ALPHA, BETA], SUM)
    done = created["results"][0]["id"]
    deadline = time.monotonic() + 30
    while client.request(f"result/{done}")["status"] != "completed":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    client.task.kill(id_=created["id"])
    statuses = {one["id"]: one["status"] for one in client.result.list(created["id"])["data"]}
    assert statuses == {done: "completed", created["results"][1]["id"]: "killed by user"}


def test_a_task_is_deleted_with_its_results(open_world: World, task: int) -> None:
    client = open_world.researcher
    assert client.task.delete(id_=task) is None
    assert client.exchanged == [("DELETE", f"/api/task/{task}", 200)]
    refused(client, 404, "task.get", id_=task)
    returned(client, "result.list", {"data": []}, task=task)


@pytest.mark.parametrize("method", ["task.kill", "task.delete"])
def test_a_task_of_nobody_or_of_others_is_neither_killed_nor_deleted(
    open_world: World, task: int, method: str
) -> None:
    viewer, stranger = open_world.user("viewer"), open_world.user("stranger")
    for client, id_, status in (
        (viewer, task, 401),
        (stranger, task, 401),
        (open_world.researcher, NOWHERE, 404),
    ):
        assert client.call(method, id_=id_) is None
        assert client.exchanged[-1][2] == status
    returned(open_world.researcher, "task.get", a(TASK, status="pending"), id_=task)
