"""Requests of scripts for 3.11 get the answers that these count on."""

from typing import Any

import pytest

from tests.api.client import Api
from tests.models.factories import World, finish, make_task, make_user, result_of
from vantage6.common.task_status import TaskStatus
from vantage6.models.store import relations, tasks
from vantage6.models.tables import Organization, Role, Rule, Task, User

PERSON = {"username": "leia", "firstname": "L", "lastname": "S", "password": "Right-horse-1"}


# Bodies: one value for a list, a number for a text, null for a text that is needed


def test_one_role_and_one_rule_stand_for_lists_of_one(api: Api, root: User):
    viewer, rule = Role.get(Role.name == "Viewer").id, Rule.get().id
    body = PERSON | {"email": "l@example.org", "roles": str(viewer), "rules": rule}
    made = api.post("/user", root, body)
    assert made.status == 201, made.text
    id_ = made.json["id"]
    assert relations.roles_of_users([id_]) == {id_: [viewer]}
    assert relations.rules_of_users([id_]) == {id_: [rule]}
    assert api.patch(f"/user/{id_}", root, {"rules": rule + 1, "roles": viewer}).status == 200
    assert relations.rules_of_users([id_]) == {id_: [rule + 1]}
    made = api.post("/role", root, {"name": "r", "description": "d", "rules": rule})
    assert (made.status, len(made.json["rules"])) == (201, 1)


def test_one_organization_stands_for_a_list_of_one(api: Api, root: User, world: World):
    home = world.amsterdam.id
    made = api.post("/collaboration", root, {"name": "alone", "organization_ids": home})
    assert made.status == 200, made.text
    assert relations.members_of([made.json["id"]]) == {made.json["id"]: [home]}


def test_numbers_stand_for_texts(api: Api, root: User, world: World):
    body = {"name": 2026, "zipcode": 3472, "address1": 1.5, "country": "NL"}
    made = api.post("/organization", root, body)
    assert made.status == 201, made.text
    row = Organization.get_by_id(made.json["id"])
    assert (row.name, row.zipcode, row.address1) == ("2026", "3472", "1.5")
    assert api.patch(f"/organization/{row.id}", root, {"zipcode": 12}).json["zipcode"] == "12"
    node = world.berlin_north
    assert api.patch(f"/node/{node.id}", root, {"name": 7}).json["name"] == "7"
    # Neither true nor a list is a text.
    for wrong in (True, [1]):
        assert api.patch(f"/organization/{row.id}", root, {"zipcode": wrong}).status == 400


def test_null_stands_for_texts_about_a_user_or_a_role(api: Api, root: User):
    body = PERSON | {"firstname": None, "lastname": None, "email": None}
    made = api.post("/user", root, body)
    assert made.status == 201, made.text
    assert (made.json["firstname"], made.json["lastname"], made.json["email"]) == (None,) * 3
    made = api.post("/role", root, {"name": "r", "description": None, "rules": []})
    assert (made.status, made.json["description"]) == (201, "")
    # By these they are found.
    for body in (PERSON | {"username": None, "email": "x"}, PERSON | {"password": None}):
        assert api.post("/user", root, body).status == 400
    missing = {name: value for name, value in PERSON.items() if name != "lastname"}
    assert api.post("/user", root, missing | {"email": "y"}).status == 400


# Results


@pytest.mark.parametrize("end", ["failed", "crashed", "killed", "completed"])
def test_no_result_that_has_ended_is_null(api: Api, world: World, end: str):
    """Scripts wait `while None in [result["result"] for result in results]`."""
    viewer = make_user(world.amsterdam, "Viewer")
    task = make_task(world.north, [world.amsterdam, world.berlin])
    if end == "killed":
        tasks.kill(task.id)
    else:
        row = result_of(task, world.amsterdam)
        finish(row, world.amsterdam_north, TaskStatus(end), log="")

    def shown(path: str, query: str = "") -> list[Any]:
        found = api.get(path, viewer, query).json
        rows = found["results"] if isinstance(found, dict) and "results" in found else found
        rows = rows if isinstance(rows, list) else [rows]
        return [row["result"] for row in sorted(rows, key=lambda row: row["id"])]

    wanted = ["", ""] if end == "killed" else ["", None]
    assert shown(f"/task/{task.id}/result") == wanted
    assert shown("/result", f"task_id={task.id}") == wanted
    assert shown(f"/task/{task.id}", "include=results") == wanted
    assert shown(f"/result/{result_of(task, world.amsterdam).id}") == [""]
    # What is not for the caller, or not asked for, is null.
    assert shown("/result", f"task_id={task.id}&payload=false") == [None, None]
    assert shown("/result", f"task_id={task.id}")[:1] == [""]
    node = world.berlin_north
    assert api.get(f"/result/{result_of(task, world.amsterdam).id}", node).json["result"] is None


# Tasks


def test_tasks_of_a_collaboration_are_oldest_first(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("vantage6.api.http.lists._BATCH_ROWS", 2)
    made = [make_task(world.north, [world.amsterdam]).id for _ in range(5)]
    viewer = make_user(world.amsterdam, "Viewer")
    path = f"/collaboration/{world.north.id}/task"
    assert [row["id"] for row in api.get(path, viewer).json] == made
    assert [row["id"] for row in api.get(path, viewer, "page=2&per_page=2").json] == made[2:4]
    assert [row["id"] for row in api.get("/task", viewer).json] == made[::-1]


def test_an_unknown_collaboration_is_told_of_before_an_incomplete_body(
    api: Api, world: World, researcher: User
):
    unknown = {"collaboration_id": 999}
    for body in (unknown, unknown | {"organizations": []}, unknown | {"image": "i"}):
        assert api.post("/task", researcher, body).problem == (404, "not_found")
    known = {"collaboration_id": world.north.id, "image": "i"}
    assert api.post("/task", researcher, known).problem == (400, "invalid")
    for image in ({}, {"image": " "}):
        body = {"collaboration_id": world.north.id, "organizations": []} | image
        assert api.post("/task", researcher, body).problem == (400, "invalid")
    assert Task.select().count() == 0
