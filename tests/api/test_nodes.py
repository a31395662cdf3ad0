"""Nodes: where they work, what they tell of their configuration, and when they were heard of."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.client import Algorithm, Api
from tests.models.factories import LEASE, World, again, make_task, make_user, result_of
from vantage6.common.identity import NODE_AUTHORIZATION
from vantage6.common.task_status import TaskStatus
from vantage6.models.store import collaborations, nodes, organizations, results
from vantage6.models.tables import Collaboration, Node, NodeConfig, User


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases."""
    return database_uri


@pytest.fixture
def admin(world: World) -> User:
    """Give an administrator of Amsterdam."""
    return make_user(world.amsterdam, "Organization Admin")


@pytest.fixture
def free(world: World) -> Collaboration:
    """Give a collaboration of Amsterdam and Cairo without nodes."""
    members = [world.amsterdam.id, world.cairo.id]
    return collaborations.create("free", members, encrypted=False)


def place(node: Node) -> tuple[int, int | None]:
    row = again(node)
    return row.organization_id, row.collaboration_id


# Moving


def test_null_and_the_same_place_change_nothing(api: Api, world: World, admin: User):
    node = world.amsterdam_north
    task = make_task(world.north, [world.amsterdam])
    results.claim(result_of(task, world.amsterdam).id, node, LEASE)
    for body in (
        {"name": None, "organization_id": None, "collaboration_id": None},
        {"organization_id": world.amsterdam.id, "collaboration_id": world.north.id},
    ):
        shown = api.patch(f"/node/{node.id}", admin, body).json
        assert shown["name"] == "Amsterdam - north Node"
    assert place(node) == (world.amsterdam.id, world.north.id)
    assert result_of(task, world.amsterdam).status == TaskStatus.INITIALIZING


def test_an_administrator_moves_a_node_between_collaborations_of_its_organization(
    api: Api, world: World, admin: User, free: Collaboration
):
    body = {"name": "moved", "collaboration_id": free.id}
    shown = api.patch(f"/node/{world.amsterdam_north.id}", admin, body).json
    assert (shown["name"], shown["collaboration"]["id"]) == ("moved", free.id)
    assert place(world.amsterdam_north) == (world.amsterdam.id, free.id)


def test_root_gives_a_node_to_another_organization(
    api: Api, world: World, root: User, free: Collaboration
):
    body = {"organization_id": world.cairo.id, "collaboration_id": free.id}
    shown = api.patch(f"/node/{world.amsterdam_north.id}", root, body).json
    assert shown["organization"]["id"] == world.cairo.id
    assert place(world.amsterdam_north) == (world.cairo.id, free.id)


def test_a_node_without_collaboration_may_change_its_organization(
    api: Api, world: World, root: User
):
    nodes.move(world.cairo_south, world.cairo, None)
    body = {"organization_id": world.amsterdam.id}
    assert api.patch(f"/node/{world.cairo_south.id}", root, body).json["collaboration"] is None


@pytest.mark.parametrize(
    ("who", "change", "problem"),
    [
        ("admin", {"collaboration_id": "south"}, (400, "no_member")),
        ("root", {"collaboration_id": "south"}, (400, "no_member")),
        ("admin", {"organization_id": "cairo"}, (401, "forbidden")),
        ("root", {"organization_id": "cairo"}, (400, "no_member")),
        ("root", {"organization_id": "berlin"}, (400, "node_exists")),
        ("admin", {"collaboration_id": 999}, (404, "not_found")),
        ("root", {"organization_id": 999}, (404, "not_found")),
        ("root", {"collaboration_id": "x"}, (400, "invalid")),
    ],
)
def test_a_refused_move_changes_nothing_at_all(
    request: pytest.FixtureRequest,
    api: Api,
    world: World,
    who: str,
    change: dict[str, Any],
    problem: tuple[int, str],
):
    node = world.amsterdam_north
    ((key, value),) = change.items()
    body = {
        "name": "half done",
        "ip": "10.0.0.1",
        key: getattr(getattr(world, str(value), None), "id", value),
    }
    assert api.patch(f"/node/{node.id}", request.getfixturevalue(who), body).problem == problem
    assert place(node) == (world.amsterdam.id, world.north.id)
    assert again(node).name == "Amsterdam - north Node"
    assert again(node).ip is None


