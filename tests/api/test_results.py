"""What a node does with a result over HTTP: claim, report, reconcile."""

from typing import Any

import peewee
import pytest

from tests.api.client import Algorithm, Answer, Api
from tests.api.conftest import Server
from tests.models.factories import IMAGE, World, again, make_task, result_of
from vantage6.api.http.bodies import LARGE_BYTES
from vantage6.api.schemas.tasks import replace_surrogates
from vantage6.common.identity import NODE_AUTHORIZATION
from vantage6.common.told_settings import digest_settings
from vantage6.models import database
from vantage6.models.store import organizations, results, tasks
from vantage6.models.tables import Node, Result, Task, User


@pytest.fixture
def task(world: World, researcher: User) -> Task:
    """Give a task for Amsterdam and Berlin."""
    return make_task(world.north, [world.amsterdam, world.berlin], user=researcher)


@pytest.fixture
def result(world: World, task: Task) -> Result:
    """Give Amsterdam's result of it."""
    return result_of(task, world.amsterdam)


def claim(api: Api, result: Result, node: Node) -> Answer:
    return api.post(f"/result/{result.id}/claim", node)


def report(api: Api, row: Result, node: Node, **fields: Any) -> Answer:
    return api.patch(f"/result/{row.id}", node, fields)


JSON = {"Content-Type": "application/json"}
END = {"status": "completed", "finished_at": "2026-01-02T03:04:05.678901+00:00"}


def test_a_claim_answers_everything_that_is_needed(
    api: Api, world: World, task: Task, result: Result, researcher: User
):
    organizations.update(world.amsterdam, {"public_key": "TUlJ"})
    answer = claim(api, result, world.amsterdam_north).json
    token = answer.pop("container_token")
    through = {NODE_AUTHORIZATION: f"Bearer {api.token(world.amsterdam_north)}"}
    assert api.get(f"/task/{task.id}", token, **through).status == 200
    assert answer == {
        "id": result.id,
        "status": "initializing",
        "input": "input of Amsterdam",
        "lease_seconds": 180,
        "task": {
            "id": task.id,
            "name": "sum",
            "image": IMAGE,
            "database": "default",
            "run_id": task.run_id,
            "parent": None,
            "initiator": world.amsterdam.id,
            "initiator_name": world.amsterdam.name,
            "init_user": researcher.id,
            "init_username": researcher.username,
            "collaboration": api.get(f"/task/{task.id}", researcher).json["collaboration"],
            "requesters": [
                {
                    "task": task.id,
                    "organization": world.amsterdam.id,
                    "organization_name": world.amsterdam.name,
                    "user": researcher.id,
                    "user_name": researcher.username,
                    "image": IMAGE,
                }
            ],
            "organizations": [world.amsterdam.id, world.berlin.id],
        },
        "initiator_public_key": "TUlJ",
    }
    again_ = claim(api, result, world.amsterdam_north).json
    del again_["container_token"]
    assert again_ == answer


def test_a_claim_is_refused_with_a_code(api: Api, world: World, task: Task, result: Result):
    assert claim(api, result, world.berlin_north).problem == (401, "forbidden")
    tasks.kill(task.id)
    assert claim(api, result, world.amsterdam_north).problem == (409, "result_finished")
    tasks.delete(task)
    assert claim(api, result, world.amsterdam_north).problem == (404, "not_found")


def test_claims_and_reports_are_for_nodes(api: Api, world: World, result: Result, root: User):
    for who in (root, Algorithm(world.amsterdam_north, result.task)):
        assert claim(api, result, who).problem == (401, "forbidden")
        assert report(api, result, who, **END).problem == (401, "forbidden")
        answer = api.post("/node/reconcile", who, {})
        assert answer.problem == (401, "forbidden")


def test_a_result_of_which_every_report_is_refused_ends_as_failed(
    api: Api, world: World, result: Result
):
    node = world.amsterdam_north
    claim(api, result, node)
    given_up = api.delete(f"/result/{result.id}/claim", node)
    shown = given_up.json
    assert (given_up.status, shown["id"], shown["status"]) == (200, result.id, "failed")
    assert shown["reason"]["code"] == "report_refused"
    assert shown["finished_at"]
    assert api.post("/node/reconcile", node, {"running": [], "finished": []}).json["start"] == []
    # Its answer can get lost.
    assert api.delete(f"/result/{result.id}/claim", node).json == shown


