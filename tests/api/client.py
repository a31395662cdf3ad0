"""A caller of the API that holds every answer against what the documentation promises."""

import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from falcon import testing
from pydantic import TypeAdapter

from vantage6.api.endpoint import Endpoint
from vantage6.api.identity.tokens import Login, Tokens
from vantage6.api.routes import ROUTES
from vantage6.api.schemas.base import Problem
from vantage6.common.clock import now
from vantage6.common.enums import IdentityKind
from vantage6.common.identity import NODE_AUTHORIZATION
from vantage6.models import database
from vantage6.models.tables import Node, Session, Task, User

PREFIX = "/api"
_ID = re.compile(r"\{\w+_:int[^}]*\}")
_TAG = re.compile(r"\{\w+_:uuid\}")
_THREAD = ThreadPoolExecutor(1)
#: A page in its envelope.
_ENVELOPE = {"data", "links"}


@dataclass(frozen=True)
class Algorithm:
    """An algorithm that computes a task at a node."""

    node: Node
    task: Task


#: Who calls; a text is sent as the token.
Who = User | Node | Algorithm | str | None


@dataclass
class Answer:
    """What came back, after it was held against the documentation."""

    status: int
    json: Any
    text: str
    headers: Mapping[str, str]

    @property
    def problem(self) -> tuple[int, str]:
        """Status and code of a refusal."""
        return self.status, self.json["code"]


@dataclass
class Api:
    """Sends requests to an app, in process."""

    app: Any
    tokens: Tokens
    headers: dict[str, str] = field(default_factory=dict)
    thread: ThreadPoolExecutor = _THREAD

    def get(self, path: str, who: Who = None, query: str = "", **headers: str) -> Answer:
        return self.send("GET", path, who, query=query, headers=headers)

    def post(self, path: str, who: Who = None, body: Any = None) -> Answer:
        return self.send("POST", path, who, body)

    def patch(self, path: str, who: Who = None, body: Any = None) -> Answer:
        return self.send("PATCH", path, who, body)

    def delete(self, path: str, who: Who = None, query: str = "") -> Answer:
        return self.send("DELETE", path, who, query=query)

    def send(
        self,
        method: str,
        path: str,
        who: Who = None,
        body: Any = None,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
        prefix: str = PREFIX,
    ) -> Answer:
        """Send a request to a path below the prefix, and check the form of the answer."""
        sent = {**self.headers, **(headers or {})}
        if who is not None:
            sent["Authorization"] = f"Bearer {self.token(who)}"
        if isinstance(who, Algorithm):
            # As its node does, through which it asks.
            sent.setdefault(NODE_AUTHORIZATION, f"Bearer {self.token(who.node)}")
        if body is not None:
            raw = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        # In a thread, as under gunicorn: the app closes the connection of the thread it runs in.
        got = self.thread.submit(
            testing.TestClient(self.app).simulate_request,
            method,
            prefix + path,
            query_string=query,
            headers=sent,
            body=raw,
        ).result(60)
        answer = Answer(got.status_code, None, got.text, got.headers)
        if got.headers.get("content-type", "").startswith("application/json"):
            answer.json = got.json
        if prefix == PREFIX:
            _check(method, path, answer)
        return answer

    def token(self, who: Who) -> str:
        """Return an access token of somebody."""
        if isinstance(who, Algorithm):
            return self.tokens.for_container(who.node, who.task)
        if isinstance(who, User | Node):
            return self.pair(who)[0]
        return who or ""

    def pair(self, who: User | Node, session: Login | None = None) -> tuple[str, str]:
        """Return the tokens of somebody who just logged in, or who did in that session."""
        kind = IdentityKind.USER if isinstance(who, User) else IdentityKind.NODE
        return self.tokens.pair(kind, who.id, session or logged_in(who))


def logged_in(who: User | Node) -> Login:
    """Return the login of somebody, without the work of one."""
    # In a thread, as all that the app does: the test may be reading rows one by one.
    return _THREAD.submit(_log_in, who).result(60)


def _log_in(who: User | Node) -> Login:
    moment = now()
    with database.session(keep=True):
        row = Session.create(
            **{"user" if isinstance(who, User) else "node": who.id},
            began_at=moment,
            renewed_at=moment,
            expires_at=moment + timedelta(days=1),
            address="192.0.2.1",
        )
    return Login(row.id, moment)


def documented(method: str, path: str) -> tuple[Endpoint, str] | None:
    """Return what is said about a route and the route, or None if there is no such route."""
    for route in ROUTES:
        if re.fullmatch(_TAG.sub("[0-9a-f-]{36}", _ID.sub(r"\\d{1,9}", route.path)), path):
            name = f"on_{method.lower()}" + (f"_{route.suffix}" if route.suffix else "")
            responder = getattr(route.resource, name, None)
            if responder is not None:
                return responder.endpoint, route.path
    return None


@cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def _check(method: str, path: str, answer: Answer) -> None:
    """Fail unless an answer is what the documentation promises."""
    assert answer.headers["cache-control"] == "no-store"
    if answer.status == 204:
        endpoint = (documented(method, path) or pytest.fail(f"{method} {path}"))[0]
        assert endpoint.may_be_empty or (endpoint.status, endpoint.reply) == (204, None)
        assert not answer.text
        return
    assert answer.json is not None, answer.text
    # SECURITY: no answer at all holds the hash of a password.
    assert "$argon2" not in answer.text
    found = documented(method, path)
    content = answer.json
    # What the router answers for itself: no such path, or another method.
    model: Any = Problem
    if found is not None and answer.status != 500:
        endpoint, route = found
        model = {endpoint.status: endpoint.reply, **endpoint.refusals(route)}[answer.status]
    if isinstance(content, dict) and set(content) == _ENVELOPE:
        content = content["data"]
    if model is Problem:
        assert content["request_id"] == answer.headers["x-request-id"]
    _adapter(model).validate_json(json.dumps(content), strict=True)
