"""Requests: addresses, errors by status, retries, time-outs."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from vantage6.client import session as session_module
from vantage6.client.session import NoReply, NotTheServer, Session
from vantage6.common.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TooMany,
    Unauthenticated,
    Unavailable,
    V6Error,
)
from vantage6.sandbox.ports import free_port

OPENAPI = Path(__file__).parents[1] / "api/openapi.json"


@pytest.fixture
def session(peer) -> Iterator[Session]:
    with closing(Session(peer.address, None, "/api")) as session:
        yield session


@pytest.mark.parametrize(
    ("host", "port", "path", "expected"),
    [
        ("https://v6.org", 443, "/api", "https://v6.org:443/api/task"),
        ("https://v6.org/", "", "", "https://v6.org/task"),
        ("http://localhost", "5000", "api/", "http://localhost:5000/api/task"),
        ("http://proxyserver", 8080, None, "http://proxyserver:8080/task"),
    ],
)
def test_address_is_put_together(host, port, path, expected) -> None:
    session = Session(host, port, path)
    assert session.url("task") == session.url("/task") == expected


def test_address_without_scheme_is_refused() -> None:
    with pytest.raises(Invalid, match="must start with https://"):
        Session("v6.org", 443, "/api")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "result_finished", Invalid),
        (422, None, Invalid),
        (401, None, Unauthenticated),
        (401, "unauthenticated", Unauthenticated),
        (401, "forbidden", Forbidden),
        (403, None, Forbidden),
        (404, "not_found", NotFound),
        (409, "conflict", Conflict),
        (429, None, TooMany),
        (500, None, Unavailable),
        (503, "unavailable", Unavailable),
    ],
)
def test_status_becomes_an_error(peer, session, status, code, kind) -> None:
    peer.answers["GET thing"] = (status, {"msg": "no", "code": code, "request_id": "r1"})
    with pytest.raises(V6Error) as refusal:
        session.request("get", "thing")
    assert type(refusal.value) is kind
    assert refusal.value.message == "no"
    assert refusal.value.error_code == (code or kind.code)
    assert refusal.value.__notes__ == ["request id: r1"]


@pytest.mark.parametrize(("header", "seconds"), [("17", 17), ("Mon, 01 Jan", 60), (None, 60)])
def test_too_many_requests_say_when_to_come_back(header, seconds) -> None:
    told = f"Retry-After: {header}\r\n" if header else ""
    answer = f"HTTP/1.1 429 No\r\n{told}Content-Length: 2\r\n\r\n{{}}"
    with _raw_server([[answer]]) as (session, _), pytest.raises(TooMany) as refusal:
        session.request("post", "token/user", json={})
    assert refusal.value.retry_after == seconds


def test_message_of_the_original_parser_is_shown(peer, session) -> None:
    peer.answers["POST user"] = (400, {"message": {"email": "missing"}})
    with pytest.raises(Invalid, match="email"):
        session.request("post", "user", json={})


def test_page_instead_of_json_is_explained(peer, session) -> None:
    peer.answers |= {"GET a": (200, "<html>"), "GET b": (502, "<html>")}
    with pytest.raises(NotTheServer, match="answers 200, but not as a server of this system"):
        session.request("get", "a")
    with pytest.raises(Unavailable, match="502"):
        session.request("get", "b")


def test_redirect_names_the_new_address(peer, session) -> None:
    peer.answers["GET a"] = (301, "moved")
    with pytest.raises(NotTheServer, match="has moved"):
        session.request("get", "a")


def test_absent_parameters_are_left_out_and_lists_repeated(peer, session) -> None:
    peer.answers["GET task"] = (200, [])
    session.request("get", "task", params={"a": None, "include": ["x", "y"], "b": 1}, token="t")
    assert peer.asked[0].query == {"include": ["x", "y"], "b": "1"}
    assert peer.asked[0].token == "t"


def test_empty_reply_is_none(peer, session) -> None:
    peer.answers["DELETE a"] = (204, None)
    assert session.request("delete", "a") is None


def test_unreachable_server_is_named_after_few_attempts() -> None:
    with closing(Session("http://127.0.0.1", free_port(), "")) as session:
        started = time.monotonic()
        with pytest.raises(NoReply, match="does not answer"):
            session.request("post", "task", json={})
        posted = time.monotonic() - started
        with pytest.raises(NoReply, match="does not answer"):
            session.request("get", "task")
        got = time.monotonic() - started - posted
    assert posted < 0.2 < 0.5 < got < 5  # a POST is tried once, a GET three times


@contextmanager
def _raw_server(answers: list[list[str]]) -> Iterator[tuple[Session, list[bytes]]]:
    """Give a session and what it asks; a connection closes after the last answer for it."""
    asked: list[bytes] = []

    def serve(server: socket.socket) -> None:
        for on_this_connection in answers:
            connection, _ = server.accept()
            with connection:
                for answer in on_this_connection:
                    if request := connection.recv(4096):
                        asked.append(request)
                        connection.sendall(answer.encode())

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        with closing(Session("http://127.0.0.1", server.getsockname()[1], "")) as session:
            yield session, asked
        for _ in answers:  # those that were rightly not used
            socket.create_connection(server.getsockname()).close()
        thread.join()


def test_request_that_never_connected_is_sent_again_when_safe() -> None:
    port = free_port()

    def serve_late() -> None:
        time.sleep(0.3)
        with socket.create_server(("127.0.0.1", port)) as server:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    thread = threading.Thread(target=serve_late)
    thread.start()
    with closing(Session("http://127.0.0.1", port, "")) as session:
        assert session.request("get", "version") == {}
    thread.join()


@pytest.mark.parametrize("method", ["get", "post"])
def test_silent_server_is_given_up_without_a_second_request(method) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        session = Session("http://127.0.0.1", server.getsockname()[1], "", timeout=0.2)
        with closing(session), pytest.raises(NoReply, match="did not answer in time"):
            session.request(method, "task")
        server.settimeout(0.1)
        connection, _ = server.accept()
        connection.close()
        with pytest.raises(TimeoutError):
            server.accept()


_FINE = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_change_is_not_repeated_when_the_connection_breaks(method) -> None:
    with (
        _raw_server([[""], [_FINE]]) as (session, asked),
        pytest.raises(NoReply, match="broke the connection"),
    ):
        session.request(method, "task", json={})
    assert len(asked) == 1


def test_reading_is_repeated_when_the_connection_breaks() -> None:
    with _raw_server([[""], [_FINE]]) as (session, asked):
        assert session.request("get", "task") == {}
    assert len(asked) == 2


@pytest.mark.parametrize("method", ["get", "post"])
def test_answer_that_breaks_off_is_read_again_only_when_safe(method) -> None:
    broken = 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"id": 1'
    with _raw_server([[broken], [_FINE]]) as (session, asked):
        if method == "get":
            assert session.request(method, "task") == {}
        else:
            with pytest.raises(NoReply, match="broke the connection"):
                session.request(method, "task", json={})
    assert len(asked) == (2 if method == "get" else 1)


_KEEPS = _FINE.replace("\r\n\r\n", "\r\nX-Idempotency-Seconds: 86400\r\n\r\n")


def test_what_creates_is_sent_again_under_its_key_to_a_server_that_knows_keys() -> None:
    with _raw_server([[_KEEPS], [""], [_FINE]]) as (session, asked):
        session.request("get", "version")
        session.request("post", "task")
    first, again = asked[1:]
    assert first == again
    assert b"idempotency-key: " in first.lower()


def test_each_creation_has_its_own_key_and_nothing_else_has_one() -> None:
    with _raw_server([[_KEEPS, _FINE, _FINE, _FINE]]) as (session, asked):
        session.request("get", "task")
        session.request("post", "task")
        session.request("post", "/task")
        session.request("post", "kill/task")
    keys = [re.findall(rb"idempotency-key: (\S+)", sent.lower()) for sent in asked]
    assert [len(found) for found in keys] == [0, 1, 1, 0]
    assert keys[1] != keys[2]


def test_the_client_knows_which_routes_keep_their_answers() -> None:
    creating = {
        path.strip("/")
        for path, verbs in json.loads(OPENAPI.read_text())["paths"].items()
        if "{" not in path
        for parameter in verbs.get("post", {}).get("parameters", ())
        if parameter["name"] == "Idempotency-Key"
    }
    assert creating == session_module._CREATING


def test_reading_is_given_up_when_every_connection_breaks() -> None:
    with (
        _raw_server([[""]] * 3) as (session, asked),
        pytest.raises(NoReply, match="broke the connection"),
    ):
        session.request("get", "task")
    assert len(asked) == 3


def test_one_connection_serves_many_requests() -> None:
    with _raw_server([[_FINE] * 3]) as (session, asked):
        for _ in range(3):
            session.request("get", "task")
    assert len(asked) == 3
