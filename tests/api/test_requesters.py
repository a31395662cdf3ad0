"""A node learns who asked first, and each one on the way: not only who sent the last sub-task."""

from typing import Any

import pytest

from tests.api.client import Algorithm, Api
from tests.models.factories import IMAGE, World, make_task, make_user, result_of
from vantage6.models.store import requesters
from vantage6.models.tables import Node, Task, User


@pytest.fixture
def uri(database_uri: str) -> str:
    """Return the URI of the database, on each engine."""
    return database_uri


def chain(api: Api, task: Task, node: Node) -> list[dict[str, Any]]:
    """Return who asked, as a claim says it."""
    result = result_of(task, node.organization)
    claimed = api.post(f"/result/{result.id}/claim", node)
    assert claimed.status == 200
    said: list[dict[str, Any]] = claimed.json["task"]["requesters"]
    return said


def link(task: Task, user: User | None) -> dict[str, Any]:
    return {
        "task": task.id,
        "organization": task.initiator_id,
        "organization_name": task.initiator.name,
        "user": user.id if user else None,
        "user_name": user.username if user else None,
        "image": task.image,
    }


def test_a_first_task_has_its_own_requester_only(api: Api, world: World, researcher: User):
    task = make_task(world.north, [world.berlin], initiator=world.amsterdam, user=researcher)
    assert chain(api, task, world.berlin_north) == [link(task, researcher)]
    nameless = make_task(world.north, [world.berlin], initiator=world.amsterdam)
    assert chain(api, nameless, world.berlin_north) == [link(nameless, None)]


def test_a_sub_task_names_who_asked_first_and_each_one_on_the_way(api: Api, world: World):
    user = make_user(world.amsterdam, "Researcher")
    first = make_task(world.north, [world.berlin], initiator=world.amsterdam, user=user)
    body = {
        "collaboration_id": world.north.id,
        "image": IMAGE,
        "organizations": [{"id": world.amsterdam.id, "input": "aQ=="}],
    }
    answer = api.post("/task", Algorithm(world.berlin_north, first), body)
    second = Task.get_by_id(answer.json["id"])
    assert second.initiator_id == world.berlin.id
    body["organizations"] = [{"id": world.berlin.id, "input": "aQ=="}]
    answer = api.post("/task", Algorithm(world.amsterdam_north, second), body)
    third = Task.get_by_id(answer.json["id"])
    assert chain(api, second, world.amsterdam_north) == [link(first, user), link(second, user)]
    expected = [link(first, user), link(second, user), link(third, user)]
    assert chain(api, third, world.berlin_north) == expected


def test_tasks_do_not_follow_from_each_other_without_end(api: Api, world: World, researcher: User):
    task = make_task(world.north, [world.berlin], user=researcher)
    body = {
        "collaboration_id": world.north.id,
        "image": IMAGE,
        "organizations": [{"id": world.berlin.id, "input": "aQ=="}],
    }
    for _ in range(requesters.MOST_LEVELS - 1):
        answer = api.post("/task", Algorithm(world.berlin_north, task), body)
        assert answer.status == 201
        task = Task.get_by_id(answer.json["id"])
    assert len(chain(api, task, world.berlin_north)) == requesters.MOST_LEVELS
    answer = api.post("/task", Algorithm(world.berlin_north, task), body)
    assert answer.problem == (400, "too_deep")


def asked_together(api: Api, task: Task, node: Node) -> list[int]:
    """Return the organizations that a task asks, as a claim says it."""
    result = result_of(task, node.organization)
    said: list[int] = api.post(f"/result/{result.id}/claim", node).json["task"]["organizations"]
    return said


def test_a_claim_says_which_organizations_the_task_asks(api: Api, world: World):
    both = make_task(world.north, [world.berlin, world.amsterdam], initiator=world.amsterdam)
    ids = sorted([world.berlin.id, world.amsterdam.id])
    assert asked_together(api, both, world.berlin_north) == ids
    assert asked_together(api, both, world.amsterdam_north) == ids
    one = make_task(world.north, [world.berlin], initiator=world.amsterdam)
    assert asked_together(api, one, world.berlin_north) == [world.berlin.id]


def test_no_input_and_no_organization_asked_twice_makes_more_of_them(api: Api, world: World):
    first = make_task(world.north, [world.berlin], initiator=world.amsterdam)
    target = {"id": world.amsterdam.id, "input": "eyJwYXJ0aWVzIjpbMSwyLDNdfQ=="}
    body = {
        "collaboration_id": world.north.id,
        "image": IMAGE,
        "organizations": [target],
    }
    answer = api.post("/task", Algorithm(world.berlin_north, first), body)
    assert answer.status == 201
    task = Task.get_by_id(answer.json["id"])
    assert asked_together(api, task, world.amsterdam_north) == [world.amsterdam.id]
    twice = api.post(
        "/task", Algorithm(world.berlin_north, first), {**body, "organizations": [target, target]}
    )
    assert twice.status >= 400
