"""However large and however strange its requests are, an algorithm does not fill the node's memory.

The listeners are in a process of their own, whose highest memory counts.
"""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import Listen
from tests.node.factories import MIB
from tests.node.listeners import Listener, base64_of
from tests.node.wire import Wire
from vantage6.common.errors import Unavailable
from vantage6.node.proxy.bodies import TooComplex, value_of
from vantage6.node.proxy.memory import MemoryBudget

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Child:
    """A process with listeners."""

    process: "subprocess.Popen[str]"
    listeners: list[Listener]

    def peak(self) -> int:
        """Return the most memory that it has had."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())


@contextmanager
def child(
    server: int, listeners: int = 1, memory: int = 2**30, reply: int = 256 * MIB
) -> Iterator[Child]:
    """Start a process with listeners to a server."""
    address = f"http://127.0.0.1:{server}/api"
    words = [sys.executable, "-m", "tests.node.listener_child", address, listeners, memory, reply]
    with subprocess.Popen(
        list(map(str, words)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        try:
            ports = json.loads(process.stdout.readline())
            yield Child(process, [Listener(port) for port in ports])
        finally:
            process.kill()


BODIES: dict[str, Callable[[int], bytes]] = {
    "empty lists": lambda size: b'{"organizations": [' + b"[]," * (size // 3) + b"[]]}",
    "empty objects": lambda size: b'{"organizations": [' + b"{}," * (size // 3) + b"{}]}",
    "nothing": lambda size: b'{"organizations": [' + b"0," * (size // 2) + b"0]}",
    "names": lambda size: b"{" + b'"":0,' * (size // 5) + b'"":0}',
    "nested": lambda size: b"[" * (size // 2) + b"]" * (size // 2),
    "half": lambda size: b'{"organizations": [' + b"[]," * (size // 3),
}


@pytest.mark.parametrize("kind", BODIES)
def test_small_things_in_a_large_request_are_not_made(wire: Wire, kind: str) -> None:
    raw = BODIES[kind](24 * MIB)
    with child(wire.port) as running:
        before = running.peak()
        status, answer = running.listeners[0].send("POST", "/task", raw)
        assert (status, answer["code"]) == (413, "request_too_large")
        # As objects it would be ten to thirty times as much.
        assert running.peak() - before < 2 * len(raw)
    assert not wire.asked


def test_letters_that_are_not_ascii_take_no_more_than_the_room(wire: Wire) -> None:
    text = "x" * (16 * MIB)
    raw = json.dumps({"description": f"{text}\U0001f600", "organizations": []}).encode()
    with child(wire.port) as running:
        before = running.peak()
        assert running.listeners[0].send("POST", "/task", raw)[0] == 400
        assert running.peak() - before < 8 * len(raw)


def test_large_requests_of_all_algorithms_share_their_room(wire: Wire) -> None:
    wire.answers["POST /task"] = (201, {"id": 9, "results": []})
    body = {"organizations": [{"id": 2, "input": base64_of(bytes(12 * MIB))}]}
    raw = json.dumps(body).encode()
    with child(wire.port, listeners=6, memory=100 * MIB) as running:
        before = running.peak()
        with ThreadPoolExecutor(6) as pool:
            send = lambda listener: listener.send("POST", "/task", raw)  # noqa: E731
            answers = list(pool.map(send, running.listeners))
        assert [status for status, _ in answers] == [200] * 6
        assert running.peak() - before < 120 * MIB


class Endless:
    """A server that never ends its answer, until somebody hangs up."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.sent = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
            try:
                while self.sent < 400 * MIB:
                    connection.sendall(b'"' + b"x" * (2**20 - 3) + b'",')
                    self.sent += 2**20
            except OSError:
                pass

    def close(self) -> None:
        """Serve nobody any more."""
        self._listener.close()
        self._thread.join(30)


def test_reply_without_end_is_not_read_to_its_end() -> None:
    server = Endless()
    with child(server.port, reply=20 * MIB) as running:
        before = running.peak()
        status, answer = running.listeners[0].ask("GET", "/task/9/result")
        assert (status, answer["code"]) == (413, "reply_too_large")
        for word in ("20 MiB", "limits.reply_bytes", "per_page=1"):
            assert word in answer["msg"]
        assert running.peak() - before < 60 * MIB
    server.close()
    assert server.sent < 60 * MIB


@pytest.mark.parametrize("length", [30, 10])
def test_large_results_pass_with_four_times_their_length(wire: Wire, length: int) -> None:
    rows = [{"id": 21, "result": base64_of(bytes(length * MIB))}]
    wire.answers["GET /task/9/result"] = (200, rows)
    with child(wire.port, memory=500 * MIB) as running:
        before = running.peak()
        status, answer = running.listeners[0].ask("GET", "/task/9/result")
        assert (status, answer) == (200, rows)
        assert running.peak() - before < 4 * len(rows[0]["result"]) + 16 * MIB


def test_bodies_that_wait_at_one_listener_are_bounded(listen: Listen) -> None:
    listener = listen(request_bytes=4 * MIB)
    head = b"POST /task HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n"
    with ExitStack() as held:
        answers = []
        for _ in range(6):
            # All but the last byte, so that it waits.
            caller = held.enter_context(socket.create_connection(("127.0.0.1", listener.port)))
            caller.settimeout(1)
            with suppress(OSError):
                caller.sendall(head + bytes(3_999_999))
            try:
                answers.append(caller.recv(1000)[:12])
            except OSError:
                answers.append(b"")
        assert answers.count(b"") == 2
    # They are gone with their connections.
    assert listener.send("POST", "/task", b"[" + b"0" * 3_000_000)[0] == 400


def test_room_is_waited_for_and_given_back() -> None:
    memory = MemoryBudget(100, seconds=5)
    order: list[str] = []
    entered, done = threading.Event(), threading.Event()

    def second() -> None:
        entered.set()
        with memory.of(1000):
            order.append("second")
        done.set()

    with memory.of(60):
        with memory.of(40):
            pass
        threading.Thread(target=second, daemon=True).start()
        entered.wait(30)
        assert not done.wait(0.2)
        order.append("first")
    assert done.wait(30)
    assert order == ["first", "second"]


def test_room_is_not_waited_for_for_ever() -> None:
    memory = MemoryBudget(100, seconds=0.05)
    with memory.of(60), pytest.raises(Unavailable, match="try again later"), memory.of(41):
        pass
    with memory.of(100):
        pass


@pytest.mark.parametrize(
    ("text", "value"),
    [(b'{"a": [1, {}]}', {"a": [1, {}]}), (b"null", None), (b'"x,y,,,,,"', "x,y,,,,,")],
)
def test_json_within_bounds_is_what_it_says(text: bytes, value: Any) -> None:
    assert value_of(bytearray(text), 5) == value


def test_json_beyond_bounds_is_refused() -> None:
    with pytest.raises(TooComplex):
        value_of(bytearray(b"[1,2,3,4,5,6]"), 5)
    with pytest.raises(TooComplex):
        value_of(bytearray(b'["a","b","c","d"]'), 5)
    with pytest.raises(ValueError, match="levels"):
        value_of(bytearray(b"[" * 50_000 + b"]" * 50_000), 10**6)
