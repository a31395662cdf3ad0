"""Each kind of object has exactly the keys and forms that clients of 3.11 know."""

import re

import pytest

from tests.api.client import Api
from tests.models.factories import (
    IMAGE,
    LEASE,
    World,
    finish,
    make_task,
    make_user,
    result_of,
)
from vantage6.common.clock import now
from vantage6.common.task_status import TaskStatus
from vantage6.models.store import organizations, ports, results, tasks
from vantage6.models.tables import Node, NodeConfig, Rule, User

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00")


def link(kind: str, id_: int) -> dict[str, object]:
    methods = {
        "organization": ["GET", "PATCH"],
        "task": ["GET", "DELETE"],
        "result": ["GET", "PATCH"],
        "rule": ["GET"],
    }.get(kind, ["GET", "PATCH", "DELETE"])
    return {"id": id_, "link": f"/api/{kind}/{id_}", "methods": methods}


def test_a_user(api: Api, world: World, root: User):
    user = make_user(world.amsterdam, "Viewer", firstname="Ada", rules=[3], username="ada")
    assert api.get(f"/user/{user.id}", root).json == {
        "id": user.id,
        "type": "user",
        "username": "ada",
        "firstname": "Ada",
        "lastname": "Body",
        "email": user.email,
        "status": None,
        "last_seen": None,
        "ip": None,
        "otp_secret": None,
        "organization": link("organization", world.amsterdam.id),
        "roles": [link("role", 4)],
        "rules": [link("rule", 3)],
        "created_tasks": [],
    }
    seen = api.get(f"/user/{user.id}", user).json["last_seen"]
    assert _MOMENT.fullmatch(seen)


def test_a_user_without_roles_and_rules(api: Api, world: World):
    user = make_user(world.amsterdam)
    shown = api.get(f"/user/{user.id}", user).json
    assert (shown["roles"], shown["rules"]) == (None, None)


def test_an_organization(api: Api, world: World, root: User):
    organizations.update(world.amsterdam, {"country": "NL", "public_key": "TUlJ"})
    assert api.get(f"/organization/{world.amsterdam.id}", root).json == {
        "id": world.amsterdam.id,
        "name": "Amsterdam",
        "domain": None,
        "address1": None,
        "address2": None,
        "zipcode": None,
        "country": "NL",
        "public_key": "TUlJ",
        "collaborations": [link("collaboration", world.north.id)],
        "nodes": [link("node", world.amsterdam_north.id)],
        "users": [link("user", root.id)],
        "results": None,
        "roles": [],
    }


def test_an_organization_of_its_own(api: Api, root: User):
    made = api.post("/organization", root, {"name": "Delhi"}).json
    assert made["collaborations"] is made["nodes"] is made["users"] is None
    assert (made["address1"], made["address2"], made["public_key"]) == ("", None, "")


def test_a_collaboration(api: Api, world: World, root: User):
    make_task(world.south, [world.cairo])
    assert api.get(f"/collaboration/{world.south.id}", root).json == {
        "id": world.south.id,
        "name": "south",
        "encrypted": True,
        "organizations": [
            link("organization", world.berlin.id),
            link("organization", world.cairo.id),
        ],
        "nodes": [link("node", world.berlin_south.id), link("node", world.cairo_south.id)],
        "tasks": None,
    }


def test_a_node(api: Api, world: World, root: User):
    node = world.amsterdam_north
    expected = {
        "id": node.id,
        "type": "node",
        "name": "Amsterdam - north Node",
        "status": None,
        "ip": None,
        "last_seen": None,
        "organization": link("organization", world.amsterdam.id),
        "collaboration": link("collaboration", world.north.id),
        "config": [],
    }
    assert api.get(f"/node/{node.id}", root).json == expected
    short = {key: expected[key] for key in expected if key not in ("type", "collaboration")}
    assert short in api.get(f"/collaboration/{world.north.id}/node", root).json
    seen = api.get(f"/node/{node.id}", node).json
    assert seen["status"] == "offline"
    assert _MOMENT.fullmatch(seen["last_seen"])


def test_a_new_node_shows_its_key_once(api: Api, world: World, root: User):
    collaboration = api.post(
        "/collaboration", root, {"name": "east", "organization_ids": [world.cairo.id]}
    ).json
    made = api.post(
        "/node", root, {"collaboration_id": collaboration["id"], "organization_id": world.cairo.id}
    )
    assert made.status == 201
    assert re.fullmatch(r"[0-9a-f-]{36}", made.json["api_key"])
    assert "api_key" not in api.get(f"/node/{made.json['id']}", root).json


