"""Ports: nodes tell where algorithms listen, and whoever is in the collaboration sees it."""

import pytest

from tests.api.client import Algorithm, Answer, Api
from tests.models.factories import World, again, finish, make_task, make_user, result_of
from vantage6.models.store import ports, tasks
from vantage6.models.tables import AlgorithmPort, Node, Result, Task, User


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases."""
    return database_uri


@pytest.fixture
def task(world: World) -> Task:
    """Give a task for Amsterdam and Berlin."""
    return make_task(world.north, [world.amsterdam, world.berlin])


@pytest.fixture
def result(world: World, task: Task) -> Result:
    """Give Amsterdam's result of it."""
    return result_of(task, world.amsterdam)


def post(api: Api, node: Node, result: Result, port: object = 50_000, **more: object) -> Answer:
    return api.post("/port", node, {"result_id": result.id, "port": port, **more})


def delete(api: Api, node: Node, query: str) -> Answer:
    return api.send("DELETE", "/port", node, query=query)


def test_a_node_tells_where_its_algorithm_listens(api: Api, world: World, result: Result):
    made = post(api, world.amsterdam_north, result, label="api")
    assert made.status == 201
    port = {"id": made.json["id"], "port": 50_000, "label": "api"}
    assert made.json == port | {"result": result.id}
    assert api.get(f"/port/{port['id']}", world.amsterdam_north).json == made.json
    assert api.get(f"/result/{result.id}", world.amsterdam_north).json["ports"] == [port]


def test_a_label_may_be_missing(api: Api, world: World, result: Result):
    assert post(api, world.amsterdam_north, result).json["label"] is None
    assert post(api, world.amsterdam_north, result, label=None).json["label"] is None


@pytest.mark.parametrize("port", [0, 65_536, -1, "x", None, 1.5, [80]])
def test_what_is_no_port_is_refused(api: Api, world: World, result: Result, port: object):
    assert post(api, world.amsterdam_north, result, port).problem == (400, "invalid")


@pytest.mark.parametrize("port", [1, 65_535, "8888"])
def test_every_port_is_taken(api: Api, world: World, result: Result, port: object):
    assert post(api, world.amsterdam_north, result, port).json["port"] == int(port)


def test_only_the_node_that_computes_a_result_changes_its_ports(
    api: Api, world: World, result: Result
):
    # Berlin's node of the same collaboration; and Berlin's node of another one for its own result.
    theirs = result_of(result.task, world.berlin)
    for node, row in (
        (world.berlin_north, result),
        (world.berlin_south, theirs),
        (world.cairo_south, theirs),
    ):
        assert post(api, node, row).problem == (401, "forbidden")
        ports.create(row, 80, None)
        assert delete(api, node, f"result_id={row.id}").problem == (401, "forbidden")
    assert AlgorithmPort.select().count() == 3


def test_an_unknown_result_has_no_ports(api: Api, world: World, result: Result):
    tasks.delete(result.task)
    assert post(api, world.amsterdam_north, result).problem == (404, "not_found")
    gone = delete(api, world.amsterdam_north, f"result_id={result.id}")
    assert gone.problem == (404, "not_found")


def test_an_algorithm_that_has_ended_gets_no_port(api: Api, world: World, result: Result):
    finish(result, world.amsterdam_north)
    assert post(api, world.amsterdam_north, result).problem == (400, "result_finished")
    assert not AlgorithmPort.select().exists()


def test_the_ports_of_a_result_are_bounded(
    api: Api, world: World, result: Result, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ports, "MOST_PER_RESULT", 2)
    ports.create(result_of(result.task, world.berlin), 80, None)
    assert [post(api, world.amsterdam_north, result).status for _ in range(2)] == [201, 201]
    assert post(api, world.amsterdam_north, result).problem == (400, "too_many_ports")
    assert delete(api, world.amsterdam_north, f"result_id={result.id}").status == 200
    assert post(api, world.amsterdam_north, result).status == 201


