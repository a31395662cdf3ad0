"""Requests that need a person: held before anything runs, answered at the station, run once."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.factories import IMAGE
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.node.requests.grants import Grant, Grants, Limit
from vantage6.node.requests.held import HeldRequests
from vantage6.node.requests.pause import Pause
from vantage6.node.rules.audit import entries
from vantage6.node.work.reconciler import Reconciler
from vantage6.node.work.scheduler import Scheduler

#: Says that it ran, and waits where it is told to.
PROGRAM = """
import os
open(os.environ['TEMPORARY_FOLDER'] + '/runs', 'a').write('x')
open(os.environ['OUTPUT_FILE'], 'w').write('done')
"""
ALWAYS = {
    "policies": {"allowed_algorithms": ".*", "approval": "always"},
    "processes": {IMAGE: ("python3", "-c", PROGRAM)},
}


def with_policies(**policies: Any) -> dict[str, Any]:
    """Return the configuration that asks for each request, with other policies."""
    return ALWAYS | {"policies": {**ALWAYS["policies"], **policies}}


def payload(method: str = "mean", **arguments: Any) -> bytes:
    """Return an input in JSON."""
    return (
        b"json."
        + json.dumps({"method": method, "master": True, "args": [], "kwargs": arguments}).encode()
    )


@pytest.fixture
def ask(wire: Wire) -> Callable[..., None]:
    """Give a function that adds a result that waits for the node."""

    def add(id_: int = 5, input_: bytes = payload(column="age"), **task: Any) -> None:
        wire.add(id_, **task)
        wire.results[id_]["input"] = base64.b64encode(input_).decode()

    return add


@pytest.fixture
def held(tmp_path: Path) -> HeldRequests:
    """Give the requests that the node holds, as a command sees them."""
    return HeldRequests(tmp_path / "data")


def is_held(wire: Wire, id_: int = 5, code: str = "awaiting_approval") -> bool:
    """Tell whether the server shows a result as one that waits."""
    result = wire.results[id_]
    return result["status"] == "pending" and (result.get("reason") or {}).get("code") == code


def events(tmp_path: Path, name: str) -> list[dict[str, Any]]:
    """Return the lines of the audit about one kind of event."""
    return [line for line in entries(tmp_path / "data/audit.jsonl") if line["event"] == name]


def runs(tmp_path: Path) -> str:
    """Return a letter for each algorithm that ran."""
    file = tmp_path / "data/runs/1/runs"
    return file.read_text() if file.exists() else ""


def test_a_request_is_held_before_anything_runs_and_shows_what_is_asked(
    wire: Wire, make_scheduler: MakeScheduler, held: HeldRequests, ask: Any, tmp_path: Path
):
    ask()
    scheduler = make_scheduler(**ALWAYS)
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire))
    assert "started_at" not in wire.results[5]
    (request,) = held.list()
    assert (request.result_id, request.task_id, request.image) == (5, 105, IMAGE)
    assert (request.function, request.is_central, request.databases) == ("mean", True, ("default",))
    assert json.loads(request.arguments) == {"column": "age"}
    assert (request.requester.user, request.requester.organization) == ("alice", "org 1")
    assert request.digest is not None
    assert request.digest.startswith("sha256:")
    assert "policies.allowed_algorithms" in {finding.rule for finding in request.findings}
    assert runs(tmp_path) == ""
    assert not list((tmp_path / "processes").iterdir())
    (line,) = events(tmp_path, "held")
    assert (line["result_id"], line["rule"]) == (5, "policies.approval")
    assert scheduler.report() == ([5], [])
    assert [one["state"] for one in scheduler.describe()] == ["awaits approval"]


def test_what_is_approved_runs_once_and_is_forgotten(
    wire: Wire, make_scheduler: MakeScheduler, held: HeldRequests, ask: Any, tmp_path: Path
):
    ask()
    scheduler = make_scheduler(**ALWAYS)
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire))
    scheduler.take_up()
    assert is_held(wire)
    held.approve(5, "bob", held.get(5).code)
    scheduler.take_up()
    eventually(lambda: wire.ids("completed") == [5])
    assert runs(tmp_path) == "x"
    (line,) = events(tmp_path, "approval")
    assert (line["answer"], line["by"]) == ("approved", ["bob"])
    names = [line["event"] for line in entries(tmp_path / "data/audit.jsonl")]
    assert names.index("held") < names.index("approval") < names.index("started")
    assert eventually(lambda: held.ids() == [])


def test_what_is_denied_never_runs_and_the_researcher_reads_why(
    wire: Wire, make_scheduler: MakeScheduler, held: HeldRequests, ask: Any, tmp_path: Path
):
    ask()
    scheduler = make_scheduler(**ALWAYS)
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire))
    held.deny(5, "bob", "Not this column.")
    scheduler.take_up()
    eventually(lambda: wire.ids("not allowed") == [5])
    reason = wire.results[5]["reason"]
    assert reason["code"] == "approval_denied"
    assert "Not this column." in reason["msg"]
    assert runs(tmp_path) == ""
    assert events(tmp_path, "approval")[0]["by"] == ["bob"]


def test_names_of_any_length_are_the_same_at_each_look(
    wire: Wire, make_scheduler: MakeScheduler, held: HeldRequests, ask: Any, tmp_path: Path
):
    ask(init_username="a" * 5000)
    scheduler = make_scheduler(**ALWAYS)
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire))
    held.deny(5, "bob", "No.")
    scheduler.take_up()
    assert eventually(lambda: wire.results[5]["status"] == "not allowed")
    assert len(events(tmp_path, "held")) == 1


def test_a_request_ends_when_its_time_is_over(
    wire: Wire, make_scheduler: MakeScheduler, ask: Any, tmp_path: Path
):
    ask()
    scheduler = make_scheduler(**with_policies(hold_seconds=0.2))
    scheduler.accept(5)

    def is_over() -> bool:
        scheduler.take_up()
        return wire.ids("not allowed") == [5]

    assert eventually(is_over)
    assert wire.results[5]["reason"]["code"] == "approval_expired"
    assert runs(tmp_path) == ""


@pytest.mark.parametrize(
    ("policies", "task", "code"),
    [
        ({"allowed_organizations": ["org 2"]}, {}, "initiator_not_allowed"),
        ({"functions": {".*": ["other"]}}, {}, "function_not_allowed"),
        ({"max_input_bytes": 3}, {}, "input_too_large"),
        ({}, {"database": "typo"}, "unknown_database"),
    ],
)
def test_nobody_is_asked_about_what_the_rules_refuse(
    wire: Wire,
    make_scheduler: MakeScheduler,
    held: HeldRequests,
    ask: Any,
    policies: dict[str, Any],
    task: dict[str, str],
    code: str,
):
    ask(**task)
    make_scheduler(**with_policies(**policies)).accept(5)
    assert eventually(lambda: wire.ids("not allowed", "failed") == [5])
    assert wire.results[5]["reason"]["code"] == code
    assert held.ids() == []


def test_a_held_request_keeps_no_slot_from_others(
    wire: Wire, make_scheduler: MakeScheduler, held: HeldRequests, ask: Any
):
    rules = [{"function": "quick", "ask": "never"}]
    approval = {"default": "always", "rules": rules}
    scheduler = make_scheduler(**with_policies(approval=approval), parallel=1)
    for id_ in range(5, 10):
        ask(id_)
        scheduler.accept(id_)
    assert eventually(lambda: all(is_held(wire, id_) for id_ in range(5, 10)))
    ask(10, payload("quick"))
    scheduler.accept(10)
    eventually(lambda: wire.ids("completed") == [10])
    assert held.ids() == [5, 6, 7, 8, 9]


def test_a_killed_request_is_withdrawn(
    wire: Wire, make_scheduler: MakeScheduler, held: HeldRequests, ask: Any, tmp_path: Path
):
    ask()
    scheduler = make_scheduler(**ALWAYS)
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire))
    scheduler.kill(5)
    assert eventually(lambda: scheduler.report() == ([], []))
    assert held.ids() == []
    assert runs(tmp_path) == ""
    assert not list((tmp_path / "data/results").iterdir())
    assert events(tmp_path, "dropped")


def test_a_request_can_be_stopped_by_the_station_while_it_waits(
    wire: Wire, make_scheduler: MakeScheduler, held: HeldRequests, ask: Any, tmp_path: Path
):
    ask()
    scheduler = make_scheduler(**ALWAYS)
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire))
    scheduler.stop_run(5, "Enough.", "bob")
    eventually(lambda: wire.ids("killed by user") == [5])
    assert eventually(lambda: held.ids() == [])
    assert runs(tmp_path) == ""


def test_the_comparison_keeps_the_lease_and_withdraws_what_was_deleted(
    wire: Wire, make_context: MakeContext, held: HeldRequests, ask: Any
):
    ask()
    context = make_context(**ALWAYS)
    scheduler = Scheduler(context)
    rounds = Reconciler(
        context.server,
        scheduler,
        context.spool,
        context.runtime,
        3600,
        lambda _: None,
        scheduler.take_up,
    )
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire))
    rounds.reconcile()
    asked = [one.body for one in wire.asked if one.path == "/node/reconcile"]
    assert asked[-1] == {"running": [5], "finished": []}
    del wire.results[5]
    rounds.reconcile()
    assert eventually(lambda: held.ids() == [])
    scheduler.leave()


def test_the_server_learns_of_the_wait_when_it_is_back(
    wire: Wire, make_scheduler: MakeScheduler, held: HeldRequests, ask: Any
):
    ask()
    wire.queued["PATCH /result/5"] = [(503, {"msg": "down", "code": "unavailable"})]
    scheduler = make_scheduler(**ALWAYS)
    scheduler.accept(5)
    assert eventually(lambda: held.ids() == [5] and not wire.queued["PATCH /result/5"])
    assert not is_held(wire)

    def is_told() -> bool:
        scheduler.take_up()
        return is_held(wire)

    assert eventually(is_told)


def test_a_hold_and_its_answer_outlive_the_node(
    wire: Wire, make_scheduler: MakeScheduler, held: HeldRequests, ask: Any, tmp_path: Path
):
    ask()
    ask(6)
    first = make_scheduler(**ALWAYS)
    for id_ in (5, 6):
        first.accept(id_)
    assert eventually(lambda: is_held(wire, 5) and is_held(wire, 6))
    until = [request.until for request in held.list()]
    first.leave()
    held.approve(5, "bob", held.get(5).code)
    second = make_scheduler(**ALWAYS)
    second.adopt()
    eventually(lambda: wire.ids("completed") == [5])
    assert eventually(lambda: is_held(wire, 6) and held.ids() == [6])
    assert held.get(6).until in until
    assert len(events(tmp_path, "held")) == 2


def test_an_approval_is_not_for_another_input(
    wire: Wire, make_scheduler: MakeScheduler, held: HeldRequests, ask: Any, tmp_path: Path
):
    ask()
    scheduler = make_scheduler(**ALWAYS)
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire))
    held.approve(5, "bob", held.get(5).code)
    wire.results[5]["input"] = base64.b64encode(payload(column="name")).decode()
    scheduler.take_up()
    assert eventually(lambda: '"name"' in held.get(5).arguments)
    assert eventually(lambda: [one["state"] for one in scheduler.describe()] == ["awaits approval"])
    assert runs(tmp_path) == ""
    assert not held.get(5).approvals
    assert len(events(tmp_path, "held")) == 2


@pytest.mark.parametrize(
    "changed", [{"database": "other"}, {"initiator": 2}, {"run_id": 2}, {"image": "other/image"}]
)
def test_a_result_stays_the_work_that_was_claimed_first(
    wire: Wire,
    make_scheduler: MakeScheduler,
    held: HeldRequests,
    ask: Any,
    tmp_path: Path,
    changed: dict[str, Any],
):
    ask()
    scheduler = make_scheduler(**ALWAYS)
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire))
    held.approve(5, "bob", held.get(5).code)
    wire.results[5]["task"] |= changed
    scheduler.take_up()
    assert eventually(lambda: wire.results[5]["status"] == "not allowed")
    assert wire.results[5]["reason"]["code"] == "claim_changed"
    assert runs(tmp_path) == ""


def test_an_approval_is_not_for_another_image_under_the_same_name(
    wire: Wire, make_scheduler: MakeScheduler, held: HeldRequests, ask: Any, tmp_path: Path
):
    ask()
    first = make_scheduler(**ALWAYS)
    first.accept(5)
    assert eventually(lambda: is_held(wire))
    before = held.get(5).digest
    first.leave()
    held.approve(5, "bob", held.get(5).code)
    other = {IMAGE: ("python3", "-c", f"{PROGRAM}; print('other')")}
    make_scheduler(**ALWAYS | {"processes": other}).adopt()
    assert eventually(lambda: held.get(5).digest != before)
    assert eventually(lambda: is_held(wire))
    assert runs(tmp_path) == ""
    assert not held.get(5).approvals


def test_with_four_eyes_one_approval_starts_nothing(
    wire: Wire, make_scheduler: MakeScheduler, held: HeldRequests, ask: Any, tmp_path: Path
):
    ask()
    scheduler = make_scheduler(**with_policies(four_eyes=True))
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire))
    held.approve(5, "bob", held.get(5).code)
    scheduler.take_up()
    assert is_held(wire)
    assert runs(tmp_path) == ""
    held.approve(5, "carol", held.get(5).code)
    scheduler.take_up()
    eventually(lambda: wire.ids("completed") == [5])
    assert events(tmp_path, "approval")[0]["by"] == ["bob", "carol"]


def granted(held: HeldRequests, **values: Any) -> Grant:
    """Return the grant that covers a held request."""
    request = held.get(5)
    assert request.digest
    assert request.function
    assert request.requester.organization_id
    standard: dict[str, Any] = {
        "digest": request.digest,
        "function": request.function,
        "is_central": request.is_central,
        "organization_id": request.requester.organization_id,
        "database": request.databases[0],
        "by": "bob",
    }
    return Grant(**standard | values)


def test_a_grant_lets_go_on_what_it_covers_and_counts(
    wire: Wire, make_scheduler: MakeScheduler, held: HeldRequests, ask: Any, tmp_path: Path
):
    scheduler = make_scheduler(**ALWAYS)
    for id_, column in ((5, "age"), (6, "name"), (7, "age"), (8, "age")):
        ask(id_, payload(column=column))
        scheduler.accept(id_)
        assert eventually(lambda id_=id_: is_held(wire, id_))
    grants = Grants(tmp_path / "data")
    grants.add(granted(held, times=2, arguments={"column": Limit(("age",))}))
    scheduler.take_up()
    eventually(lambda: len(wire.ids("completed")) == 2)
    assert eventually(lambda: len(held.ids()) == 2)
    assert is_held(wire, 6)
    assert len(grants.list()[0].used) == 2
    answers = [(line["answer"], line["by"]) for line in events(tmp_path, "approval")]
    assert answers == [("granted", ["bob"])] * 2


def test_another_input_under_the_number_of_a_result_uses_a_grant_again(
    wire: Wire, make_scheduler: MakeScheduler, held: HeldRequests, ask: Any, tmp_path: Path
):
    ask()
    scheduler = make_scheduler(**ALWAYS)
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire))
    Grants(tmp_path / "data").add(granted(held, times=1, arguments=None))
    scheduler.take_up()
    assert eventually(lambda: wire.ids("completed") == [5])
    assert eventually(lambda: scheduler.report() == ([], []))
    ask(5, payload(column="sex"))
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire))
    assert runs(tmp_path) == "x"


def test_under_four_eyes_a_grant_of_one_person_covers_nothing(
    wire: Wire, make_scheduler: MakeScheduler, held: HeldRequests, ask: Any, tmp_path: Path
):
    ask()
    scheduler = make_scheduler(**with_policies(four_eyes=True))
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire))
    grants = Grants(tmp_path / "data")
    grant = grants.add(granted(held))
    scheduler.take_up()
    assert is_held(wire)
    grants.confirm(grant.id, "carol")
    scheduler.take_up()
    eventually(lambda: wire.ids("completed") == [5])


def test_the_first_use_is_remembered_for_this_organization_function_and_database(
    wire: Wire, make_scheduler: MakeScheduler, held: HeldRequests, ask: Any, tmp_path: Path
):
    scheduler = make_scheduler(**with_policies(approval="first_use"))
    ask()
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire))
    held.approve(5, "bob", held.get(5).code)
    scheduler.take_up()
    eventually(lambda: wire.ids("completed") == [5])
    ask(6, payload(column="name"))
    ask(7, payload("other"))
    ask(8, initiator=2, initiator_name="org 2")
    for id_ in (6, 7, 8):
        scheduler.accept(id_)
    eventually(lambda: wire.ids("completed") == [5, 6])
    assert eventually(lambda: is_held(wire, 7) and is_held(wire, 8))
    assert len(Grants(tmp_path / "data").list()) == 1


def test_in_a_pause_nothing_starts_and_what_runs_goes_on(
    wire: Wire, make_scheduler: MakeScheduler, held: HeldRequests, ask: Any, tmp_path: Path
):
    wait = "import os, time\nwhile not os.path.exists('{}'): time.sleep(0.01)\n" + PROGRAM
    go = tmp_path / "go"
    processes = {IMAGE: ("python3", "-c", wait.format(go))}
    scheduler = make_scheduler(processes=processes)
    ask()
    scheduler.accept(5)
    assert eventually(lambda: wire.ids("active") == [5])
    pause = Pause(tmp_path / "data")
    pause.set("bob")
    ask(6)
    scheduler.accept(6)
    assert eventually(lambda: is_held(wire, 6, "station_paused"))
    go.touch()
    eventually(lambda: wire.ids("completed") == [5])
    scheduler.take_up()
    assert is_held(wire, 6, "station_paused")
    assert held.ids() == []
    assert scheduler.describe()[-1]["state"] == "paused"
    pause.clear("bob")
    scheduler.take_up()
    eventually(lambda: wire.ids("completed") == [5, 6])
    assert runs(tmp_path) == "xx"


def test_what_is_approved_in_a_pause_starts_after_it(
    wire: Wire, make_scheduler: MakeScheduler, held: HeldRequests, ask: Any, tmp_path: Path
):
    ask()
    scheduler = make_scheduler(**ALWAYS)
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire))
    pause = Pause(tmp_path / "data")
    pause.set("bob")
    held.approve(5, "bob", held.get(5).code)
    scheduler.take_up()
    assert wire.ids("pending") == [5]
    assert runs(tmp_path) == ""
    pause.clear("bob")
    scheduler.take_up()
    eventually(lambda: wire.ids("completed") == [5])
