"""A request that is sent again under its Idempotency-Key is answered again, and does nothing."""

import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api.api_process import served
from tests.api.client import Algorithm, Answer, Api
from tests.api.conftest import Server, configured
from tests.models.cards import card
from tests.models.factories import IMAGE, World, make_task, make_user
from vantage6.client.session import Session
from vantage6.common.clock import now
from vantage6.models.database import db
from vantage6.models.store import idempotency, input_checks
from vantage6.models.tables import (
    Algorithm as Card,
)
from vantage6.models.tables import (
    Collaboration,
    IdempotencyKey,
    Invitation,
    Node,
    Organization,
    Outbox,
    Result,
    Role,
    Task,
    User,
)
from vantage6.sandbox.ports import free_port

KEY = "9f1b0c0e-6d4a-4f0e-8a52-5b8a4b1f0a11"


@pytest.fixture
def uri(database_uri: str) -> str:
    """Return the URI of either engine."""
    return database_uri


def body(world: World, **changes: Any) -> dict[str, Any]:
    """Return a good task for Amsterdam, changed."""
    good = {
        "collaboration_id": world.north.id,
        "organizations": [{"id": world.amsterdam.id, "input": "aW4="}],
        "image": IMAGE,
        "name": "sum",
        "description": "",
    }
    return good | changes


def post(api: Api, who: Any, content: Any, key: str = KEY, path: str = "/task") -> Answer:
    """Send what creates something, under a key."""
    return api.send("POST", path, who, content, headers={"Idempotency-Key": key})


def test_the_same_request_is_answered_again_and_makes_one_task(
    api: Api, world: World, researcher: User
):
    first = post(api, researcher, body(world))
    again = post(api, researcher, body(world))
    assert (first.status, first.text) == (again.status, again.text)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "?1"
    assert Task.select().count() == Result.select().count() == Outbox.select().count() == 1


def test_another_request_under_the_same_key_is_refused(api: Api, world: World, researcher: User):
    post(api, researcher, body(world))
    other = post(api, researcher, body(world, name="mean"))
    assert other.problem == (422, "key_reused")
    assert "own key" in other.json["msg"]
    elsewhere = post(api, researcher, body(world), path="/collaboration")
    assert elsewhere.status in {400, 401, 422}
    assert Task.select().count() == 1


def test_a_refused_request_keeps_no_key(api: Api, world: World, researcher: User):
    assert post(api, researcher, body(world, image="")).status == 400
    refused = body(world, organizations=[{"id": world.cairo.id, "input": "aW4="}])
    assert post(api, researcher, refused).status in {400, 401, 404}
    assert IdempotencyKey.select().count() == 0
    assert post(api, researcher, body(world)).status == 201


def test_keys_of_others_mean_nothing(api: Api, world: World, researcher: User):
    other = make_user(world.amsterdam, "Researcher")
    first = post(api, researcher, body(world)).json
    assert post(api, other, body(world)).json["id"] != first["id"]
    assert Task.select().count() == 2


def test_algorithms_of_one_node_have_keys_of_their_own(api: Api, world: World):
    node = Node.get(Node.organization == world.amsterdam)
    made = []
    for _ in range(2):
        task = make_task(world.north, [world.amsterdam])
        task.image = IMAGE
        task.save()
        sub = post(api, Algorithm(node, task), body(world))
        assert sub.status == 201, sub.text
        made.append(sub.json["id"])
    assert len(set(made)) == 2


def test_requests_without_a_key_create_each_time(api: Api, world: World, researcher: User):
    for _ in range(2):
        assert api.post("/task", researcher, body(world)).status == 201
    assert Task.select().count() == 2
    assert IdempotencyKey.select().count() == 0


@pytest.mark.parametrize("key", ["", "a b", "ä", "x" * 256])
def test_what_is_no_key_is_refused(api: Api, world: World, researcher: User, key: str):
    assert post(api, researcher, body(world), key).status == 400
    assert Task.select().count() == 0


def test_no_answer_with_a_secret_is_kept(api: Api, world: World, root: User):
    Node.delete().where(Node.organization == world.amsterdam).execute()
    content = {"collaboration_id": world.north.id, "organization_id": world.amsterdam.id}
    assert post(api, root, content, path="/node").json["api_key"]
    user = {"username": "new", "password": "A-good-password-1", "firstname": "", "lastname": ""}
    assert post(api, root, user | {"email": "new@example.org"}, path="/user").status == 201
    assert IdempotencyKey.select().count() == 0


def test_two_at_the_same_time_make_one(api: Api, world: World, researcher: User):
    with ThreadPoolExecutor(4) as threads:
        sides = [replace(api, thread=threads) for _ in range(4)]
        callers = ThreadPoolExecutor(4)
        with callers:
            answers = list(callers.map(lambda side: post(side, researcher, body(world)), sides))
    assert [answer.status for answer in answers] == [201] * 4
    assert len({answer.text for answer in answers}) == 1
    assert Task.select().count() == 1