def test_all_ports_of_a_result_are_removed_at_once(api: Api, world: World, result: Result):
    other = ports.create(result_of(result.task, world.berlin), 80, None)
    for number in (81, 82):
        ports.create(result, number, None)
    # The algorithm has ended by the time its node clears up.
    finish(result, world.amsterdam_north)
    removed = delete(api, world.amsterdam_north, f"result_id={result.id}")
    assert (removed.status, removed.json["msg"]) == (
        200,
        f"2 ports of result {result.id} were removed.",
    )
    assert [row.id for row in AlgorithmPort.select()] == [other.id]
    assert delete(api, world.amsterdam_north, f"result_id={result.id}").status == 200


@pytest.mark.parametrize("query", ["", "result_id=", "result_id=x", "result_id=0", "port=80"])
def test_a_removal_names_its_result(api: Api, world: World, result: Result, query: str):
    ports.create(result, 80, None)
    assert delete(api, world.amsterdam_north, query).problem == (400, "invalid")
    assert AlgorithmPort.select().exists()


def test_ports_are_for_nodes_to_change(api: Api, world: World, result: Result, root: User):
    for who in (root, Algorithm(world.amsterdam_north, result.task)):
        assert post(api, who, result).problem == (401, "forbidden")
        assert delete(api, who, f"result_id={result.id}").problem == (401, "forbidden")


def test_ports_go_with_their_task(world: World, task: Task, result: Result):
    ports.create(result, 80, None)
    tasks.delete(task)
    assert not AlgorithmPort.select().exists()


def test_ports_are_seen_in_their_collaboration_only(
    api: Api, world: World, result: Result, root: User
):
    south = make_task(world.south, [world.berlin, world.cairo])
    here = ports.create(result, 80, None)
    there = ports.create(result_of(south, world.cairo), 81, None)
    for who, seen in (
        (root, [there, here]),
        (make_user(world.amsterdam, "Viewer"), [here]),
        (make_user(world.berlin, "Viewer"), [there, here]),
        (make_user(world.cairo, "Viewer"), [there]),
        (world.berlin_north, [here]),
        (world.berlin_south, [there]),
        (Algorithm(world.berlin_north, result.task), [here]),
        (Algorithm(world.berlin_south, south), [there]),
    ):
        ids = [row.id for row in seen]
        listed = api.get("/port", who)
        assert [row["id"] for row in listed.json] == ids
        assert listed.headers["total-count"] == str(len(ids))
        hidden = 404 if isinstance(who, Algorithm) else 401
        for row in (here, there):
            assert api.get(f"/port/{row.id}", who).status == (200 if row in seen else hidden)
    nobody = make_user(world.amsterdam)
    assert api.get("/port", nobody).problem == (401, "forbidden")
    assert api.get(f"/port/{here.id}", nobody).problem == (401, "forbidden")


def test_a_port_that_was_removed_is_not_found(api: Api, result: Result, root: User):
    row = ports.create(result, 80, None)
    ports.delete(result)
    assert api.get(f"/port/{row.id}", root).problem == (404, "not_found")


def test_filters_of_ports(api: Api, world: World, task: Task, result: Result, root: User):
    child = make_task(world.north, [world.berlin], parent=task)
    other = make_task(world.north, [world.berlin])
    made = [
        ports.create(row, 80, None)
        for row in (
            result,
            result_of(task, world.berlin),
            result_of(child, world.berlin),
            result_of(other, world.berlin),
        )
    ]
    for query, expected in (
        (f"task_id={task.id}", made[:2]),
        (f"result_id={result.id}", made[:1]),
        (f"run_id={task.run_id}", made[:3]),
        (f"run_id={task.run_id}&task_id={other.id}", []),
    ):
        found = api.get("/port", root, query=query).json
        assert [row["id"] for row in found] == [row.id for row in expected][::-1], query


def test_ports_come_in_pages(api: Api, result: Result, root: User):
    made = [ports.create(result, 80, None).id for _ in range(3)][::-1]
    page = api.get("/port", root, query="page=2&per_page=1&include=metadata")
    assert [row["id"] for row in page.json["data"]] == made[1:2]
    assert page.headers["total-count"] == "3"
    assert set(page.json["links"]) == {"first", "previous", "self", "next", "last"}


def test_a_port_does_not_change_its_result(api: Api, world: World, result: Result):
    before = again(result).__data__
    post(api, world.amsterdam_north, result)
    assert again(result).__data__ == before
