"""The API and Redis: credentials of nodes, presence, and what happens while Redis is away."""

import json
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import redis

from tests.api.client import Api
from tests.api.conftest import Server
from tests.models.factories import IMAGE, World, make_task, messages, result_of
from tests.services import NO_BROKER
from vantage6.api.app import create_app
from vantage6.broker import queues
from vantage6.broker.connection import client
from vantage6.broker.messages import ResultReady
from vantage6.broker.publisher import Publisher
from vantage6.common.config import Instance
from vantage6.models.store import results
from vantage6.models.tables import Node, Task, User


@pytest.fixture
def broker_url(request: pytest.FixtureRequest) -> str:
    """Use a real Redis, unless the test says which other one."""
    if marker := request.node.get_closest_marker("parametrize"):
        assert "outage" in marker.args[0]
        return request.getfixturevalue(request.getfixturevalue("outage"))
    return request.getfixturevalue("redis_url")


def credentials(api: Api, node: Node) -> redis.Redis:
    """Return a client with the credentials that a node is given."""
    answer = api.post("/token/broker", node).json
    assert answer["queue"] == queues.inbox(node.id)
    assert urlsplit(answer["url"]).username == f"node-{node.id}"
    return client(answer["url"])


@pytest.mark.slow
def test_a_node_gets_a_user_for_its_own_queue(api: Api, world: World, broker_url: str):
    node, other = world.amsterdam_north, world.berlin_north
    Publisher(broker_url).publish([(node.id, ResultReady(1, 1))])
    with credentials(api, node) as mine:
        taken = mine.lmove(queues.inbox(node.id), queues.inflight(node.id), "RIGHT", "LEFT")
        assert taken is not None
        for forbidden in (
            lambda: mine.lmove(queues.inbox(other.id), queues.inflight(other.id)),
            lambda: mine.set(queues.alive(other.id), "x"),
            lambda: mine.execute_command("CONFIG", "GET", "*"),
            mine.flushall,
        ):
            with pytest.raises(redis.exceptions.NoPermissionError):
                forbidden()


@pytest.mark.slow
def test_an_old_password_dies_with_the_next_login(api: Api, world: World, broker_url: str):
    with credentials(api, world.amsterdam_north) as old:
        assert old.ping()
        with credentials(api, world.amsterdam_north) as new:
            assert new.ping()
            with pytest.raises(redis.exceptions.AuthenticationError):
                old.ping()


@pytest.mark.slow
def test_a_removed_node_loses_its_user_and_queue(
    api: Api, world: World, root: User, broker_url: str
):
    node = world.amsterdam_north
    with credentials(api, node) as mine, client(broker_url) as admin:
        Publisher(broker_url).publish([(node.id, ResultReady(1, 1))])
        assert api.delete(f"/node/{node.id}", root).status == 200
        assert not admin.exists(queues.inbox(node.id))
        assert admin.acl_users() == ["default"]
        with pytest.raises(redis.exceptions.RedisError):
            mine.ping()


@pytest.mark.slow
def test_a_new_key_takes_the_queue_from_who_has_the_old_one(
    api: Api, world: World, root: User, broker_url: str
):
    node = world.amsterdam_north
    with credentials(api, node) as old:
        assert api.post("/recover/node", root, {"id": node.id}).status == 200
        with pytest.raises(redis.exceptions.RedisError):
            old.ping()
    with credentials(api, Node.get_by_id(node.id)) as new:
        assert new.ping()


@pytest.mark.slow
def test_a_node_is_online_while_it_consumes(api: Api, world: World, root: User, broker_url: str):
    node, never_seen = world.amsterdam_north, world.berlin_north
    api.get(f"/node/{node.id}", node)

    def shown() -> dict[int, str | None]:
        return {row["id"]: row["status"] for row in api.get("/node", root).json}

    assert (shown()[node.id], shown()[never_seen.id]) == ("offline", None)
    with client(broker_url) as admin:
        admin.set(queues.alive(node.id), "1", ex=60)
    assert shown()[node.id] == "online"
    (only,) = api.get("/node", root, query="status=online").json
    assert only["id"] == node.id
    assert api.get("/node", root, query="status=offline").json == []
    api.get(f"/node/{never_seen.id}", never_seen)
    (only,) = api.get("/node", root, query="status=offline").json
    assert only["id"] == never_seen.id