def test_a_result_that_has_ended_is_not_given_up(api: Api, world: World, result: Result):
    report(api, result, world.amsterdam_north, result="42", **END)
    shown = api.delete(f"/result/{result.id}/claim", world.amsterdam_north).json
    assert (shown["status"], shown["reason"]) == ("completed", None)


def test_absent_fields_stay(api: Api, world: World, result: Result):
    node = world.amsterdam_north
    report(api, result, node, started_at="2026-01-02T03:04:05", log="one")
    report(api, result, node, status="active", result=None, log=None)
    shown = api.get(f"/result/{result.id}", node).json
    assert shown["started_at"] == "2026-01-02T03:04:05+00:00"
    assert (shown["log"], shown["status"], shown["finished_at"]) == ("one", "active", None)
    assert report(api, result, node, result="42", **END).status == 200
    shown = api.get(f"/result/{result.id}", node).json
    assert (shown["log"], shown["result"], shown["status"]) == ("one", "42", "completed")
    assert shown["finished_at"] == END["finished_at"]
    # Ends are ends: nothing is added later.
    assert report(api, result, node, log="late").problem == (400, "result_finished")


def test_a_final_report_may_come_twice(api: Api, world: World, task: Task, result: Result):
    node = world.amsterdam_north
    first = report(api, result, node, result="42", **END)
    second = report(api, result, node, result="43", **END)
    assert (second.status, second.json) == (200, first.json)
    other = report(api, result, node, **END | {"status": "crashed"})
    assert other.problem == (400, "result_finished")


def test_a_killed_result_is_no_longer_the_nodes(api: Api, world: World, task: Task, result: Result):
    tasks.kill(task.id)
    answer = report(api, result, world.amsterdam_north, result="42", **END)
    assert answer.problem == (400, "result_finished")
    assert again(result).status == "killed by user"
    killed = END | {"status": "killed by user"}
    assert report(api, result, world.amsterdam_north, **killed).status == 200


def test_a_reason_is_kept_for_people(api: Api, world: World, result: Result):
    reason = {"code": "image_refused", "msg": "The policy of this node forbids the image."}
    shown = report(
        api, result, world.amsterdam_north, **END | {"status": "not allowed", "reason": reason}
    ).json
    assert (shown["reason"], shown["status"]) == (reason, "not allowed")


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2026-01-02T03:04:05.678901", "2026-01-02T03:04:05.678901+00:00"),
        ("2026-01-02T03:04:05.6", "2026-01-02T03:04:05.600000+00:00"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05+00:00"),
    ],
)
def test_every_form_of_a_time_is_accepted(
    api: Api, world: World, result: Result, text: str, stored: str
):
    shown = report(api, result, world.amsterdam_north, started_at=text).json
    assert shown["started_at"] == stored


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "splendid"},
        {"started_at": "yesterday"},
        {"finished_at": "0001-01-01T00:00:00+14:00"},
        {"result": {"not": "text"}},
        {"result": "\0"},
        {"reason": "no object"},
        {"reason": {"code": "x" * 65, "msg": ""}},
    ],
)
def test_a_nonsensical_report_is_refused(
    api: Api, world: World, result: Result, fields: dict[str, Any]
):
    assert report(api, result, world.amsterdam_north, **fields).problem == (400, "invalid")
    assert again(result).status == "pending"


def test_what_an_algorithm_prints_cannot_keep_its_result_from_being_stored(
    api: Api, world: World, result: Result
):
    node = world.amsterdam_north
    assert report(api, result, node, log="a\0b", result="42", **END).status == 200
    shown = api.get(f"/result/{result.id}", node).json
    assert (shown["log"], shown["result"]) == ("a\N{REPLACEMENT CHARACTER}b", "42")


