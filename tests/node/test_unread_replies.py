"""An algorithm that asks for large answers and does not read them fills no disk."""

import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.node.factories import MIB
from tests.waiting import eventually
from vantage6.node.proxy import server
from vantage6.node.proxy.server import ProxyServer
from vantage6.node.proxy.unread_replies import UnreadReplies

LENGTH = 8 * MIB
#: An answer that waits in a file, which may begin with its head.
KEPT = LENGTH + 1000
ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

Open = Callable[..., tuple[int, list[str]]]


def answer(environ: Any, start: Any) -> Iterable[bytes]:
    """Answer much."""
    start("200 OK", [("Content-Length", str(LENGTH))])
    return [bytes(LENGTH)]


@pytest.fixture
def open_listener() -> Iterator[Open]:
    """Give a function that opens a listener: its port, and what was refused there."""
    keepers = []

    def make(unread: UnreadReplies) -> tuple[int, list[str]]:
        listener, refused = socket.create_server(("127.0.0.1", 0)), list[str]()
        keepers.append(ProxyServer(listener, answer, MIB, refused.append, unread))
        return listener.getsockname()[1], refused

    yield make
    for keeper in keepers:
        keeper.close()
        eventually(lambda keeper=keeper: not keeper.is_open)


def ask(port: int) -> tuple[socket.socket, bytes]:
    """Ask, and read the first line of the answer and no more."""
    caller = socket.socket()
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    caller.settimeout(10)
    caller.connect(("127.0.0.1", port))
    caller.sendall(ASK)
    return caller, caller.recv(12)


def read(caller: socket.socket) -> int:
    """Read to the end."""
    count = 0
    with caller, suppress(ConnectionResetError):
        while data := caller.recv(2**20):
            count += len(data)
    return count


def held() -> int:
    """Return the bytes of files that are open and have no name."""
    count = 0
    for path in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if "deleted" in str(path.readlink()):
                count += path.stat().st_size
    return count


def test_unread_answers_of_all_listeners_are_bounded(open_listener: Open) -> None:
    before, unread = held(), UnreadReplies(6 * LENGTH)
    listeners = [open_listener(unread) for _ in range(3)]
    callers, said = [], []
    for port, _ in listeners:
        for _ in range(4):
            caller, first = ask(port)
            callers.append(caller)
            said.append(first[9:])
    # Half of it for a listener, and all of it for all.
    assert said == [b"200", b"200", b"200", b"503"] * 2 + [b"503"] * 4
    assert held() - before <= 6 * KEPT
    assert [refused.count("answers_unread") for _, refused in listeners] == [1, 1, 4]
    for caller in callers[:4]:
        read(caller)
    eventually(lambda: held() - before <= 3 * KEPT)
    caller, first = ask(listeners[2][0])
    assert first.endswith(b"200")
    assert read(caller) > LENGTH
    for caller in callers:
        caller.close()


def test_connection_that_reads_too_slowly_is_ended(open_listener: Open) -> None:
    before, unread = held(), UnreadReplies(seconds=0.5, rate=100 * MIB)
    port, refused = open_listener(unread)
    caller, first = ask(port)
    assert first.endswith(b"200")
    eventually(lambda: refused == ["answers_unread"])
    assert held() == before
    assert read(caller) < LENGTH


def test_connection_that_keeps_the_rate_is_not(open_listener: Open) -> None:
    port, refused = open_listener(UnreadReplies(seconds=5))
    for _ in range(5):
        caller, _ = ask(port)
        assert read(caller) > LENGTH
    assert refused == []


def test_answer_that_is_larger_than_the_bound_is_given_alone(open_listener: Open) -> None:
    port, _ = open_listener(UnreadReplies(LENGTH // 4))
    first, said = ask(port)
    assert said.endswith(b"200")
    second, said = ask(port)
    assert said.endswith(b"503")
    assert read(first) > LENGTH
    second.close()


def test_bodies_at_all_are_bounded(open_listener: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_MOST_BODIES", MIB)
    monkeypatch.setattr(server, "_STEP", 2**16)
    callers, said = [], []
    for port in [open_listener(UnreadReplies())[0] for _ in range(3)]:
        caller = socket.create_connection(("127.0.0.1", port))
        caller.settimeout(1)
        callers.append(caller)
        with suppress(OSError):
            caller.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n")
            caller.sendall(bytes(599_999))
        try:
            said.append(caller.recv(12)[9:])
        except OSError:
            said.append(b"")
    assert said == [b"", b"413", b"413"]
    for caller in callers:
        caller.close()
