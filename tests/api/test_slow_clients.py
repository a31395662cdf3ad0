"""Clients that send or read slowly keep nobody else from being answered."""

import socket
import ssl
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.api.api_process import served
from tests.api.conftest import Server, configured
from tests.models.factories import make_user
from tests.services.nginx import nginx
from tests.waiting import eventually
from vantage6.api.identity import passwords
from vantage6.common.config import Instance
from vantage6.models.tables import User
from vantage6.sandbox.ports import free_port

pytestmark = pytest.mark.slow

SLOW = 200
PASSWORD = "Slow-password-1"
LOGIN = b"POST /api/token/user HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
#: What slow senders begin with; bytes follow one by one.
BEGINNINGS = (
    LOGIN + b"X-Slow: ",
    LOGIN + b"Content-Length: 60000\r\n\r\n",
    LOGIN + b"Content-Length: 0000000060000\r\n\r\n",
    LOGIN + b"Transfer-Encoding: chunked\r\n\r\nea60\r\n",
    LOGIN + b"Expect: 100-continue\r\nContent-Length: 60000\r\n\r\n",
)
#: What slow readers ask for: the largest answers that need no login.
WANTED = ("/apidocs/redoc.js", "/apidocs/swagger-ui.js", "/openapi.json")


@pytest.fixture
def instance(instance: Instance) -> Instance:
    """Let the API listen."""
    return configured(instance, port=free_port())


@pytest.fixture
def user(server: Server) -> User:
    """Give somebody who logs in."""
    return make_user(server.world.amsterdam, password=passwords.hash_password(PASSWORD))


@dataclass
class Crowd:
    """Slow clients of one address, or of some."""

    port: int
    source: str = "127.0.0.1"
    sources: int = 1
    trusted: ssl.SSLContext | None = None
    _turns: Iterator[int] = field(default_factory=count)

    def connect(self, begin: bytes, **options: int) -> socket.socket:
        """Return a connection on which the beginning of a request was sent."""
        connection = socket.socket()
        connection.settimeout(10)
        for name, value in options.items():
            connection.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
        source = ip_address(self.source) + next(self._turns) % self.sources
        connection.bind((str(source), 0))
        connection.connect(("127.0.0.1", self.port))
        if self.trusted:
            connection = self.trusted.wrap_socket(connection, server_hostname="localhost")
        with suppress(OSError):
            connection.sendall(begin)
        return connection

    @contextmanager
    def sending(self) -> Iterator[list[socket.socket]]:
        """Send 200 requests, byte by byte."""
        with ExitStack() as ends:
            senders = [
                ends.enter_context(self.connect(BEGINNINGS[number % len(BEGINNINGS)]))
                for number in range(SLOW)
            ]
            over = threading.Event()

            def drip() -> None:
                while not over.wait(0.5):
                    for sender in senders:
                        with suppress(OSError):
                            sender.sendall(b"a")

            thread = threading.Thread(target=drip)
            thread.start()
            ends.callback(thread.join, 10)
            ends.callback(over.set)
            yield senders

    @contextmanager
    def reading(self) -> Iterator[list[socket.socket]]:
        """Ask for 200 large answers, and read none of them."""
        with ExitStack() as ends:
            yield [
                ends.enter_context(
                    self.connect(
                        f"GET {WANTED[number % 3]} HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
                        SO_RCVBUF=2048,
                    )
                )
                for number in range(SLOW)
            ]


def seconds(method: str, address: str, **given: Any) -> float:
    """Return how long a request took, on a connection of its own."""
    started = time.monotonic()
    assert httpx2.request(method, address, timeout=20, **given).status_code == 200
    return time.monotonic() - started


def check_patience(address: str, crowd: Crowd, user: User, **given: Any) -> None:
    """Fail unless health and a login are answered in time beside 200 senders and 200 readers."""
    login = {"username": user.username, "password": PASSWORD}
    health, logins = [], []
    assert seconds("POST", f"{address}/token/user", json=login, **given) < 10
    with crowd.sending(), crowd.reading():
        until = time.monotonic() + 12
        while time.monotonic() < until:
            health.append(seconds("GET", f"{address}/health", **given))
            logins.append(seconds("POST", f"{address}/token/user", json=login, **given))
            # An account has 120 logins a minute.
            time.sleep(0.15)
    # On a machine that has other work, too, a single one may take longer.
    assert statistics.median(health) < 2, health
    assert statistics.median(logins) < 3, logins
    assert max(health + logins) < 15