def test_a_task(api: Api, world: World, root: User):
    parent = make_task(world.north, [world.amsterdam, world.berlin], user=root, description="d")
    child = make_task(world.north, [world.berlin], parent=parent)
    mine, theirs = (result_of(parent, place).id for place in (world.amsterdam, world.berlin))
    shown = api.get(f"/task/{parent.id}", root).json
    assert _MOMENT.fullmatch(shown.pop("created_at"))
    assert shown == {
        "id": parent.id,
        "run_id": parent.run_id,
        "name": "sum",
        "description": "d",
        "image": IMAGE,
        "database": "default",
        "initiator": world.amsterdam.id,
        "init_user": root.id,
        "collaboration": link("collaboration", world.north.id),
        "parent": None,
        "children": [link("task", child.id)],
        "finished_at": None,
        "complete": False,
        "status": "pending",
        "results": [link("result", mine), link("result", theirs)],
    }
    shown = api.get(f"/task/{child.id}", root).json
    assert (shown["parent"], shown["children"]) == (link("task", parent.id), None)


def test_a_task_without_results_is_complete_and_unknown(api: Api, world: World, root: User):
    task = make_task(world.north, [], initiator=world.amsterdam)
    shown = api.get(f"/task/{task.id}", root).json
    assert (shown["complete"], shown["status"], shown["finished_at"]) == (True, "unknown", None)
    assert shown["results"] is None
    shown = api.get(f"/task/{task.id}", root, query="include=results").json
    assert shown["results"] == []


def test_a_result(api: Api, world: World, root: User):
    task = make_task(world.north, [world.amsterdam])
    row = result_of(task, world.amsterdam)
    shown = api.get(f"/result/{row.id}", root).json
    assert _MOMENT.fullmatch(shown.pop("assigned_at"))
    node = {
        "id": world.amsterdam_north.id,
        "name": "Amsterdam - north Node",
        "status": None,
        "ip": None,
        "config": [],
    }
    expected = {
        "id": row.id,
        "input": "input of Amsterdam",
        "result": None,
        "log": None,
        "status": "pending",
        "reason": None,
        "started_at": None,
        "finished_at": None,
        "organization": link("organization", world.amsterdam.id),
        "task": link("task", task.id),
        "node": node,
        "ports": [],
    }
    assert shown == expected
    (below,) = api.get(f"/task/{task.id}/result", root).json
    del below["assigned_at"]
    assert below == expected | {"organization": world.amsterdam.id, "task": task.id}
    task_shown = api.get(f"/task/{task.id}", root, query="include=results").json
    (embedded,) = task_shown.pop("results")
    del embedded["assigned_at"]
    assert "task" not in embedded
    assert embedded == {key: below[key] for key in below if key != "task"}
    within = api.get(f"/result/{row.id}", root, query="include=task").json["task"]
    assert "results" not in within
    assert within == task_shown


def test_a_result_within_a_list_looks_like_one_by_itself(api: Api, world: World, root: User):
    task = make_task(world.north, [world.amsterdam, world.berlin])
    (first, *_) = task.results
    Node.update(ip="10.76.0.1", last_seen=now()).execute()
    config = NodeConfig.create(node=world.amsterdam_north, key="k", value="v")
    port = ports.create(first, 50_000, None)
    finish(first, world.amsterdam_north, result="42", log="done")
    shown = api.get(f"/result/{first.id}", root).json
    assert shown["ports"] == [{"id": port.id, "port": 50_000, "label": None}]
    assert shown["node"]["config"] == [config.id]
    assert (shown["node"]["ip"], shown["node"]["status"]) == ("10.76.0.1", "offline")
    assert api.get("/result", root).json[-1] == shown
    whole = api.get(f"/result/{first.id}", root, query="include=task").json
    assert api.get("/result", root, query="include=task").json[-1] == whole
    below = api.get(f"/task/{task.id}/result", root).json[0]
    assert below | {"organization": 0, "task": 0} == shown | {"organization": 0, "task": 0}
    embedded = api.get(f"/task/{task.id}", root, query="include=results").json
    assert embedded["results"][0] | {"task": task.id} == below
    assert api.get("/task", root, query="include=results").json == [embedded]
    for query in ("", f"collaboration_id={world.north.id}"):
        assert api.get("/task", root, query=query).json == [api.get(f"/task/{task.id}", root).json]


def test_a_task_of_nobody(api: Api, world: World, root: User):
    author = make_user(world.amsterdam)
    parent = make_task(world.north, [world.amsterdam], user=author)
    task = make_task(world.north, [world.amsterdam], user=author, parent=parent, database=None)
    author.delete_instance()
    tasks.delete(parent)
    shown = api.get(f"/task/{task.id}", root).json
    assert shown["init_user"] is shown["parent"] is shown["database"] is None