@pytest.mark.slow
def test_nodes_may_be_told_another_address(server: Server, broker_url: str):
    config = server.instance.config.model_copy(update={"broker_for_nodes": "broker.example:7000"})
    instance = Instance(server.instance.file, None, config)
    api = Api(create_app(instance), server.api.tokens)
    answer = api.post("/token/broker", server.world.amsterdam_north).json
    parts = urlsplit(answer["url"])
    assert (parts.hostname, parts.port, parts.scheme) == ("broker.example", 7000, "redis")


# Kicks


def kicked(broker_url: str) -> list[str]:
    """Return the names of the Celery tasks that wait for a worker, and remove them."""
    found = []
    with client(broker_url) as admin:
        for queue in (queues.CONTROL, queues.MAIL):
            while raw := admin.lpop(f"{queues.CELERY_PREFIX}{queue}"):
                found.append(json.loads(raw)["headers"]["task"])
        admin.delete(queues.WORKERS_CALLED)
    return found


@pytest.mark.slow
def test_each_message_of_the_outbox_kicks_the_workers(
    api: Api, world: World, root: User, broker_url: str
):
    north = world.north.id
    targets = [{"id": world.amsterdam.id, "input": "x"}, {"id": world.berlin.id, "input": "y"}]
    body = {"collaboration_id": north, "organizations": targets, "image": IMAGE}
    requests = (
        lambda: api.post("/task", root, body),
        lambda: api.post("/kill/node/tasks", root, {"id": world.berlin_north.id}),
        lambda: api.post("/kill/task", root, {"id": 2}),
        lambda: api.post("/task", root, body),
        lambda: api.delete("/task/3", root),
        lambda: api.post("/task", root, body),
        lambda: api.patch(f"/collaboration/{north}", root, {"organization_ids": [world.berlin.id]}),
        lambda: api.delete(f"/collaboration/{north}", root),
    )
    assert kicked(broker_url) == []
    taken = result_of(make_task(world.north, [world.berlin]), world.berlin)
    results.claim(taken.id, world.berlin_north, 60)
    kicked(broker_url)
    for number, request in enumerate(requests):
        before = len(messages())
        assert request().status in (200, 201), number
        assert len(messages()) == before + 1, number
        assert kicked(broker_url) == ["fan_out"], number
    assert api.post("/recover/lost", None, {"username": root.username}).status == 200
    assert kicked(broker_url) == ["send_mail"]


# Outages


@pytest.fixture
def closed() -> str:
    """Return an address at which nobody listens."""
    return NO_BROKER


@pytest.fixture
def silent() -> Iterator[str]:
    """Give an address at which connections are accepted and nothing is ever answered."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


outages = pytest.mark.parametrize(
    "outage", ["closed", pytest.param("silent", marks=[pytest.mark.slow])]
)


@outages
def test_tasks_are_accepted_and_kept_while_the_broker_is_away(
    api: Api, world: World, researcher: User, outage: str
):
    targets = [{"id": world.amsterdam.id, "input": "x"}, {"id": world.berlin.id, "input": "y"}]
    body = {"collaboration_id": world.north.id, "organizations": targets, "image": IMAGE}
    for _ in range(3):
        began = time.monotonic()
        assert api.post("/task", researcher, body).status == 201
        assert time.monotonic() - began < 8
    assert (len(messages()), Task.select().count()) == (3, 3)


@outages
def test_credentials_are_unavailable_while_the_broker_is_away(api: Api, world: World, outage: str):
    answer = api.post("/token/broker", world.amsterdam_north)
    assert answer.problem == (503, "unavailable")
    assert "127.0.0.1" not in answer.text


@outages
def test_the_rest_goes_on_while_the_broker_is_away(api: Api, world: World, root: User, outage: str):
    api.get(f"/node/{world.amsterdam_north.id}", world.amsterdam_north)
    for _ in range(5):
        shown = api.get(f"/node/{world.amsterdam_north.id}", root).json
        assert shown["status"] == "offline"
    assert api.delete(f"/node/{world.cairo_south.id}", root).status == 200
    assert api.get("/node", root, query="status=online").problem == (503, "unavailable")
    ready = api.get("/ready")
    assert (ready.status, ready.json) == (
        503,
        {"database": True, "migrations": True, "broker": False, "workers": False},
    )
