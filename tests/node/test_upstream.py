"""What a station does when the way to the server breaks, or something on it answers instead."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from tests.node.conftest import MakeScheduler
from tests.node.factories import IMAGE
from tests.node.wire import Wire, make_token
from tests.waiting import eventually
from vantage6.client.node_client import NodeClient
from vantage6.common.errors import Unavailable
from vantage6.common.identity import WRONG_NODE_TOKEN
from vantage6.node.proxy.memory import REPLY_COST, MemoryBudget
from vantage6.node.proxy.tokens import ServerToken
from vantage6.node.proxy.upstream import Upstream

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


class Breaking:
    """A server whose first connections break before the end of its answer."""

    def __init__(self, breaks: int, answer: bytes = ANSWER, broken: bytes = b"") -> None:
        self.requests: list[bytes] = []
        self._breaks, self._answer, self._broken = breaks, answer, broken
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                request = connection.recv(65536)
                if not request:
                    return
                self.requests.append(request)
                is_whole = len(self.requests) > self._breaks
                connection.sendall(self._answer if is_whole else self._broken)

    def close(self) -> None:
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join(10)
        self._listener.close()


@pytest.fixture
def breaking() -> Iterator[Breaking]:
    """Give a server that breaks two connections."""
    server = Breaking(2)
    yield server
    server.close()


@pytest.fixture
def upstream(breaking: Breaking) -> Iterator[Upstream]:
    """Give the way to it."""
    upstream = Upstream(f"http://127.0.0.1:{breaking.port}")
    yield upstream
    upstream.close()


def test_a_question_is_asked_again(breaking: Breaking, upstream: Upstream) -> None:
    assert upstream.request("GET", "/task/3", "token").ok
    assert len(breaking.requests) == 3


def test_a_large_reply_that_breaks_off_leaves_its_room_to_the_next_attempt() -> None:
    text = b'"' + b"x" * 2**20 + b'"'
    whole = ANSWER.replace(b": 2", b": %d" % len(text)).replace(b"{}", text)
    # Room for one such reply.
    memory = MemoryBudget(REPLY_COST * len(text), seconds=1)
    server = Breaking(1, whole, whole[: 2**19])
    try:
        with closing(Upstream(f"http://127.0.0.1:{server.port}", memory=memory)) as upstream:
            with ExitStack() as held:
                assert upstream.request("GET", "/task/3", "token", held=held).ok
                with pytest.raises(Unavailable), memory.of(1):
                    pass  # The reply holds it, until it is written.
            with memory.of(REPLY_COST * len(text)):
                pass
        assert len(server.requests) == 2
    finally:
        server.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_node_shows_its_own_token_and_renews_it(wire: Wire, method: str) -> None:
    node = NodeClient(f"http://127.0.0.1:{wire.port}", "/api")
    node.authenticate("key")
    first, second = make_token(7), make_token({"second": True})
    wire.answers["POST /token/refresh"] = (200, {"access_token": second, "refresh_token": "r"})
    stale = (401, {"msg": "The token has expired.", "code": WRONG_NODE_TOKEN})
    wire.queued[f"{method} /task"] = [stale, (200, {"id": 1})]
    with closing(Upstream(f"http://127.0.0.1:{wire.port}/api", node=node)) as upstream:
        assert upstream.request(method, "/task", "algorithm").body == {"id": 1}
        wire.answers[f"{method} /task"] = (200, {"id": 2})
        assert upstream.request(method, "/task", "algorithm").body == {"id": 2}
    asked = [one for one in wire.asked if one.path == "/task"]
    assert {one.authorization for one in asked} == {"Bearer algorithm"}
    shown = [one.node_authorization for one in asked]
    assert shown == [f"Bearer {token}" for token in (first, second, second)]
    node.close()


def test_the_refusal_of_an_algorithms_own_token_is_passed_on(wire: Wire) -> None:
    node = NodeClient(f"http://127.0.0.1:{wire.port}", "/api")
    node.authenticate("key")
    wire.answers["GET /task/3"] = (401, {"msg": "It has ended.", "code": "task_ended"})
    with closing(Upstream(f"http://127.0.0.1:{wire.port}/api", node=node)) as upstream:
        assert upstream.request("GET", "/task/3", "algorithm").status == 401
    assert not [one for one in wire.asked if one.path == "/token/refresh"]
    node.close()


OLD_SECRET = (422, {"msg": "Not signed here.", "code": "bad_token"})
EXPIRED = (401, {"msg": "The token has expired.", "code": "token_expired"})


@pytest.mark.parametrize("refusal", [OLD_SECRET, EXPIRED], ids=["another secret", "too old"])
def test_a_running_algorithm_gets_another_token_where_the_server_refuses_the_old_one(
    wire: Wire, make_scheduler: MakeScheduler, refusal: tuple[int, Any]
) -> None:
    ask = (
        "import urllib.request\n"
        "def ask():\n"
        "    url = os.environ['HOST'] + ':' + os.environ['PORT'] + '/organization/2'\n"
        "    token = 'Bearer ' + open(os.environ['TOKEN_FILE']).read()\n"
        "    asked = urllib.request.Request(url, headers={'Authorization': token})\n"
        "    return urllib.request.urlopen(asked, timeout=30).read()\n"
        "open(os.environ['OUTPUT_FILE'], 'wb').write(ask() + ask())\n"
    )
    fresh = make_token({"fresh": True})
    wire.answers["POST /token/container"] = (200, {"container_token": fresh})
    wire.queued["GET /organization/2"] = [refusal]
    wire.add(5, ask)
    make_scheduler().accept(5)
    eventually(lambda: "finished_at" in wire.results[5])
    assert wire.ids("completed") == [5], wire.results[5]
    shown = [one.authorization for one in wire.asked if one.path == "/organization/2"]
    assert shown[1:] == [f"Bearer {fresh}"] * 2
    assert shown[0] != shown[1]
    (asked,) = [one for one in wire.asked if one.path == "/token/container"]
    assert asked.body == {"task_id": wire.results[5]["task"]["id"], "image": IMAGE}


@pytest.mark.parametrize(
    ("given", "requests"),
    [((200, {"container_token": "other"}), 2), ((400, {"msg": "x", "code": "task_ended"}), 1)],
    ids=["refused as well", "none"],
)
def test_another_token_is_asked_for_once_a_request(
    wire: Wire, given: tuple[int, Any], requests: int
) -> None:
    node = NodeClient(f"http://127.0.0.1:{wire.port}", "/api")
    node.authenticate("key")
    wire.answers["POST /token/container"] = given
    wire.answers["POST /task"] = OLD_SECRET
    token = ServerToken("old", lambda: node.container_token(3, IMAGE))
    with closing(Upstream(f"http://127.0.0.1:{wire.port}/api", node=node)) as upstream:
        assert upstream.request("POST", "/task", token, body={}).status == 422
    paths = [one.path for one in wire.asked]
    assert (paths.count("/task"), paths.count("/token/container")) == (requests, 1)
    node.close()


def test_a_task_is_not_created_again(breaking: Breaking, upstream: Upstream) -> None:
    with pytest.raises(Unavailable):
        upstream.request("POST", "/task", "token", body={})
    assert len(breaking.requests) == 1


@pytest.mark.parametrize("status", [302, 403, 404])
def test_a_page_that_answers_instead_of_the_server_costs_no_result(
    wire: Wire, make_scheduler: MakeScheduler, status: int
) -> None:
    wire.add(5, "open(os.environ['OUTPUT_FILE'], 'w').write('done')")
    # The page of a network that wants somebody to log in, or of a proxy without a server.
    wire.answers["PATCH /result/5"] = (status, {})
    make_scheduler().accept(5)
    asked = lambda: [one.path for one in wire.asked].count("/result/5")  # noqa: E731
    # That it runs, and at least once that it ended.
    eventually(lambda: asked() > 2)
    del wire.answers["PATCH /result/5"]
    eventually(lambda: wire.ids("completed") == [5])
    assert wire.claims == [5]
