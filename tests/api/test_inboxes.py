"""The inbox of a node over HTTPS: handed out until acknowledged, for its node only."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from tests.api.client import Answer, Api
from tests.api.conftest import Server, configured
from tests.models.factories import World
from tests.services import NO_BROKER
from tests.services.redis import RedisServer
from tests.waiting import eventually
from vantage6.api.app import create_app
from vantage6.api.http.request_slots import RequestSlots, without_slot
from vantage6.api.service import Service
from vantage6.broker import queues
from vantage6.broker.connection import client
from vantage6.broker.messages import ResultReady, encode
from vantage6.broker.publisher import Publisher
from vantage6.broker.wakeups import Wakeups
from vantage6.common.config import Instance
from vantage6.models import database
from vantage6.models.fields import is_sqlite
from vantage6.models.tables import Node


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases: who waits gives the connection back, to each in its way."""
    return database_uri


@pytest.fixture
def broker_url(redis_url: str) -> str:
    """Give a real broker."""
    return redis_url


@pytest.fixture
def service(server: Server) -> Iterator[Service]:
    """Give what is behind the resources of another application of the server."""
    service = Service.of(server.instance)
    yield service
    service.wakeups.serve_while(lambda: False)


def another_app(instance: Instance, service: Service | None = None) -> Any:
    """Return an application that shares this process, and with it the connections of the test."""
    bound = database.db.obj
    app = create_app(instance, service)
    database.db.initialize(bound)
    database.connect()
    return app


@pytest.fixture
def call(server: Server, service: Service) -> Iterator[Callable[..., "Future[Answer]"]]:
    """Give a function that sends a request in a thread of its own."""
    app = another_app(server.instance, service)
    pools: list[ThreadPoolExecutor] = []

    def send(method: str, path: str, who: Node) -> "Future[Answer]":
        pools.extend(ThreadPoolExecutor(1) for _ in range(2))
        api = Api(app, server.api.tokens, thread=pools[-1])
        return pools[-2].submit(api.send, method, path, who)

    yield send
    for pool in pools:
        pool.shutdown()


def tag(answer: Answer) -> str:
    text: str = answer.json["properties"]["delivery_tag"]
    return text


def publish(url: str, node: Node, *ids: int) -> None:
    Publisher(url).publish([(node.id, ResultReady(id_, 1)) for id_ in ids])


def body(answer: Answer) -> int:
    """Return the id that a message holds."""
    message = json.loads(base64.b64decode(answer.json["body"]))
    assert message == encode(ResultReady(message["result_id"], 1))
    id_: int = message["result_id"]
    return id_


def test_a_message_is_handed_out_until_it_is_acknowledged(
    api: Api, world: World, broker_url: str
) -> None:
    node = world.amsterdam_north
    path = f"/node/{node.id}/inbox"
    publish(broker_url, node, 1, 2)
    first, again = (api.get(path, node, query="wait=0") for _ in range(2))
    assert (first.status, tag(again), body(first)) == (200, tag(first), 1)
    for _ in range(2):
        assert api.delete(f"{path}/{tag(first)}", node).status == 204
    second = api.get(path, node, query="wait=0")
    assert body(second) == 2
    api.delete(f"{path}/{tag(second)}", node)
    assert api.get(path, node, query="wait=0").status == 204


def test_a_message_that_is_put_back_goes_to_the_end_once(
    api: Api, world: World, broker_url: str
) -> None:
    node = world.amsterdam_north
    path = f"/node/{node.id}/inbox"
    publish(broker_url, node, 1, 2)
    first = api.get(path, node, query="wait=0")
    for _ in range(2):
        api.delete(f"{path}/{tag(first)}", node, query="requeue=true")
    ids = []
    for _ in range(2):
        answer = api.get(path, node, query="wait=0")
        ids.append(body(answer))
        api.delete(f"{path}/{tag(answer)}", node)
    assert ids == [2, 1]
    assert api.get(path, node, query="wait=0").status == 204


def test_an_acknowledgement_of_something_else_changes_nothing(
    api: Api, world: World, broker_url: str
) -> None:
    node = world.amsterdam_north
    path = f"/node/{node.id}/inbox"
    publish(broker_url, node, 1)
    api.get(path, node, query="wait=0")
    assert api.delete(f"{path}/{uuid4()}", node).status == 204
    assert body(api.get(path, node, query="wait=0")) == 1
    assert api.delete(f"{path}/nothing", node).status == 404


@pytest.mark.parametrize("query", ["wait=51", "wait=-1", "wait=x", "wait=1.5"])
def test_nobody_waits_for_ever(api: Api, world: World, query: str) -> None:
    node = world.amsterdam_north
    assert api.get(f"/node/{node.id}/inbox", node, query=query).status == 400


def test_who_asks_is_online_and_who_leaves_is_not(api: Api, world: World, broker_url: str) -> None:
    node = world.amsterdam_north
    api.get(f"/node/{node.id}/inbox", node, query="wait=0")
    assert api.get(f"/node/{node.id}", node).json["status"] == "online"
    with client(broker_url) as admin:
        assert 20 < admin.ttl(queues.alive(node.id)) <= 60
    assert api.delete(f"/node/{node.id}/inbox", node).status == 204
    time.sleep(0.01)
    assert api.get(f"/node/{node.id}", node).json["status"] == "offline"