def test_a_moment_without_fraction_has_none(api: Api, world: World, root: User):
    row = result_of(make_task(world.north, [world.amsterdam]), world.amsterdam)
    sent = {"started_at": "2026-01-02T03:04:05", "status": "active"}
    assert api.patch(f"/result/{row.id}", world.amsterdam_north, sent).status == 200
    shown = api.get(f"/result/{row.id}", root).json
    assert shown["started_at"] == "2026-01-02T03:04:05+00:00"


def test_what_a_node_tells_about_itself(api: Api, world: World, root: User):
    row = NodeConfig.create(node=world.amsterdam_north, key="allowed_images", value="x")
    shown = api.get(f"/node/{world.amsterdam_north.id}", root).json
    assert shown["config"] == [{"key": "allowed_images", "value": "x"}]
    short = api.get(f"/collaboration/{world.north.id}/node", root).json[0]
    assert short["config"] == [row.id]


def test_a_port(api: Api, world: World, root: User):
    result = result_of(make_task(world.north, [world.amsterdam]), world.amsterdam)
    row = ports.create(result, 50_000, "api")
    expected = {"id": row.id, "port": 50_000, "label": "api", "result": result.id}
    assert api.get(f"/port/{row.id}", root).json == expected
    assert api.get("/port", root).json == [expected]


def test_a_finished_result(api: Api, world: World, root: User):
    task = make_task(world.north, [world.amsterdam])
    row = result_of(task, world.amsterdam)
    finish(row, world.amsterdam_north, result="42", log="done")
    shown = api.get(f"/result/{row.id}", root).json
    assert (shown["result"], shown["log"], shown["status"]) == ("42", "done", "completed")
    whole = api.get(f"/task/{task.id}", root).json
    assert (whole["complete"], whole["status"]) == (True, "completed")
    assert whole["finished_at"] == shown["finished_at"]


def test_a_killed_result_says_why(api: Api, world: World, root: User):
    task = make_task(world.north, [world.amsterdam])
    tasks.kill(task.id)
    shown = api.get(f"/result/{result_of(task, world.amsterdam).id}", root).json
    assert shown["reason"] == {"code": "killed", "msg": "A user killed the task."}


def test_a_result_whose_node_was_removed(api: Api, world: World, root: User):
    row = result_of(make_task(world.north, [world.amsterdam]), world.amsterdam)
    api.delete(f"/node/{world.amsterdam_north.id}", root)
    assert api.get(f"/result/{row.id}", root).json["node"] == {}


def test_a_role(api: Api, world: World, root: User):
    shown = api.get("/role/2", root).json
    assert (shown["name"], shown["organization"], shown["users"]) == ("container", None, None)
    assert len(shown["rules"]) == 7
    assert shown["rules"][0]["link"].startswith("/api/rule/")
    assert api.get("/role/1", root).json["users"] == [link("user", root.id)]


def test_a_role_hides_users_of_others(api: Api, world: World):
    mine = make_user(world.amsterdam, "Viewer")
    make_user(world.cairo, "Viewer")
    assert api.get("/role/4", mine).json["users"] == [link("user", mine.id)]


def test_a_rule(api: Api, root: User):
    row = Rule.get_by_id(1)
    assert api.get("/rule/1", root).json == {
        "id": 1,
        "name": "node",
        "operation": "VIEW",
        "scope": "GLOBAL",
        "description": row.description,
        "users": None,
    }


def test_the_progress_of_a_task(api: Api, world: World, root: User):
    task = make_task(world.north, [world.amsterdam, world.berlin])
    mine, theirs = (result_of(task, place) for place in (world.amsterdam, world.berlin))
    finish(mine, world.amsterdam_north)
    results.claim(theirs.id, world.berlin_north, LEASE)
    assert api.get(f"/task/{task.id}/status", root).json == {
        "id": task.id,
        "status": "initializing",
        "complete": False,
        "results": [
            {
                "id": mine.id,
                "organization": world.amsterdam.id,
                "status": "completed",
                "waits_for": None,
            },
            {
                "id": theirs.id,
                "organization": world.berlin.id,
                "status": "initializing",
                "waits_for": None,
            },
        ],
    }


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ("pending pending", "pending"),
        ("completed pending", "pending"),
        ("initializing pending", "initializing"),
        ("active initializing", "active"),
        ("completed completed", "completed"),
        ("completed crashed", "failed"),
        ("active killed_by_user", "failed"),
        ("pending not_allowed", "failed"),
    ],
)
def test_the_state_of_a_task_follows_from_its_results(
    api: Api, world: World, root: User, states: str, whole: str
):
    task = make_task(world.north, [world.amsterdam, world.berlin])
    words = [TaskStatus(state.replace("_", " ")) for state in states.split()]
    for row, state in zip(task.results, words, strict=True):
        type(row).update(status=state).where(type(row).id == row.id).execute()
    assert api.get(f"/task/{task.id}", root).json["status"] == whole
