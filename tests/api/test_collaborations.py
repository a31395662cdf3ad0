"""Collaborations: who is in them, and what becomes of the work of those who leave."""

from typing import Any

import pytest

from tests.api.client import Algorithm, Api
from tests.models.factories import (
    LEASE,
    World,
    again,
    finish,
    make_task,
    make_user,
    messages,
    result_of,
    side_by_side,
)
from vantage6.common.errors import V6Error
from vantage6.common.task_status import UNFINISHED, TaskStatus
from vantage6.models.store import collaborations, nodes, outbox, results, targets
from vantage6.models.store.outbox import Topic
from vantage6.models.tables import Membership, Node, Payload, Result, Task, User


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases."""
    return database_uri


def members(api: Api, collaboration: Any, who: User) -> list[int]:
    links = api.get(f"/collaboration/{collaboration.id}", who).json["organizations"]
    return [link["id"] for link in links or []]


def doorbells() -> list[list[int]]:
    """Return node, result and task of all kills that wait to be told."""
    waiting = [outbox.find(message) for message in messages()]
    return [
        doorbell
        for message in waiting
        if message.topic is Topic.RESULTS_KILLED
        for doorbell in message.content["bells"]
    ]


# Changing


def test_null_leaves_a_collaboration_as_it_is(api: Api, world: World, root: User):
    path = f"/collaboration/{world.south.id}"
    before = api.get(path, root).json
    nothing = {"name": None, "organization_ids": None, "encrypted": None}
    assert api.patch(path, root, nothing).json == before
    changed = api.patch(path, root, {"name": "deep south", "encrypted": False}).json
    assert (changed["name"], changed["encrypted"]) == ("deep south", False)
    assert changed["organizations"] == before["organizations"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"name": "south"}, (400, "name_taken")),
        ({"name": ""}, (400, "invalid")),
        ({"organization_ids": [999]}, (404, "not_found")),
        ({"organization_ids": []}, (400, "invalid")),
        ({"organization_ids": ["x"]}, (400, "invalid")),
        ({"encrypted": "maybe"}, (400, "invalid")),
    ],
)
def test_a_change_that_cannot_be_is_refused_as_a_whole(
    api: Api, world: World, root: User, body: dict[str, Any], problem: tuple[int, str]
):
    path = f"/collaboration/{world.north.id}"
    before = api.get(path, root).json
    assert api.patch(path, root, {"name": "other", "encrypted": True} | body).problem == problem
    assert api.get(path, root).json == before


def test_its_own_name_is_not_taken(api: Api, world: World, root: User):
    path = f"/collaboration/{world.north.id}"
    assert api.patch(path, root, {"name": "north"}).status == 200


def test_organizations_are_replaced(api: Api, world: World, root: User):
    wanted = [world.cairo.id, world.amsterdam.id, world.cairo.id]
    path = f"/collaboration/{world.north.id}"
    shown = api.patch(path, root, {"organization_ids": wanted}).json
    assert [link["id"] for link in shown["organizations"]] == sorted(set(wanted))


# Members


def test_an_organization_joins_once_and_the_answer_lists_all(api: Api, world: World, root: User):
    for _ in range(2):
        answer = api.post(
            f"/collaboration/{world.north.id}/organization", root, {"id": world.cairo.id}
        )
        assert [row["name"] for row in answer.json] == ["Amsterdam", "Berlin", "Cairo"]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_an_organization_must_be_named_and_exist(api: Api, world: World, root: User, method: str):
    path = f"/collaboration/{world.north.id}/organization"
    assert api.send(method, path, root, {}).problem == (400, "invalid")
    assert api.send(method, path, root, {"id": 999}).problem == (404, "not_found")
    missing = "/collaboration/999/organization"
    assert api.send(method, missing, root, {"id": 1}).problem == (404, "not_found")


def leave(api: Api, world: World, root: User) -> Any:
    """Take Berlin out of the north."""
    path = f"/collaboration/{world.north.id}/organization"
    return api.send("DELETE", path, root, {"id": world.berlin.id})


def test_an_organization_leaves_once(api: Api, world: World, root: User):
    assert [row["name"] for row in leave(api, world, root).json] == ["Amsterdam"]
    assert leave(api, world, root).problem == (400, "no_member")


def test_what_an_organization_computes_is_ended_when_it_leaves(api: Api, world: World, root: User):
    task = make_task(world.north, [world.amsterdam, world.berlin])
    ended = make_task(world.north, [world.berlin])
    elsewhere = make_task(world.south, [world.berlin])
    done = finish(result_of(ended, world.berlin), world.berlin_north)
    running = result_of(task, world.berlin)
    results.claim(running.id, world.berlin_north, LEASE)
    leave(api, world, root)
    row = again(running)
    assert (row.status, row.reason_code) == (TaskStatus.KILLED, "left_collaboration")
    assert row.finished_at is not None
    assert doorbells() == [[world.berlin_north.id, running.id, task.id]]
    for other in (result_of(task, world.amsterdam), result_of(elsewhere, world.berlin)):
        assert other.status == TaskStatus.PENDING
    assert again(done).status == TaskStatus.COMPLETED
    shown = api.get(f"/result/{running.id}", root).json
    assert shown["reason"]["code"] == "left_collaboration"


def test_leaving_by_a_change_of_the_collaboration_is_the_same(api: Api, world: World, root: User):
    running = result_of(make_task(world.north, [world.berlin]), world.berlin)
    body = {"organization_ids": [world.amsterdam.id, world.cairo.id]}
    assert api.patch(f"/collaboration/{world.north.id}", root, body).status == 200
    assert again(running).reason_code == "left_collaboration"
    assert [result for _, result, _ in doorbells()] == [running.id]


def test_the_tasks_of_an_organization_that_left_stay(api: Api, world: World, root: User):
    task = make_task(world.north, [world.amsterdam], initiator=world.berlin)
    leave(api, world, root)
    shown = api.get(f"/task/{task.id}", root).json
    assert (shown["initiator"], shown["status"]) == (world.berlin.id, "pending")
    claimed, _ = results.claim(result_of(task, world.amsterdam).id, world.amsterdam_north, LEASE)
    assert claimed.status == TaskStatus.INITIALIZING
    berliner = make_user(world.berlin, "Viewer")
    assert api.get(f"/task/{task.id}", berliner).problem == (401, "forbidden")


def test_a_node_whose_organization_left_sees_and_does_nothing(api: Api, world: World, root: User):
    """Its row stays as it is, and works again once the organization is back."""
    node = world.berlin_north
    ours = make_task(world.north, [world.amsterdam, world.berlin])
    mine = result_of(ours, world.berlin)
    leave(api, world, root)
    assert api.get(f"/node/{node.id}", node).json["collaboration"]["id"] == world.north.id
    for path in ("/task", "/result"):
        assert api.get(path, node).json == []
    for path in (f"/task/{ours.id}", f"/result/{mine.id}", f"/collaboration/{world.north.id}"):
        assert api.get(path, node).problem == (401, "forbidden")
    assert [row["id"] for row in api.get("/organization", node).json] == [world.berlin.id]
    assert api.post(f"/result/{mine.id}/claim", node).problem == (401, "forbidden")
    assert api.patch(f"/result/{mine.id}", node, {"log": "x"}).problem == (401, "forbidden")
    body = {"task_id": ours.id, "image": ours.image}
    assert api.post("/token/container", node, body).problem == (401, "forbidden")
    orders = api.post("/node/reconcile", node, {"running": [mine.id]}).json
    assert (orders["start"], orders["stop"]) == ([], [mine.id])
    collaborations.add_member(world.north, world.berlin.id)
    assert [row["id"] for row in api.get("/task", node).json] == [ours.id]


def test_an_algorithm_of_an_organization_that_left_is_nobody(api: Api, world: World, root: User):
    task = make_task(world.north, [world.amsterdam, world.berlin])
    algorithm = Algorithm(world.berlin_north, task)
    assert api.get(f"/task/{task.id}", algorithm).status == 200
    leave(api, world, root)
    assert api.get(f"/task/{task.id}", algorithm).problem == (401, "identity_gone")


def test_no_open_result_is_left_behind_by_one_who_leaves_meanwhile(server: Any, world: World):
    """Tasks are created for Berlin at the very moment in which it leaves."""
    for _ in range(5):
        outcomes = side_by_side(
            *[lambda: make_task(world.north, [world.amsterdam, world.berlin])] * 3,
            lambda: collaborations.remove_member(world.north, world.berlin.id),
        )
        unexpected = [
            one for one in outcomes if isinstance(one, Exception) and not isinstance(one, V6Error)
        ]
        assert unexpected == []
        theirs = Result.select().where(
            (Result.organization == world.berlin) & Result.status.in_(list(UNFINISHED))
        )
        assert theirs.count() == 0
        collaborations.add_member(world.north, world.berlin.id)


# Removing


def test_a_removed_collaboration_takes_its_tasks_and_leaves_its_nodes(
    api: Api, world: World, root: User
):
    task = make_task(world.north, [world.amsterdam, world.berlin])
    done = finish(result_of(task, world.amsterdam), world.amsterdam_north)
    kept = make_task(world.south, [world.cairo])
    running = result_of(task, world.berlin)
    answer = api.delete(f"/collaboration/{world.north.id}", root)
    assert answer.json == {"msg": "Collaboration north was removed; 1 results were ended before."}
    assert [row.id for row in Task.select()] == [kept.id]
    assert Result.select().count() == Payload.select().count() == 1
    assert doorbells() == [[world.berlin_north.id, running.id, task.id]]
    assert done.id not in [result for _, result, _ in doorbells()]
    assert not Membership.select().where(Membership.collaboration == world.north.id).exists()
    for node in (world.amsterdam_north, world.berlin_north):
        assert api.get(f"/node/{node.id}", root).json["collaboration"] is None
        assert api.get("/task", node).json == []
        orders = api.post("/node/reconcile", node, {"running": [running.id]}).json
        assert orders["stop"] == [running.id]
    assert api.get(f"/collaboration/{world.north.id}", root).problem == (404, "not_found")


# Nodes


def test_a_node_is_taken_out_and_put_in_again(api: Api, world: World, root: User):
    path, body = f"/collaboration/{world.north.id}/node", {"id": world.berlin_north.id}
    assert "taken out of north" in api.send("DELETE", path, root, body).json["msg"]
    assert again(world.berlin_north).collaboration_id is None
    assert api.send("DELETE", path, root, body).problem == (400, "not_there")
    answer = api.post(path, root, body)
    assert [row["id"] for row in answer.json] == [world.amsterdam_north.id, world.berlin_north.id]
    assert again(world.berlin_north).collaboration_id == world.north.id
    assert api.post(path, root, body).problem == (400, "node_exists")


def test_only_a_member_has_a_node_and_only_one(api: Api, world: World, root: User):
    path = f"/collaboration/{world.north.id}/node"
    answer = api.post(path, root, {"id": world.cairo_south.id})
    assert answer.problem == (400, "no_member")
    answer = api.post(path, root, {"id": world.berlin_south.id})
    assert answer.problem == (400, "node_exists")
    assert "Berlin has a node in north" in answer.json["msg"]
    assert api.post(path, root, {"id": 999}).problem == (404, "not_found")
    assert api.post(path, root, {}).problem == (400, "invalid")
    assert again(world.berlin_south).collaboration_id == world.south.id


def test_what_a_moved_node_has_taken_waits_for_the_next_one(api: Api, world: World, root: User):
    task = make_task(world.north, [world.berlin])
    mine = result_of(task, world.berlin)
    results.claim(mine.id, world.berlin_north, LEASE)
    started = {"status": TaskStatus.ACTIVE, "lease_seconds": LEASE}
    results.patch(results.of_node(mine.id, world.berlin_north), **started)
    nodes.delete(world.berlin_south)
    body = {"id": world.berlin_north.id}
    assert api.post(f"/collaboration/{world.south.id}/node", root, body).status == 201
    row = again(mine)
    assert (row.status, row.lease_until, row.attempt) == (TaskStatus.PENDING, None, 0)
    orders = api.post("/node/reconcile", world.berlin_north, {"running": [mine.id]}).json
    assert (orders["start"], orders["stop"]) == ([], [mine.id])
    report = api.patch(f"/result/{mine.id}", world.berlin_north, {"status": "completed"})
    assert report.problem == (401, "forbidden")
    successor, _ = nodes.create(world.berlin, world.north)
    assert api.post("/node/reconcile", successor, {}).json["start"] == [mine.id]
    assert api.post(f"/result/{mine.id}/claim", successor).status == 200


def test_a_task_needs_a_node_where_one_was_moved_away(api: Api, world: World, root: User):
    path = f"/collaboration/{world.north.id}/node"
    api.send("DELETE", path, root, {"id": world.berlin_north.id})
    with pytest.raises(V6Error, match="No node is registered"):
        targets.check(world.north.id, [world.berlin.id])
    assert Node.select().count() == 4
