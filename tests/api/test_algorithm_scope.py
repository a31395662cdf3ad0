"""An algorithm sees its own task and what it made; a node reads only its own organization's texts.

Each route that an algorithm or a node may ask, with every filter and include, against a
collaboration in which others work as well.
"""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.api.client import Algorithm, Api
from tests.models.factories import World, finish, make_task, result_of
from vantage6.models.store import collaborations, nodes, ports
from vantage6.models.tables import Node, Result, Task

SECRET = "secret"


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases: the same tree is walked in two dialects."""
    return database_uri


@dataclass
class Scene:
    """Amsterdam's algorithm in the middle of a run, and work of others beside it."""

    algorithm: Algorithm
    #: The task that asked for its task, and the one that asked for that.
    top: Task
    parent: Task
    own: Task
    #: What it made, and what was made for that.
    child: Task
    grandchild: Task
    #: Of the same collaboration: another run, a sibling, and a sub-task of the same task's other
    #: algorithm.
    foreign: list[Task]

    @property
    def below(self) -> list[int]:
        """What it sees in lists, newest first."""
        return sorted((task.id for task in (self.own, self.child, self.grandchild)), reverse=True)


def _finish(task: Task, world: World) -> None:
    for row in task.results:
        node = world.amsterdam_north if row.organization_id == world.amsterdam.id else None
        who = f"{SECRET} of {task.name} at {row.organization_id}"
        finish(row, node or world.berlin_north, result=f"{who} result", log=f"{who} log")


@pytest.fixture
def scene(world: World) -> Scene:
    """Give the scene. Every task but the algorithm's own has ended, and has texts."""
    both, berlin, north = [world.amsterdam, world.berlin], world.berlin, world.north

    def make(name: str, **fields: Any) -> Task:
        return make_task(north, both, name=name, **fields)

    top = make("top", initiator=berlin)
    parent = make("parent", parent=top, initiator=berlin)
    own = make("own", parent=parent, initiator=berlin)
    sibling = make("sibling", parent=parent, initiator=berlin)
    child = make("child", parent=own, initiator=world.amsterdam)
    grandchild = make("grandchild", parent=child, initiator=berlin)
    nephew = make("nephew", parent=own, initiator=berlin)
    other = make("other")
    for task in (top, parent, sibling, child, grandchild, nephew, other):
        _finish(task, world)
    algorithm = Algorithm(world.amsterdam_north, own)
    return Scene(algorithm, top, parent, own, child, grandchild, [sibling, nephew, other])


@pytest.mark.parametrize(
    "query",
    [
        "",
        "include=results",
        "include=metadata",
        "name=%25",
        "image=%25",
        "page=1&per_page=1000",
        "collaboration_id={north}",
        "run_id={run}",
        "status=completed",
    ],
)
def test_an_algorithm_lists_its_own_task_and_what_it_made(
    api: Api, world: World, scene: Scene, query: str
) -> None:
    query = query.format(north=world.north.id, run=scene.own.run_id)
    answer = api.get("/task", scene.algorithm, query)
    rows = answer.json["data"] if "metadata" in query else answer.json
    seen = [row["id"] for row in rows]
    if "status" in query:
        assert seen == [scene.grandchild.id, scene.child.id]
    else:
        assert seen == scene.below
    # What it does not see is not counted either.
    assert answer.headers["total-count"] == str(len(seen))


@pytest.mark.parametrize(
    "query", ["name=sibling", "name=par%25", "parent_id={parent}", "result_id={result}"]
)
def test_filters_do_not_tell_an_algorithm_of_other_tasks(
    api: Api, world: World, scene: Scene, query: str
) -> None:
    sibling = result_of(scene.foreign[0], world.berlin).id
    answer = api.get("/task", scene.algorithm, query.format(parent=scene.parent.id, result=sibling))
    wanted = [scene.own.id] if "parent_id" in query else []
    assert [row["id"] for row in answer.json] == wanted
    assert answer.headers["total-count"] == str(len(wanted))


@pytest.mark.parametrize("path", ["/task/{}", "/task/{}/status", "/task/{}/result"])
def test_other_tasks_do_not_exist_for_an_algorithm(api: Api, scene: Scene, path: str) -> None:
    hidden = [task.id for task in scene.foreign]
    if path != "/task/{}":
        hidden += [scene.parent.id, scene.top.id]
    for id_ in [*hidden, 10**6]:
        answer = api.get(path.format(id_), scene.algorithm)
        assert answer.problem == (404, "not_found")
        assert answer.json["msg"] == f"There is no task {id_}."
    for id_ in scene.below:
        assert api.get(path.format(id_), scene.algorithm).status == 200