def test_what_a_node_had_taken_is_offered_to_the_next_one(
    api: Api, world: World, admin: User, free: Collaboration
):
    task = make_task(world.north, [world.amsterdam])
    mine = result_of(task, world.amsterdam)
    results.claim(mine.id, world.amsterdam_north, LEASE)
    algorithm = Algorithm(world.amsterdam_north, task)
    body = {"collaboration_id": free.id}
    assert api.patch(f"/node/{world.amsterdam_north.id}", admin, body).status == 200
    assert (again(mine).status, again(mine).attempt) == (TaskStatus.PENDING, 0)
    orders = api.post("/node/reconcile", world.amsterdam_north, {"running": [mine.id]}).json
    assert (orders["start"], orders["stop"]) == ([], [mine.id])
    assert api.get(f"/task/{task.id}", algorithm).problem == (401, "identity_gone")


def test_an_algorithm_does_not_follow_its_node_to_another_organization(api: Api, world: World):
    """Though the collaboration is the same."""
    task = make_task(world.south, [world.cairo, world.berlin])
    token = api.token(Algorithm(world.cairo_south, task))
    delft = organizations.create(name="Delft")
    collaborations.add_member(world.south, delft.id)
    nodes.move(world.cairo_south, delft, world.south)
    beside = {NODE_AUTHORIZATION: f"Bearer {api.token(world.cairo_south)}"}
    answer = api.send("GET", f"/task/{task.id}", token, headers=beside)
    assert answer.problem == (401, "identity_gone")


def test_a_removed_node_leaves_its_results_to_the_next_one(api: Api, world: World, root: User):
    task = make_task(world.north, [world.amsterdam])
    mine = result_of(task, world.amsterdam)
    results.claim(mine.id, world.amsterdam_north, LEASE)
    assert api.delete(f"/node/{world.amsterdam_north.id}", root).status == 200
    assert (again(mine).status, again(mine).lease_until) == (TaskStatus.PENDING, None)


# Configuration

TOLD = [
    {"key": "encryption", "value": "1"},
    {"key": "allowed_users", "value": "3"},
    {"key": "allowed_users", "value": "4"},
]


def test_a_node_tells_its_configuration_as_a_whole(api: Api, world: World, admin: User):
    node = world.amsterdam_north
    path = f"/node/{node.id}"
    assert api.patch(path, node, {"config": TOLD}).json["config"] == TOLD
    assert api.patch(path, node, {"name": "n"}).json["config"] == TOLD
    assert api.patch(path, node, {"config": TOLD[:1]}).json["config"] == TOLD[:1]
    assert api.get(path, admin).json["config"] == TOLD[:1]
    assert api.patch(path, node, {"config": []}).json["config"] == []


def test_nobody_else_tells_the_configuration_of_a_node(api: Api, world: World, root: User):
    node, other = world.berlin_north, world.berlin_south
    for who in (root, other):
        body = {"config": TOLD, "name": "x"}
        assert api.patch(f"/node/{node.id}", who, body).problem == (401, "forbidden")
    assert NodeConfig.select().count() == 0
    assert again(node).name == "Berlin - north Node"


@pytest.mark.parametrize(
    "config",
    [
        [{"key": "k" * 65, "value": ""}],
        [{"key": "", "value": ""}],
        [{"key": "k", "value": "v" * 256}],
        [{"key": "k", "value": "\0"}],
        [{"key": "k", "value": []}],
        [{"key": "k"}],
        [{"key": "k", "value": ""}] * 1001,
        {"k": "v"},
    ],
)
def test_a_configuration_that_is_none_is_refused(api: Api, world: World, config: Any):
    node = world.amsterdam_north
    assert api.patch(f"/node/{node.id}", node, {"config": config}).problem == (400, "invalid")


def test_a_long_configuration_is_kept(api: Api, world: World):
    node = world.amsterdam_north
    long = [{"key": "allowed_users", "value": str(number)} for number in range(1000)]
    assert api.patch(f"/node/{node.id}", node, {"config": long}).json["config"] == long


# Lists


def test_nodes_are_found_by_when_they_were_last_heard_of(api: Api, world: World, root: User):
    moment = datetime(2026, 5, 4, 12, tzinfo=UTC)
    for node, hours in ((world.amsterdam_north, 0), (world.berlin_north, 24)):
        Node.update(last_seen=moment + timedelta(hours=hours)).where(Node.id == node.id).execute()
    for query, expected in (
        ("last_seen_from=2026-05-04T12:00:00", [world.amsterdam_north, world.berlin_north]),
        ("last_seen_from=2026-05-05", [world.berlin_north]),
        ("last_seen_till=2026-05-05", [world.amsterdam_north]),
        ("last_seen_from=2026-05-04&last_seen_till=2026-05-04T13:00:00", [world.amsterdam_north]),
        ("last_seen_from=2027-01-01", []),
    ):
        found = api.get("/node", root, query=query).json
        assert [row["id"] for row in found] == [node.id for node in expected], query
    assert api.get("/node", root, query="last_seen_from=x").problem == (400, "invalid")
