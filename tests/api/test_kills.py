"""Ending what a task or a node computes."""

from datetime import timedelta

import pytest

from tests.api.client import Api
from tests.models.factories import (
    LEASE,
    World,
    again,
    finish,
    make_task,
    make_user,
    messages,
    result_of,
)
from vantage6.common.clock import now
from vantage6.common.enums import Operation, Scope
from vantage6.common.task_status import TaskStatus
from vantage6.models.store import nodes, outbox, results
from vantage6.models.store.outbox import Topic
from vantage6.models.tables import Node, Result, Rule, Task, User


@pytest.fixture
def task(world: World) -> Task:
    """Give a task of Amsterdam and Berlin, of which Berlin has taken its part."""
    task = make_task(world.north, [world.amsterdam, world.berlin])
    results.claim(result_of(task, world.berlin).id, world.berlin_north, LEASE)
    return task


def kill(api: Api, who: User, node: Node) -> str:
    answer = api.post("/kill/node/tasks", who, {"id": node.id})
    assert answer.status == 200, answer.json
    return answer.json["msg"]


def controller(world: World, scope: Scope) -> User:
    """Return somebody of Amsterdam who may end things in one scope only."""
    rule = Rule.get(Rule.name == "event", Rule.operation == Operation.CREATE, Rule.scope == scope)
    return make_user(world.amsterdam, rules=[rule.id])


def test_what_a_node_has_taken_is_ended_and_the_node_is_told(
    api: Api, world: World, root: User, task: Task
):
    mine = result_of(task, world.berlin)
    waiting = result_of(make_task(world.north, [world.berlin]), world.berlin)
    elsewhere = result_of(make_task(world.south, [world.berlin]), world.berlin)
    results.claim(elsewhere.id, world.berlin_south, LEASE)
    done = result_of(make_task(world.north, [world.berlin]), world.berlin)
    results.claim(done.id, world.berlin_north, LEASE)
    finish(done, world.berlin_north)
    told = f"1 results of node {world.berlin_north.id} were killed."
    assert kill(api, root, world.berlin_north) == told
    row = again(mine)
    assert (row.status, row.reason_code, row.lease_until) == (TaskStatus.KILLED, "killed", None)
    assert row.finished_at is not None
    killed = outbox.find(messages()[-1])
    assert killed.topic is Topic.RESULTS_KILLED
    assert killed.content == {"bells": [[world.berlin_north.id, mine.id, task.id]]}
    for other, status in (
        (result_of(task, world.amsterdam), TaskStatus.PENDING),
        (waiting, TaskStatus.PENDING),
        (elsewhere, TaskStatus.INITIALIZING),
        (done, TaskStatus.COMPLETED),
    ):
        assert again(other).status == status


def test_a_kill_outlives_the_silence_of_its_node(api: Api, world: World, root: User, task: Task):
    """Meanwhile the result was offered again, to this same node."""
    mine = result_of(task, world.berlin)
    Result.update(lease_until=now() - timedelta(seconds=1)).where(Result.id == mine.id).execute()
    results.sweep()
    assert again(mine).status == TaskStatus.PENDING
    assert kill(api, root, world.berlin_north).startswith("1 results")
    orders = api.post("/node/reconcile", world.berlin_north, {"running": [mine.id]}).json
    assert (orders["start"], orders["stop"]) == ([], [mine.id])


def test_what_a_node_of_3_11_reports_without_a_claim_is_its_own_too(
    api: Api, world: World, root: User
):
    mine = result_of(make_task(world.north, [world.amsterdam]), world.amsterdam)
    api.patch(f"/result/{mine.id}", world.amsterdam_north, {"status": "active"})
    assert kill(api, root, world.amsterdam_north).startswith("1 results")


def test_an_idle_node_has_nothing_to_end(api: Api, world: World, root: User, task: Task):
    before = messages()
    assert kill(api, root, world.amsterdam_north).startswith("0 results")
    nodes.move(world.cairo_south, world.cairo, None)
    assert kill(api, root, world.cairo_south).startswith("0 results")
    assert messages() == before


@pytest.mark.parametrize(
    ("scope", "reached"),
    [
        (Scope.ORGANIZATION, {"amsterdam_north"}),
        (Scope.COLLABORATION, {"amsterdam_north", "berlin_north"}),
        (Scope.GLOBAL, {"amsterdam_north", "berlin_north", "berlin_south", "cairo_south"}),
    ],
)
def test_each_scope_reaches_its_nodes(api: Api, world: World, scope: Scope, reached: set[str]):
    who = controller(world, scope)
    for name in ("amsterdam_north", "berlin_north", "berlin_south", "cairo_south"):
        answer = api.post("/kill/node/tasks", who, {"id": getattr(world, name).id})
        assert answer.status == (200 if name in reached else 401), name


def test_a_node_must_be_named_and_exist(api: Api, root: User):
    assert api.post("/kill/node/tasks", root, {}).problem == (400, "invalid")
    assert api.post("/kill/node/tasks", root, {"id": None}).problem == (400, "invalid")
    assert api.post("/kill/node/tasks", root, {"id": 999}).problem == (404, "not_found")


def test_a_task_is_killed_with_its_sub_tasks_though_it_has_failed_itself(
    api: Api, world: World, root: User, task: Task
):
    finish(result_of(task, world.berlin), world.berlin_north, TaskStatus.CRASHED)
    child = make_task(world.north, [world.berlin], parent=task)
    assert api.get(f"/task/{task.id}", root).json["status"] == "failed"
    answer = api.post("/kill/task", root, {"id": task.id})
    assert answer.json["msg"].startswith("2 results")
    assert result_of(child, world.berlin).status == TaskStatus.KILLED
    assert result_of(task, world.berlin).status == TaskStatus.CRASHED


@pytest.mark.parametrize(
    ("scope", "reached"),
    [
        (Scope.ORGANIZATION, {"sent", "asked"}),
        (Scope.COLLABORATION, {"sent", "asked", "of others"}),
        (Scope.GLOBAL, {"sent", "asked", "of others", "elsewhere"}),
    ],
)
def test_each_scope_reaches_its_tasks(api: Api, world: World, scope: Scope, reached: set[str]):
    made = {
        "sent": make_task(world.north, [world.berlin], initiator=world.amsterdam),
        "asked": make_task(world.north, [world.amsterdam], initiator=world.berlin),
        "of others": make_task(world.north, [world.berlin], initiator=world.berlin),
        "elsewhere": make_task(world.south, [world.berlin], initiator=world.berlin),
    }
    who = controller(world, scope)
    for name, task in made.items():
        answer = api.post("/kill/task", who, {"id": task.id})
        assert answer.status == (200 if name in reached else 401), name
        ended = {result.status for result in again(task).results} == {TaskStatus.KILLED}
        assert ended is (name in reached), name


def test_a_task_without_results_has_nothing_to_kill(api: Api, world: World, root: User):
    empty = make_task(world.north, [], initiator=world.amsterdam)
    assert api.post("/kill/task", root, {"id": empty.id}).problem == (400, "task_ended")