def test_who_spoils_its_own_keys_gets_clean_ones(api: Api, world: World, broker_url: str) -> None:
    node = world.amsterdam_north
    with client(broker_url) as admin:
        admin.set(queues.inflight(node.id), "x")
    assert api.get(f"/node/{node.id}/inbox", node, query="wait=0").status == 204
    publish(broker_url, node, 1)
    assert body(api.get(f"/node/{node.id}/inbox", node, query="wait=0")) == 1


@pytest.mark.parametrize("entry", ["", "null", "5", "[]", "{}", '{"properties": 1}', "[" * 5000])
def test_what_is_no_message_stands_in_nobody_s_way(
    api: Api, world: World, broker_url: str, entry: str
) -> None:
    node = world.amsterdam_north
    path = f"/node/{node.id}/inbox"
    publish(broker_url, node, 1, 2)
    first = api.get(path, node, query="wait=0")
    with client(broker_url) as admin:
        admin.lpush(queues.inflight(node.id), entry)
        assert api.delete(f"{path}/{tag(first)}", node).status == 204
        assert admin.llen(queues.inflight(node.id)) == 1
    assert body(api.get(path, node, query="wait=0")) == 2


def test_who_waits_is_woken_and_holds_no_connection_to_the_database(
    call: Callable[..., "Future[Answer]"], service: Service, world: World, broker_url: str
) -> None:
    node = world.amsterdam_north
    waiting = call("GET", f"/node/{node.id}/inbox", node)
    eventually(lambda: service.wakeups.waiting)
    bound = database.db.obj
    # Not the one of the waiting thread, which was set aside.
    assert len(bound._spare if is_sqlite(bound) else bound._connections) == 1
    publish(broker_url, node, 1)
    # By itself the wait ends later.
    assert body(waiting.result(10)) == 1


def test_who_asks_again_frees_the_place_that_it_had(
    call: Callable[..., "Future[Answer]"], service: Service, world: World, broker_url: str
) -> None:
    node = world.amsterdam_north
    first = call("GET", f"/node/{node.id}/inbox", node)
    eventually(lambda: service.wakeups.waiting)
    second = call("GET", f"/node/{node.id}/inbox", node)
    assert first.result(10).problem == (409, "asked_again")
    publish(broker_url, node, 1)
    assert body(second.result(10)) == 1


def test_a_process_that_ends_lets_nobody_wait(
    call: Callable[..., "Future[Answer]"], service: Service, world: World
) -> None:
    node = world.amsterdam_north
    serving = threading.Event()
    serving.set()
    service.wakeups.serve_while(serving.is_set)
    waiting = call("GET", f"/node/{node.id}/inbox", node)
    eventually(lambda: service.wakeups.waiting)
    serving.clear()
    # By themselves the waits end later.
    assert waiting.result(10).status == 204
    assert call("GET", f"/node/{node.id}/inbox", node).result(10).status == 204


def test_where_all_places_are_taken_one_is_told_when_to_come_back(
    server: Server, world: World, broker_url: str
) -> None:
    instance = configured(server.instance, waiting_nodes=0)
    api = Api(another_app(instance), server.api.tokens)
    node = world.amsterdam_north
    full = api.get(f"/node/{node.id}/inbox", node)
    assert full.problem == (503, "unavailable")
    assert 0 < int(full.headers["retry-after"]) < 20
    publish(broker_url, node, 1)
    # What is there is handed out even so.
    assert body(api.get(f"/node/{node.id}/inbox", node)) == 1


@pytest.mark.slow
def test_wakeups_are_heard_again_after_a_restart_of_redis(tmp_path_factory) -> None:
    with RedisServer(tmp_path_factory.mktemp("wakeups")) as redis_server:
        wakeups = Wakeups(redis_server.url)
        with wakeups.waiter(7) as waiter:
            waiter.wait(10)  # woken once: wake-ups before were not heard
            waiter.reset()
            redis_server.stop()
            redis_server.start()
            Publisher(redis_server.url).publish([(7, ResultReady(1, 1))])
            before = time.monotonic()
            waiter.wait(90)
            assert time.monotonic() - before < 60


def test_a_limited_number_works_at_once_and_who_waits_is_not_one_of_them() -> None:
    working, most, lock = 0, 0, threading.Lock()
    begun, over = threading.Event(), threading.Event()

    def app(environ, _):
        nonlocal working, most
        if environ["PATH_INFO"] == "/wait":
            with without_slot(environ):
                begun.set()
                over.wait(10)
        with lock:
            working += 1
            most = max(most, working)
        time.sleep(0.02)
        with lock:
            working -= 1
        return [b"x"]

    slots = RequestSlots(app, Wakeups(NO_BROKER), 2)

    def send(path: str) -> None:
        assert list(slots({"PATH_INFO": path}, None)) == [b"x"]

    threads = [threading.Thread(target=send, args=(path,)) for path in ["/wait"] * 5 + ["/"] * 10]
    for thread in threads:
        thread.start()
    begun.wait(10)
    for thread in threads[5:]:
        thread.join(10)
    assert all(thread.is_alive() for thread in threads[:5])
    over.set()
    for thread in threads:
        thread.join(10)
    assert most == 2


def test_a_failing_application_gives_its_turn_back() -> None:
    def app(_, __):
        raise RuntimeError("no")

    slots = RequestSlots(app, Wakeups(NO_BROKER), 1)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            slots({}, None)