def is_open(connection: socket.socket) -> bool:
    """Tell whether the other side has not closed a connection."""
    connection.settimeout(0.01)
    try:
        while connection.recv(100):
            pass
    except TimeoutError:
        return True
    except OSError:
        pass
    return False


def test_slow_senders_and_readers_keep_neither_health_nor_a_login_waiting(
    server: Server, user: User, tmp_path: Path
):
    port = server.instance.config.port
    with served(server.instance, tmp_path / "api.log"):
        check_patience(f"http://127.0.0.1:{port}/api", Crowd(port), user)


def test_slow_senders_and_readers_keep_nobody_waiting_behind_nginx(
    server: Server, user: User, tmp_path: Path
):
    with (
        served(server.instance, tmp_path / "api.log"),
        nginx(tmp_path, server.instance.config.port) as (port, certificate),
    ):
        trusted = ssl.create_default_context(cafile=str(certificate))
        # What nginx would count and refuse comes from many addresses here.
        crowd = Crowd(port, trusted=trusted, sources=8)
        check_patience(f"https://127.0.0.1:{port}/api", crowd, user, verify=trusted)


def test_a_slow_sender_is_let_go_after_a_while(server: Server, tmp_path: Path):
    crowd = Crowd(server.instance.config.port)
    with served(server.instance, tmp_path / "api.log"):
        started = time.monotonic()
        with ExitStack() as ends:
            slow = [ends.enter_context(crowd.connect(begin)) for begin in BEGINNINGS]
            for one in slow:
                one.settimeout(90)
                with suppress(ConnectionError):
                    while one.recv(1000):
                        pass
        assert 15 < time.monotonic() - started < 60


def test_a_request_that_comes_in_pieces_is_answered(server: Server, user: User, tmp_path: Path):
    body = f'{{"username": "{user.username}", "password": "{PASSWORD}"}}'.encode()
    chunked = b"".join(b"%x;name=value\r\n%c\r\n" % (1, byte) for byte in body) + b"0\r\n\r\n"
    length = b"Content-Length: %d\r\n" % len(body)
    with served(server.instance, tmp_path / "api.log"):
        for request in (
            LOGIN + length + b"\r\n" + body,
            LOGIN + b"Expect: 100-continue\r\n" + length + b"\r\n" + body,
            LOGIN + b"Transfer-Encoding: chunked\r\n\r\n" + chunked,
            # Two in one packet: the second waits in memory.
            b"GET /api/version HTTP/1.1\r\nHost: x\r\n\r\n" + LOGIN + length + b"\r\n" + body,
        ):
            for size in (1, 7, len(request)):
                with Crowd(server.instance.config.port).connect(b"") as connection:
                    for start in range(0, len(request), size):
                        connection.sendall(request[start : start + size])
                        if size == 1:
                            time.sleep(0.0005)
                    received = b""
                    while b"access_token" not in received:
                        received += (some := connection.recv(10_000))
                        assert some, received


def test_one_address_cannot_take_all_connections(
    server: Server, user: User, instance: Instance, tmp_path: Path
):
    instance = configured(instance, connections_per_address=20, workers=1)
    address = f"http://127.0.0.1:{instance.config.port}/api/health"
    crowd = Crowd(instance.config.port, "127.0.0.2")
    with served(instance, tmp_path / "api.log"), crowd.sending() as senders:
        assert seconds("GET", address) < 15
        eventually(lambda: sum(map(is_open, senders)) <= 20)
        # Its own next request is served as well, in the place of a slow one.
        with crowd.connect(b"GET /api/version HTTP/1.0\r\n\r\n") as connection:
            assert b"200 OK" in connection.recv(1000)


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "PATH_INFO"])
def test_a_header_chooses_no_other_path(server: Server, tmp_path: Path, name: str):
    """Who forwards from this machine has seen, and perhaps allowed, the path of the request."""
    head = f"{name}: /api/x\r\n\r\n".encode()
    with (
        served(server.instance, tmp_path / "api.log"),
        Crowd(server.instance.config.port).connect(
            b"GET /api/x/api/version HTTP/1.0\r\n" + head
        ) as it,
    ):
        assert b" 200 " not in it.recv(1000).partition(b"\r\n")[0]


def test_a_head_without_end_is_refused(server: Server, tmp_path: Path):
    with (
        served(server.instance, tmp_path / "api.log"),
        Crowd(server.instance.config.port).connect(LOGIN + b"X: " + b"x" * 70_000) as connection,
    ):
        assert b" 431 " in connection.recv(1000)