def test_an_algorithm_learns_the_names_of_the_tasks_above_and_no_more(
    api: Api, scene: Scene
) -> None:
    for task in (scene.parent, scene.top):
        answer = api.get(f"/task/{task.id}", scene.algorithm, "include=results")
        assert (answer.json["id"], answer.json["name"]) == (task.id, task.name)
        for field in ("results", "children", "description", "init_user", "initiator"):
            assert answer.json[field] is None
        assert SECRET not in answer.text


def test_the_own_task_names_only_the_sub_tasks_that_the_algorithm_made(
    api: Api, scene: Scene
) -> None:
    for row in (
        api.get(f"/task/{scene.own.id}", scene.algorithm).json,
        next(row for row in api.get("/task", scene.algorithm).json if row["id"] == scene.own.id),
    ):
        assert [link["id"] for link in row["children"]] == [scene.child.id]


@pytest.mark.parametrize(
    "query", ["", "include=task", "include=metadata", "organization_id={berlin}", "state=open"]
)
def test_an_algorithm_lists_results_of_its_own_tasks(
    api: Api, world: World, scene: Scene, query: str
) -> None:
    answer = api.get("/result", scene.algorithm, query.format(berlin=world.berlin.id))
    rows = answer.json["data"] if "metadata" in query else answer.json
    tasks = {row["task"]["id"] for row in rows}
    assert tasks == ({scene.own.id} if "open" in query else set(scene.below))
    assert answer.headers["total-count"] == str(len(rows))


@pytest.mark.parametrize("query", ["task_id={}", "port=8888"])
def test_filters_do_not_tell_an_algorithm_of_other_results(
    api: Api, world: World, scene: Scene, query: str
) -> None:
    for task in (*scene.foreign, scene.parent):
        ports.create(_open(result_of(task, world.berlin)), 8888, None)
        answer = api.get("/result", scene.algorithm, query.format(task.id))
        assert (answer.json, answer.headers["total-count"]) == ([], "0")


def _open(row: Result) -> Result:
    row.finished_at = None
    return row


def test_other_results_do_not_exist_for_an_algorithm(api: Api, world: World, scene: Scene) -> None:
    for task in (*scene.foreign, scene.parent, scene.top):
        for row in task.results:
            for query in ("", "include=task"):
                answer = api.get(f"/result/{row.id}", scene.algorithm, query)
                assert answer.problem == (404, "not_found")
    assert api.get("/result/1000000", scene.algorithm).problem == (404, "not_found")


def test_an_algorithm_reads_what_its_own_sub_tasks_computed_and_no_other_text(
    api: Api, scene: Scene
) -> None:
    (one, two) = api.get(f"/task/{scene.child.id}/result", scene.algorithm).json
    for row in (one, two):
        assert row["result"] == f"secret of child at {row['organization']} result"
        assert row["input"] is row["log"] is None
        assert api.get(f"/result/{row['id']}", scene.algorithm).json["result"] == row["result"]
    for task in (scene.own, scene.grandchild):
        for row in api.get(f"/task/{task.id}/result", scene.algorithm).json:
            assert row["result"] is row["input"] is row["log"] is None


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/task", "include=results"),
        ("/result", ""),
        ("/result", "include=task"),
        ("/task/{own}", "include=results"),
        ("/task/{grandchild}", "include=results"),
        ("/task/{own}/result", ""),
        ("/task/{grandchild}/result", ""),
    ],
)
def test_no_way_leads_an_algorithm_to_texts_of_others(
    api: Api, scene: Scene, path: str, query: str
) -> None:
    path = path.format(own=scene.own.id, grandchild=scene.grandchild.id)
    text = api.get(path, scene.algorithm, query).text
    assert "input of" not in text
    assert " log" not in text
    texts = [part for part in text.split('"') if part.startswith(SECRET)]
    assert all(part.startswith("secret of child at ") for part in texts)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/task", "include=results"),
        ("/result", ""),
        ("/result", "include=task"),
        ("/task/{other}", "include=results"),
        ("/result/{result}", ""),
        ("/result/{result}", "include=task"),
    ],
)
def test_a_node_reads_texts_of_its_own_organization_only(
    api: Api, world: World, scene: Scene, path: str, query: str
) -> None:
    other = scene.foreign[-1]
    path = path.format(other=other.id, result=result_of(other, world.berlin).id)
    answer = api.get(path, world.amsterdam_north, query)
    assert answer.status == 200
    assert "input of Berlin" not in answer.text
    assert f"at {world.berlin.id} " not in answer.text
    own = api.get(f"/result/{result_of(other, world.amsterdam).id}", world.amsterdam_north).json
    assert own["input"] == "input of Amsterdam"
    assert own["log"] == f"secret of other at {world.amsterdam.id} log"