def test_what_a_reason_quotes_cannot_keep_a_result_from_being_stored(
    api: Api, world: World, result: Result
):
    """Algorithms write reasons, and so do the stations of other organizations."""
    node, reason = world.amsterdam_north, {"code": "a\0b", "msg": "a\0b"}
    ended = report(api, result, node, **END | {"status": "failed"}, reason=reason)
    cleaned = "a\N{REPLACEMENT CHARACTER}b"
    assert ended.json["reason"] == {"code": cleaned, "msg": cleaned}


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (rb"a\ud800b", "a\N{REPLACEMENT CHARACTER}b"),
        (rb"a\uDFFF\uD83D\uDE00", "a\N{REPLACEMENT CHARACTER}\N{GRINNING FACE}"),
        (rb"\\ud800\ud800", "\\ud800\N{REPLACEMENT CHARACTER}"),
        (b"a\xed\xa0\x80b", "a" + 3 * "\N{REPLACEMENT CHARACTER}" + "b"),
    ],
    ids=["one", "beside a pair", "behind a backslash", "as bytes"],
)
def test_text_that_is_no_unicode_cannot_keep_a_result_from_being_stored(
    api: Api, world: World, result: Result, sent: bytes, stored: str
):
    """Nodes of other makers may pass on what an algorithm wrote."""
    node = world.amsterdam_north
    body = b'{"status": "failed", "finished_at": "2026-01-02T03:04:05Z", "log": "%s", ' % sent
    body += b'"reason": {"code": "exit_code", "msg": "%s"}}' % sent
    answer = api.send("PATCH", f"/result/{result.id}", node, headers=JSON, raw=body)
    assert answer.status == 200
    shown = api.get(f"/result/{result.id}", node).json
    assert (shown["log"], shown["reason"]["msg"]) == (stored, stored)


def test_a_long_report_is_not_looked_through():
    long = rb"\ud800" * 200_000
    assert replace_surrogates(long) is long


def test_empty_times_are_absent(api: Api, world: World, result: Result):
    """As nodes of 3.11 send them."""
    shown = report(api, result, world.amsterdam_north, started_at="", finished_at=None).json
    assert (shown["started_at"], shown["finished_at"]) == (None, None)


def test_reconciling_tells_what_to_start_stop_and_forget(
    api: Api, world: World, task: Task, result: Result
):
    node = world.amsterdam_north
    other = result_of(make_task(world.north, [world.amsterdam]), world.amsterdam)
    claim(api, result, node)
    sent = {"running": [result.id, 998], "finished": [999]}
    told = api.post("/node/reconcile", node, sent).json
    assert told == {
        "start": [other.id],
        "stop": [998],
        "forget": [999],
        "lease_seconds": 180,
        "refused_login": None,
        "shown": digest_settings([], None),
    }
    assert Node.get_by_id(node.id).last_seen is not None
    nothing = api.post("/node/reconcile", node, {}).json
    assert nothing["start"] == [result.id, other.id]


def test_a_comparison_tells_which_settings_of_the_node_the_server_shows(
    api: Api, world: World, root: User
):
    node, config = world.amsterdam_north, [("allowed_users", "7"), ("allowed_users", "3")]
    told = [{"key": key, "value": value} for key, value in config]
    api.patch(f"/node/{node.id}", node, {"config": told, "ip": "10.76.0.2"})

    def shown() -> str:
        return api.post("/node/reconcile", node, {}).json["shown"]

    assert shown() == digest_settings(config[::-1], "10.76.0.2")
    api.patch(f"/node/{node.id}", root, {"ip": "10.76.0.9"})
    assert shown() == digest_settings(config, "10.76.0.9")
    api.patch(f"/node/{node.id}", node, {"config": told[:1], "clear_ip": True})
    assert shown() == digest_settings(config[:1], None)


@pytest.mark.parametrize("sent", [{"running": [0]}, {"running": ["x"]}, {"finished": 7}, []])
def test_a_nonsensical_reconciliation_is_refused(api: Api, world: World, sent: Any):
    answer = api.post("/node/reconcile", world.amsterdam_north, sent)
    assert answer.problem == (400, "invalid")


def test_a_large_text_is_readable_again_once_the_database_has_come_back(
    server: Server, result: Result, researcher: User, monkeypatch: pytest.MonkeyPatch
):
    api, large = server.api, server.service.transfers.large
    text = "x" * 2 * LARGE_BYTES
    results.put(result.id, {"result": text})
    connect = type(database.db.obj).connect

    def connect_unless_large(*args: Any, **given: Any) -> Any:
        if large.locked():
            raise peewee.OperationalError("the database system is shutting down")
        return connect(*args, **given)

    with monkeypatch.context() as while_down:
        while_down.setattr(type(database.db.obj), "connect", connect_unless_large)
        assert api.get(f"/result/{result.id}", researcher).status == 503
    assert not large.locked()
    assert api.get(f"/result/{result.id}", researcher).json["result"] == text
