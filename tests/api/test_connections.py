"""The event loop of the API outlives each of its connections, and counts them right."""

import os
import selectors
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from falcon import Request
from falcon.testing import create_environ
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.http.body import Body, LengthReader  # type: ignore[import-untyped]
from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]

from vantage6.api.http import gunicorn_worker as module
from vantage6.api.http.bodies import receive, require_whole
from vantage6.api.http.gunicorn_worker import Logger, Worker
from vantage6.api.http.incoming import HEAD_BYTES
from vantage6.api.http.transfers import Transfers
from vantage6.api.http.wire import Wire
from vantage6.common.errors import Invalid

BEGINNING = b"GET / HTTP/1.1\r\nHost: x\r\n"
REQUEST = BEGINNING + b"\r\n"


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer, or break off in the middle."""
    start_response("200 OK", [("Content-Length", "2")])
    yield b"o"
    if environ["PATH_INFO"] == "/broken":
        raise ValueError
    yield b"k"


class Loop(Worker):
    """A worker in this process, whose event loop the tests turn."""

    def __init__(self) -> None:
        config = Config()
        listener = socket.create_server(("127.0.0.1", 0))
        super().__init__(1, os.getpid(), [listener], None, 30, config, Logger(config))
        self.wsgi = app
        self.tpool = ThreadPoolExecutor(2)
        self.poller = selectors.DefaultSelector()
        self.method_queue.init()
        self.poller.register(
            self.method_queue.fileno(), selectors.EVENT_READ, self.method_queue.run_callbacks
        )
        self.set_accept_enabled(True)

    def client(self, sent: bytes = b"") -> socket.socket:
        """Connect, and send something."""
        client = socket.create_connection(self.sockets[0].getsockname(), timeout=10)
        client.sendall(sent)
        return client

    def turn(self) -> None:
        """Handle one batch of events."""
        self.wait_for_and_dispatch_events(0.1)

    def turn_until(self, connections: int) -> None:
        """Handle events until so many connections are left."""
        until = time.monotonic() + 10
        while self.nr_conns != connections and time.monotonic() < until:
            self.turn()
        assert (self.nr_conns, sum(self._addresses.values())) == (connections, connections)

    def end(self) -> None:
        """Close everything."""
        self.tpool.shutdown()
        self.poller.close()
        self.method_queue.close()
        self.tmp.close()
        self.sockets[0].close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    """Give a worker."""
    loop = Loop()
    yield loop
    loop.end()


def reset(client: socket.socket) -> None:
    """Close a connection as if the client had crashed."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_a_long_head_whose_sender_has_gone_ends_that_connection_only(loop: Loop):
    with loop.client(REQUEST) as other:
        loop.turn()
        client = loop.client(BEGINNING + b"X: " + b"x" * (HEAD_BYTES - 3000))
        loop.turn()
        client.sendall(b"x" * 6000)
        reset(client)
        loop.turn_until(1)
        assert b"200 OK" in other.recv(1000)
    loop.turn_until(0)


def test_what_nobody_foresaw_ends_one_connection_only(loop: Loop):
    loop.tpool.shutdown()
    with loop.client(REQUEST) as client:
        loop.turn()
        loop.turn_until(0)
        assert client.recv(1000) == b""


def test_a_connection_that_is_closed_before_its_event_counts_once(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "MOST_WAITING", 1)
    with loop.client(BEGINNING) as first:
        loop.turn()
        # Both are in the next batch; the new one takes the place of the first.
        with loop.client(BEGINNING):
            first.sendall(b"X")
            loop.turn()
            loop.turn_until(1)
    loop.turn_until(0)


@pytest.mark.parametrize(
    ("addresses", "counted"),
    [
        (["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"], [1, 2]),
        (["192.0.2.1", "192.0.2.2"], [1, 1]),
        (["::ffff:192.0.2.1", "::ffff:192.0.2.2"], [1, 1]),
    ],
    ids=["IPv6", "IPv4", "IPv4 as IPv6"],
)
def test_connections_of_a_network_of_one_client_count_together(
    addresses: list[str], counted: list[int]
):
    counts: Counter[str] = Counter()
    with ExitStack() as open_ones:
        for address in addresses:
            ours, theirs = socket.socketpair()
            open_ones.enter_context(theirs)
            made = module.Connection(counts, Config(), Wire(ours), (address, 1), ("::", 2))
            open_ones.callback(made.close)
        assert sorted(counts.values()) == counted
    assert not counts


def test_many_that_send_little_are_counted_right(loop: Loop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_WAITING", 5)
    clients = []
    for _ in range(60):
        clients.append(loop.client(BEGINNING))
        for client in clients[-8:]:
            try:
                client.sendall(b"X")
            except ConnectionError:
                continue
        loop.turn()
    loop.turn_until(5)
    for client in clients:
        client.close()
    loop.turn_until(0)


def test_an_answer_that_breaks_off_is_counted_right(loop: Loop):
    with loop.client(REQUEST.replace(b"/ ", b"/broken ", 1)) as client:
        loop.turn()
        receive = b""
        while some := client.recv(1000):
            receive += some
        assert receive.endswith(b"\r\n\r\no")
    loop.turn_until(0)


def test_an_answer_that_breaks_off_frees_its_thread_at_once(loop: Loop) -> None:
    """The client neither sends more nor goes away."""
    with loop.client(REQUEST.replace(b"/ ", b"/broken ", 1)):
        loop.turn()
        loop.turn_until(0)


@pytest.mark.parametrize("length", ["5", "05", "0000000000005", "\t 5 ", "0" * 4000 + "5"])
def test_a_small_body_is_awaited_however_its_length_is_written(loop: Loop, length: str):
    head = BEGINNING.replace(b"GET", b"POST") + f"Content-Length: {length}\r\n\r\n".encode()
    with loop.client(head + b"1234") as client:
        loop.turn()
        loop.turn()
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1000)
        client.settimeout(10)
        client.sendall(b"5")
        loop.turn()
        assert b"200 OK" in client.recv(1000)
    loop.turn_until(0)


def test_no_thread_waits_for_a_small_body(tmp_path: Path):
    ours, theirs = socket.socketpair()
    with theirs, Wire(ours) as wire, ExitStack() as held:
        theirs.sendall(b"1234")
        environ = create_environ(method="POST", body="12345")
        body = Body(LengthReader(SocketUnreader(wire), 5))
        environ |= {"wsgi.input": body, "gunicorn.socket": wire}
        started = time.monotonic()
        with pytest.raises(Invalid, match="breaks off"):
            receive(Request(environ), 100, tmp_path, "user 1", Transfers(), held)
        assert time.monotonic() - started < 5


def test_a_body_that_is_shorter_than_announced_is_refused() -> None:
    request = Request(create_environ(method="PATCH", headers={"Content-Length": "10"}))
    require_whole(request, 10)
    with pytest.raises(Invalid, match="breaks off"):
        require_whole(request, 9)


@pytest.mark.parametrize("body", [b"zz\r\n\r\n", b"0\r\nAuthorization: x\r\n\r\n"])
def test_a_request_with_a_body_that_is_none_gets_one_answer(loop: Loop, body: bytes) -> None:
    with loop.client(BEGINNING + b"Transfer-Encoding: chunked\r\n\r\n" + body) as client:
        for _ in range(20):
            loop.turn()
        answer = client.recv(2**16)
    loop.turn_until(0)
    assert answer.count(b"HTTP/1.1 ") == 1
