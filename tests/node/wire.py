"""A small HTTP server that speaks to nodes and algorithms as the real one does."""

import base64
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import falcon

from tests.node.factories import IMAGE
from tests.waiting import eventually
from vantage6.broker.inboxes import Inboxes
from vantage6.node.proxy.server import ProxyServer

FINAL = {"completed", "crashed", "failed", "killed by user", "not allowed", "unknown error"}
FINAL |= {"start failed", "non-existing Docker image"}


def make_token(sub: Any) -> str:
    """Return something that looks like a token; only the real server checks signatures."""
    payload = base64.urlsafe_b64encode(json.dumps({"sub": sub}).encode()).decode().rstrip("=")
    return f"e30.{payload}.x"


@dataclass
class Asked:
    """One request that arrived."""

    method: str
    path: str
    params: dict[str, Any]
    body: Any
    authorization: str | None
    node_authorization: str | None = None


@dataclass
class Wire:
    """The state of the server, for tests to change and to read."""

    encrypted: bool = False
    public_keys: dict[int, str] = field(default_factory=lambda: {1: "", 2: ""})
    results: dict[int, dict[str, Any]] = field(default_factory=dict)
    broker: dict[str, str] | None = None
    #: The queues behind the inbox of the node, where there are any.
    inboxes: Inboxes | None = None
    #: Answers that replace the usual ones, by method and path.
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    #: The same, each given once and before those.
    queued: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    claims: list[int] = field(default_factory=list)
    is_down: bool = False
    #: Requests, by method and path, that wait in the server until an event comes.
    held: dict[str, threading.Event] = field(default_factory=dict)
    #: Method and path of what is answered by something that is no JSON.
    breaks: str = ""
    #: What the server's clock shows, where it is not the right time.
    date: str = ""
    #: Longest output that is accepted.
    most_bytes: int = 10**9
    port: int = 0
    #: How long a lease lasts; a third of it passes between two comparisons.
    lease_seconds: int = 180
    #: What the node told of itself.
    told: dict[str, Any] = field(default_factory=dict)
    #: What the server shows of the node, as a hash.
    shown: str | None = None
    #: The login of another station with the same key, as the server tells it.
    refused_login: dict[str, str] | None = None

    def add(self, id_: int, program: str = "", **task: Any) -> None:
        """Add a result that waits for the node."""
        self.results[id_] = {
            "status": "pending",
            "input": base64.b64encode(program.encode()).decode(),
            "task": {
                "id": 100 + id_,
                "name": "test",
                "image": IMAGE,
                "database": "default",
                "run_id": 1,
                "parent": None,
                "initiator": 1,
                "initiator_name": "org 1",
                "init_user": 7,
                "init_username": "alice",
                "collaboration": {"id": 1},
                **task,
            },
        }

    def ids(self, *statuses: str) -> list[int]:
        """Return the results in one of some states."""
        return [id_ for id_, result in self.results.items() if result["status"] in statuses]

    def __enter__(self) -> "Wire":
        app: falcon.App[falcon.Request, falcon.Response] = falcon.App()
        app.add_sink(self._handle, "/")
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self._server = ProxyServer(listener, app, 10**9)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        eventually(lambda: not self._server.is_open)

    def _handle(self, req: falcon.Request, resp: falcon.Response, **_: Any) -> None:
        path = req.path.removeprefix("/api")
        raw = req.bounded_stream.read()
        body = json.loads(raw) if raw else None
        shown = req.get_header("X-Node-Authorization")
        self.asked.append(Asked(req.method, path, dict(req.params), body, req.auth, shown))
        key = f"{req.method} {path}"
        if key in self.held:
            self.held[key].wait(60)
        if key == self.breaks:
            resp.status, resp.text, resp.content_type = 200, "<html>", "text/html"
            return
        if self.is_down:
            status, answer = 503, {"msg": "down", "code": "unavailable"}
        elif self.queued.get(key):
            status, answer = self.queued[key].pop(0)
        elif key in self.answers:
            status, answer = self.answers[key]
        else:
            status, answer = self._answer(key, body)
        if isinstance(answer, dict) and isinstance(answer.get("code"), str):
            answer = {"request_id": "r1", **answer}
        resp.status = status
        resp.media = answer
        if self.date:
            resp.set_header("Date", self.date)

    def _answer(self, key: str, body: Any) -> tuple[int, Any]:
        match key.replace("/", " ").split():
            case ["POST", "token", "node"] if body["api_key"] == "key":
                return 200, {"access_token": make_token(7), "refresh_token": make_token(7)}
            case ["POST", "token", "node"]:
                return 401, {"msg": "Wrong key.", "code": "unauthenticated"}
            case ["POST", "token", "broker"] if self.broker:
                return 200, self.broker
            case ["POST", "token", "broker"]:
                return 503, {"msg": "No broker.", "code": "unavailable"}
            case [method, "node", "7", "inbox", *tag]:
                return self._inbox(method, *tag)
            case ["GET", "node", "7"]:
                links = {"organization": {"id": 1}, "collaboration": {"id": 1}}
                return 200, {"id": 7, "name": "station", **links}
            case ["PATCH", "node", "7"]:
                self.told |= body
                return 200, {"id": 7}
            case ["GET", "collaboration", "1"]:
                return 200, {"id": 1, "name": "c", "encrypted": self.encrypted}
            case ["GET", "organization", id_] if int(id_) in self.public_keys:
                key = self.public_keys[int(id_)]
                return 200, {"id": int(id_), "name": f"org {id_}", "public_key": key}
            case ["PATCH", "organization", "1"]:
                self.public_keys[1] = body["public_key"]
                return 200, {"id": 1}
            case ["POST", "node", "reconcile"]:
                return 200, self._reconcile(body)
            case ["POST", "result", id_, "claim"]:
                return self._claim(int(id_))
            case ["DELETE", "result", id_, "claim"]:
                self.results[int(id_)] |= {"status": "failed", "reason": {"code": "report_refused"}}
                return 200, {"id": int(id_)}
            case ["PATCH", "result", id_]:
                return self._patch(int(id_), body)
        return 404, {"msg": "Nothing here.", "code": "not_found"}

    def _inbox(self, method: str, tag: str = "") -> tuple[int, Any]:
        if self.inboxes is None:
            return 503, {"msg": "No broker.", "code": "unavailable"}
        if method == "GET":
            for _ in range(20):
                if envelope := self.inboxes.take(7, 25):
                    return 200, envelope
                time.sleep(0.05)
        elif tag:
            self.inboxes.settle(7, tag, requeue=False)
        else:
            self.inboxes.leave(7)
        return 204, None

    def _claim(self, id_: int) -> tuple[int, Any]:
        result = self.results.get(id_)
        if result is None:
            return 404, {"msg": "No such result.", "code": "not_found"}
        if result["status"] in FINAL:
            return 409, {"msg": "It is finished.", "code": "result_finished"}
        self.claims.append(id_)
        if result["status"] == "pending":
            result["status"] = "initializing"
        return 200, {
            "id": id_,
            "status": result["status"],
            "input": result["input"],
            "lease_seconds": 180,
            "task": result["task"],
            "container_token": make_token({"task_id": result["task"]["id"]}),
            "initiator_public_key": self.public_keys[result["task"]["initiator"]],
        }

    def _patch(self, id_: int, body: dict[str, Any]) -> tuple[int, Any]:
        result = self.results.get(id_)
        if result is None:
            return 404, {"msg": "No such result.", "code": "not_found"}
        if result["status"] in FINAL and result["status"] != body["status"]:
            return 400, {"msg": "It is finished.", "code": "result_finished"}
        if len(body.get("result") or "") > self.most_bytes:
            return 413, {"msg": "Too large."}
        result.update(body)
        return 200, {"id": id_}

    def _reconcile(self, body: dict[str, list[int]]) -> dict[str, Any]:
        mine = {*body["running"], *body["finished"]}
        wanted = self.ids("pending", "initializing", "active")
        return {
            "start": [id_ for id_ in wanted if id_ not in mine],
            "stop": [id_ for id_ in body["running"] if id_ not in wanted],
            "forget": [id_ for id_ in body["finished"] if id_ not in wanted],
            "lease_seconds": self.lease_seconds,
            "refused_login": self.refused_login,
            **({} if self.shown is None else {"shown": self.shown}),
        }
