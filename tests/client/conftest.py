"""Two servers on loopback: one records what it is asked and answers as told, one is the real one.

The first shows what is sent and how odd answers are met, the second that the two fit together.
"""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import falcon
import pytest
import yaml
from argon2 import PasswordHasher
from structlog.testing import capture_logs

from tests.models.factories import World, make_user, make_world, migrated
from tests.services import NO_BROKER
from vantage6.api.app import create_app
from vantage6.api.identity import passwords
from vantage6.client import Client
from vantage6.common.config import Instance
from vantage6.common.identity import WhoAmI


@dataclass
class Asked:
    """One request that came in."""

    method: str
    path: str
    query: dict[str, Any]
    body: Any
    token: str | None


Answer = tuple[int, Any] | Callable[[Asked], tuple[int, Any]]


@dataclass
class Peer:
    """Answers by method and path; a list is used up one answer after the other."""

    port: int
    answers: dict[str, Answer | list[Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def calls(self) -> list[str]:
        """Return method and path of each request."""
        return [f"{asked.method} {asked.path}" for asked in self.asked]

    def handle(self, req: falcon.Request, resp: falcon.Response, path: str) -> None:
        header = req.auth or ""
        raw = req.bounded_stream.read()
        asked = Asked(
            req.method,
            path,
            dict(req.params),
            json.loads(raw) if raw else None,
            header.removeprefix("Bearer ") or None,
        )
        self.asked.append(asked)
        answer = self.answers.get(f"{req.method} {path}", (404, {"msg": "no such thing"}))
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        status, body = answer(asked) if callable(answer) else answer
        resp.status = falcon.code_to_http_status(status)
        if isinstance(body, str):
            resp.content_type, resp.text = "text/html", body
        elif body is not None:
            resp.media = body


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Keep the output of the tests free of requests."""


class _Threads(ThreadingMixIn, WSGIServer):
    """One thread per connection."""


class _Server(_Threads):
    """Whoever answers at the moment."""

    peer: Peer

    def handle_request_for(self, req: falcon.Request, resp: falcon.Response, path: str) -> None:
        self.peer.handle(req, resp, path)


@contextmanager
def serving(app: Any, kind: type[WSGIServer]) -> Iterator[Any]:
    """Give a server that hands requests to an app."""
    with make_server("127.0.0.1", 0, app, kind, _Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def server() -> Iterator[_Server]:
    app = falcon.App()
    with serving(app, _Server) as server:
        app.add_sink(server.handle_request_for, r"/api/(?P<path>.*)")
        yield server


@pytest.fixture
def peer(server: _Server) -> Peer:
    server.peer = Peer(server.server_port)
    return server.peer


@pytest.fixture
def client(peer: Peer) -> Iterator[Client]:
    """Return a client that is logged in."""
    client = Client(peer.address.rpartition(":")[0], peer.port, "/api")
    client.whoami = WhoAmI("user", 1, "Frodo", "The Shire", 7)
    yield client
    client.close()


def token(subject: object, lifetime: float = 3600, issued: float = 0) -> str:
    """Return a token that says what it is told, unsigned."""
    said = {"sub": subject, "iat": issued, "exp": issued + lifetime}
    middle = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    return f"e30.{middle}.c2ln"


@pytest.fixture
def make_token() -> Callable[..., str]:
    return token


@dataclass
class Live:
    """The real server with a world in its database, and somebody of Amsterdam who may do all."""

    world: World
    client: Client


@pytest.fixture
def broker_url() -> str:
    """Return the address of the broker: nobody is there."""
    return NO_BROKER


@pytest.fixture
def settings() -> dict[str, Any]:
    """Return what differs from a server as it is by default."""
    return {}


@pytest.fixture
def live(
    tmp_path: Path, broker_url: str, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Live]:
    """Give the real server, and a client that has sent its password."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    file = tmp_path / "server.yaml"
    uri = f"sqlite:///{tmp_path / 'server.sqlite'}"
    content = {"uri": uri, "broker": broker_url, "data_dir": str(tmp_path / "data"), **settings}
    file.write_text(yaml.safe_dump({"application": content}))
    app = create_app(Instance.load(file))
    with migrated(), serving(app, _Threads) as server:
        world = make_world()
        make_user(
            world.amsterdam, "Root", username="ada", password=passwords.hash_password("secret")
        )
        client = Client("http://127.0.0.1", server.server_port)
        client.authenticate("ada", "secret")
        yield Live(world, client)
        client.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the home folder of the user, where sessions are kept."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "V6_PROFILE", "V6_KNOWN_ORGANIZATIONS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def command(live: Live, home: Path) -> Iterator[Any]:
    """Give the command `vantage6`; the server, which runs in this process, logs to nowhere."""
    from tests.client.command import Command  # which needs the fixtures above

    del home
    with capture_logs():
        yield Command(live)
