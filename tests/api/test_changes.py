"""Clients that wait hear of each change that they may see, and of no other."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.client import Answer, Api
from tests.api.conftest import Server
from tests.api.test_inboxes import another_app
from tests.models.factories import World, make_task, make_user, result_of
from tests.waiting import eventually
from vantage6.api.http.transfers import MOST_WATCHING_OF_ONE
from vantage6.api.service import Service
from vantage6.broker import changes
from vantage6.broker.changes import Change
from vantage6.broker.connection import client
from vantage6.models.tables import User

Watch = Callable[..., "Future[Answer]"]


@pytest.fixture
def broker_url(redis_url: str) -> str:
    """Give a real broker."""
    return redis_url


@pytest.fixture
def service(server: Server) -> Iterator[Service]:
    """Give what is behind the application at which clients wait."""
    service = Service.of(server.instance)
    yield service
    service.wakeups.serve_while(lambda: False)


@pytest.fixture
def watch(server: Server, service: Service) -> Iterator[Watch]:
    """Give a function that asks for changes in a thread of its own."""
    app = another_app(server.instance, service)
    pools: list[ThreadPoolExecutor] = []

    def ask(who: User, query: str) -> "Future[Answer]":
        pools.extend(ThreadPoolExecutor(1) for _ in range(2))
        api = Api(app, server.api.tokens, thread=pools[-1])
        return pools[-2].submit(api.send, "GET", "/change", who, query=query)

    yield ask
    for pool in pools:
        pool.shutdown()


def place(api: Api, who: User) -> str:
    """Return the place to begin at."""
    answer = api.get("/change", who)
    assert (answer.json["is_gap"], answer.json["data"]) == (False, [])
    found: str = answer.json["place"]
    return found


def publish(server: Server, *those: Change) -> None:
    with client(server.instance.broker_url) as redis, redis.pipeline() as pipeline:
        changes.publish(pipeline, those)
        pipeline.execute()


def heard(answer: Answer) -> list[tuple[int, Any, Any]]:
    assert answer.status == 200
    return [(one["collaboration_id"], one["task_id"], one["run_id"]) for one in answer.json["data"]]


def test_each_step_of_a_result_is_heard(
    api: Api, world: World, researcher: User, watch: Watch, service: Service
):
    task = make_task(world.north, [world.amsterdam])
    result = result_of(task, world.amsterdam)
    node, after = world.amsterdam_north, place(api, researcher)
    expected = [(world.north.id, task.id, task.run_id)]
    for deed in (
        lambda: api.post(f"/result/{result.id}/claim", node),
        lambda: api.patch(f"/result/{result.id}", node, {"log": "half way"}),
        lambda: api.post("/kill/task", make_user(world.amsterdam, "Root"), {"id": task.id}),
    ):
        waiting = watch(researcher, f"after={after}&wait=50")
        eventually(lambda: len(service.wakeups._watchers) == 1)
        assert deed().status == 200
        answer = waiting.result(60)
        assert heard(answer) == expected
        after = answer.json["place"]


def test_what_happened_before_the_request_is_not_lost(
    api: Api, server: Server, world: World, researcher: User
):
    after = place(api, researcher)
    body = {
        "name": "t",
        "image": "img",
        "collaboration_id": world.north.id,
        "organizations": [{"id": world.amsterdam.id, "input": "x"}],
    }
    made = api.post("/task", researcher, body).json
    answer = api.get("/change", researcher, f"after={after}&wait=50")
    assert heard(answer) == [(world.north.id, made["id"], made["run_id"])]


def test_other_collaborations_are_not_heard_of(
    api: Api, server: Server, world: World, researcher: User, root: User
):
    after = place(api, researcher)
    publish(server, Change(world.south.id, 7, 7), Change(world.north.id))
    assert heard(api.get("/change", researcher, f"after={after}")) == [(world.north.id, None, None)]
    assert len(heard(api.get("/change", root, f"after={after}"))) == 2


def test_a_reader_far_behind_does_not_wait_before_its_change(
    api: Api, server: Server, world: World, researcher: User
):
    after = place(api, researcher)
    others = [Change(world.south.id, number) for number in range(changes.MOST_AT_ONCE)]
    publish(server, *others, Change(world.north.id, 7, 7))
    begun = time.monotonic()
    answer = api.get("/change", researcher, f"after={after}&wait=50")
    assert heard(answer) == [(world.north.id, 7, 7)]
    assert time.monotonic() - begun < 40


def test_rights_that_ended_during_the_wait_do_not_count(
    api: Api,
    server: Server,
    world: World,
    researcher: User,
    root: User,
    watch: Watch,
    service: Service,
):
    after = place(api, researcher)
    waiting = watch(researcher, f"after={after}&wait=50")
    eventually(lambda: len(service.wakeups._watchers) == 1)
    path = f"/collaboration/{world.north.id}/organization"
    assert api.send("DELETE", path, root, {"id": world.amsterdam.id}).status == 200
    publish(server, Change(world.north.id, 7, 7))
    assert heard(waiting.result(60)) == []


def test_a_client_hears_that_its_place_is_gone(api: Api, server: Server, researcher: User):
    answer = api.get("/change", researcher, "after=1-1&wait=50")
    assert answer.json == {"place": "0-0", "is_gap": True, "data": []}
    with client(server.instance.broker_url) as redis, redis.pipeline() as pipeline:
        changes.publish(pipeline, (Change(1, number) for number in range(changes.KEPT + 500)))
        pipeline.execute()
        assert redis.xlen("v6:changes") < changes.KEPT + 500


def test_one_user_does_not_take_the_places_of_all(
    watch: Watch, world: World, researcher: User, service: Service
):
    first = watch(researcher, "").result(60).json["place"]
    waiting = [watch(researcher, f"after={first}&wait=50") for _ in range(MOST_WATCHING_OF_ONE)]
    eventually(lambda: len(service.wakeups._watchers) == MOST_WATCHING_OF_ONE)
    refused = watch(researcher, f"after={first}&wait=50").result(60)
    assert refused.status == 503
    assert refused.headers["retry-after"] == "10"
    assert watch(make_user(world.amsterdam, "Viewer"), f"after={first}&wait=0").result(60)
    service.wakeups.serve_while(lambda: False)
    # A process that stops answers all that wait.
    assert {each.result(60).status for each in waiting} == {200}
    assert watch(researcher, f"after={first}&wait=50").result(60).status == 200


@pytest.mark.parametrize("query", ["after=x", "after=1", "after=1-1-1", "wait=51", "wait=-1"])
def test_what_is_no_place_and_no_time_is_refused(api: Api, researcher: User, query: str):
    assert api.get("/change", researcher, query).status == 400