class CuttingWay(socketserver.ThreadingTCPServer):
    """The way to a server on this machine, which loses the first answer to a POST.

    Parameters
    ----------
    port
        Of the server.
    """

    allow_reuse_address = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.there = port
        self.lost = 0


class _Connection(socketserver.BaseRequestHandler):
    server: CuttingWay

    def handle(self) -> None:
        here: socket.socket = self.request
        with socket.create_connection(("127.0.0.1", self.server.there)) as there:
            begun = b""
            while True:
                for ready in select.select([here, there], [], [], 60)[0]:
                    part = ready.recv(2**16)
                    if not part:
                        return
                    if ready is here:
                        begun = part if part.startswith((b"GET ", b"POST ")) else begun
                        there.sendall(part)
                    elif begun.startswith(b"POST ") and not self.server.lost:
                        self.server.lost += 1
                        return
                    else:
                        here.sendall(part)


@contextmanager
def cutting_way(port: int) -> Iterator[CuttingWay]:
    """Give a `CuttingWay` to a port of this machine."""
    with CuttingWay(port) as way:
        thread = threading.Thread(target=way.serve_forever)
        thread.start()
        try:
            yield way
        finally:
            way.shutdown()
            thread.join()


@pytest.mark.slow
def test_a_lost_answer_makes_no_second_task(server: Server, researcher: User, tmp_path: Path):
    instance = configured(server.instance, port=free_port(), ip="127.0.0.1")
    token = server.api.token(researcher)
    with (
        served(instance, tmp_path / "api.log"),
        cutting_way(instance.config.port) as way,
        closing(Session("http://127.0.0.1", way.server_address[1], "/api")) as session,
    ):
        session.request("get", "version")
        made = session.request("post", "task", json=body(server.world), token=token)
        tasks = session.request("get", "task", token=token)
    assert way.lost == 1
    assert [task["id"] for task in tasks] == [made["id"]]


@pytest.fixture
def full_of_keys(server: Server) -> Iterator[None]:
    """Let the database take no further key."""
    is_sqlite = server.instance.config.uri.startswith("sqlite")
    db.execute_sql(
        "CREATE TRIGGER full BEFORE INSERT ON idempotency_key "
        "BEGIN SELECT RAISE(ABORT, 'full'); END"
        if is_sqlite
        else "ALTER TABLE idempotency_key ADD CONSTRAINT full_of CHECK (status < 0)"
    )
    yield
    db.execute_sql(
        "DROP TRIGGER full" if is_sqlite else "ALTER TABLE idempotency_key DROP CONSTRAINT full_of"
    )


#: What a POST to each route creates of which a first answer is kept.
CREATED = {
    "/task": Task,
    "/organization": Organization,
    "/collaboration": Collaboration,
    "/invitation": Invitation,
    "/role": Role,
    "/algorithm": Card,
}


def content_for(path: str, world: World) -> dict[str, Any]:
    """Return a good body for a route."""
    return {
        "/task": body(world),
        "/organization": {"name": "New", "domain": "", "country": ""},
        "/collaboration": {"name": "New", "organization_ids": [world.amsterdam.id]},
        "/invitation": {
            "collaboration_id": world.north.id,
            "organization_id": world.cairo.id,
        },
        "/role": {"name": "New", "description": "", "rules": [1]},
        "/algorithm": {"card": card()},
    }[path]


@pytest.mark.parametrize("path", CREATED)
def test_what_is_created_and_the_answer_are_written_together_or_not_at_all(
    api: Api, world: World, root: User, path: str, request: pytest.FixtureRequest
):
    table, content = CREATED[path], content_for(path, world)
    before = table.select().count()
    request.getfixturevalue("full_of_keys")
    assert post(api, root, content, path=path).status == 500
    assert table.select().count() == before
    assert Outbox.select().count() == 0
    assert api.post(path, root, content).status in {200, 201}
    assert table.select().count() == before + 1


def test_a_refused_request_locks_no_other_writer(api: Api, world: World, researcher: User):
    """Weighing a request can take long; the only writer of SQLite must not wait for it."""
    locks: list[bool] = []
    check = input_checks.check

    def look(*args: Any, **kwargs: Any) -> None:
        locks.append(db.in_transaction())
        check(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(input_checks, "check", look)
        assert post(api, researcher, body(world)).status == 201
    assert locks == [False]


def test_answers_are_kept_for_a_day(api: Api, world: World, researcher: User):
    first = post(api, researcher, body(world))
    assert first.headers["X-Idempotency-Seconds"] == "86400"
    assert idempotency.prune() == 0
    IdempotencyKey.update(created_at=now() - timedelta(hours=24, seconds=1)).execute()
    assert idempotency.prune() == 1
    assert post(api, researcher, body(world)).json["id"] != first.json["id"]