def test_an_algorithm_finds_ports_of_its_own_tasks(api: Api, world: World, scene: Scene) -> None:
    seen = ports.create(_open(result_of(scene.child, world.berlin)), 1000, None)
    hidden = [
        ports.create(_open(result_of(task, world.berlin)), 2000, None)
        for task in (*scene.foreign, scene.parent)
    ]
    answer = api.get("/port", scene.algorithm)
    assert ([row["id"] for row in answer.json], answer.headers["total-count"]) == ([seen.id], "1")
    for row in hidden:
        for query in (f"task_id={row.result.task_id}", f"result_id={row.result_id}"):
            assert api.get("/port", scene.algorithm, query).json == []
        assert api.get(f"/port/{row.id}", scene.algorithm).problem == (404, "not_found")
    assert api.get(f"/port/{seen.id}", scene.algorithm).status == 200


def test_an_algorithm_finds_addresses_of_its_nearest_kin_only(
    api: Api, world: World, scene: Scene
) -> None:
    for number, task in enumerate(
        (scene.own, scene.parent, scene.child, *scene.foreign, scene.top, scene.grandchild)
    ):
        for row in task.results:
            ports.create(_open(row), 1000 + number, None)
    path = "/vpn/algorithm/addresses"
    query = "include_parent=True&include_children=True"
    found = [
        (row["port"], row["organization_id"])
        for row in api.get(path, scene.algorithm, query).json["addresses"]
    ]
    # Of the parent task, the algorithm that asked: Berlin's.
    both = (world.amsterdam.id, world.berlin.id)
    wanted = [(1000, id_) for id_ in both] + [(1001, world.berlin.id)]
    assert sorted(found) == sorted(wanted + [(1002, id_) for id_ in both])


def test_an_algorithm_sees_the_node_that_it_runs_at_and_no_sibling(
    api: Api, world: World, scene: Scene
) -> None:
    elsewhere = collaborations.create("elsewhere", [world.amsterdam.id], encrypted=False)
    sibling = nodes.create(world.amsterdam, elsewhere)[0]
    assert api.get(f"/node/{world.amsterdam_north.id}", scene.algorithm).status == 200
    for id_ in (sibling.id, world.berlin_north.id, 10**6):
        assert api.get(f"/node/{id_}", scene.algorithm).problem == (404, "not_found")


@pytest.mark.parametrize("path", ["/organization", "/organization/{berlin}"])
@pytest.mark.parametrize("caller", ["node", "algorithm"])
def test_organizations_show_what_concerns_the_own_collaboration(
    api: Api, world: World, scene: Scene, path: str, caller: str, root: Any
) -> None:
    who: Node | Algorithm = world.amsterdam_north if caller == "node" else scene.algorithm
    answer = api.get(path.format(berlin=world.berlin.id), who)
    rows = answer.json if isinstance(answer.json, list) else [answer.json]
    for row in rows:
        assert row["users"] is None
        assert row["roles"] == []
        assert [link["id"] for link in row["collaborations"]] == [world.north.id]
    (berlin,) = (row for row in rows if row["id"] == world.berlin.id)
    assert [link["id"] for link in berlin["nodes"]] == [world.berlin_north.id]
    assert json.dumps(rows).count(f"/node/{world.berlin_south.id}") == 0


@pytest.mark.parametrize("caller", ["node", "algorithm"])
def test_who_else_works_together_is_not_told(
    api: Api, world: World, scene: Scene, caller: str
) -> None:
    who: Node | Algorithm = world.amsterdam_north if caller == "node" else scene.algorithm
    answer = api.get("/organization", who, f"collaboration_id={world.south.id}")
    assert (answer.json, answer.headers["total-count"]) == ([], "0")
    answer = api.get("/organization", who, f"collaboration_id={world.north.id}")
    assert len(answer.json) == 2
