"""What an algorithm can and cannot say through its node, over real sockets."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import Listen
from tests.node.listeners import NODE, OWN_TASK, SERVER_TOKEN, TOKENS, Listener, base64_of
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common import known_keys
from vantage6.common.config.node import LimitConfig
from vantage6.common.encryption import DummyCryptor, RSACryptor
from vantage6.common.known_keys import KnownKeys
from vantage6.node.proxy.app import Algorithm, Proxy
from vantage6.node.proxy.server import ProxyServer
from vantage6.node.proxy.subtasks import SubTasks
from vantage6.node.proxy.upstream import Upstream
from vantage6.node.rules.audit import FILE_NAME, Audit, entries
from vantage6.node.rules.quota import Quota, Quotas
from vantage6.node.rules.result_audit import ResultAudit


@pytest.mark.parametrize("token", [None, "", "another-token", "own-token2", SERVER_TOKEN])
def test_only_the_own_token_opens_the_listener(wire: Wire, listen: Listen, token: str) -> None:
    status, answer = listen().ask("GET", "/organization/1", token=token)
    assert status == 401
    assert "TOKEN_FILE" in answer["msg"]
    assert not wire.asked


@pytest.mark.parametrize(
    "path",
    [
        "/task/3",
        "/organization",
        "/organization/2",
        "/collaboration/1",
        "/collaboration/1/organization",
        "/node/7",
        "/vpn/algorithm/addresses",
        "/version",
        "/health",
    ],
)
def test_reading_passes_with_the_own_token(wire: Wire, listen: Listen, path: str) -> None:
    wire.answers[f"GET {path}"] = (200, {"seen": path})
    assert listen().ask("GET", f"{path}?page=2") == (200, {"seen": path})
    [asked] = wire.asked
    assert asked.params == {"page": "2"}
    assert asked.authorization == f"Bearer {SERVER_TOKEN}"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/user"),
        ("GET", "/collaboration/2"),
        ("GET", "/collaboration/2/organization"),
        ("GET", "/task"),
        ("GET", "/task/../user"),
        ("GET", "/task/x"),
        ("GET", "/result"),
        ("POST", "/token/node"),
        ("POST", "/organization/1"),
        ("PATCH", "/result/1"),
        ("PATCH", "/organization/1"),
        ("DELETE", "/task/3"),
        ("PUT", "/task/3"),
        ("POST", "/result/1/claim"),
    ],
)
def test_everything_else_is_refused(wire: Wire, listen: Listen, method: str, path: str) -> None:
    status, _ = listen().ask(method, path, body={} if method != "GET" else None)
    assert status in {404, 405}
    assert not wire.asked


def test_refusal_of_the_server_is_passed_on(wire: Wire, listen: Listen) -> None:
    unknown = {"msg": "No such task.", "code": "not_found", "request_id": "r1"}
    wire.answers["GET /task/3"] = (404, unknown)
    assert listen().ask("GET", "/task/3") == (404, unknown)
    refused = {"msg": "You may not.", "code": "forbidden", "request_id": "r1"}
    wire.answers["POST /task"] = (401, refused)
    body = {"organizations": [{"id": 2, "input": ""}]}
    assert listen().ask("POST", "/task", body) == (401, refused)


def test_server_that_is_away_gives_503(wire: Wire, listen: Listen) -> None:
    listener = listen()
    wire.__exit__()
    status, answer = listener.ask("GET", "/task/3")
    assert status == 503
    assert "server" in answer["msg"]
    wire.__enter__()


def test_subtask_passes_in_plain_without_encryption(wire: Wire, listen: Listen) -> None:
    wire.answers["POST /task"] = (201, {"id": 9, "results": []})
    body = {
        "name": "sub",
        "image": "x",
        "collaboration_id": 1,
        "organizations": [{"id": 2, "input": base64_of(b"\x80pickle")}],
    }
    assert listen().ask("POST", "/task", body) == (200, {"id": 9, "results": []})
    assert wire.asked[-1].body == body


def test_failed_creation_is_not_repeated(wire: Wire, listen: Listen) -> None:
    wire.answers["POST /task"] = (500, {"msg": "Broken.", "code": "server_error"})
    status, _ = listen().ask("POST", "/task", {"organizations": [{"id": 2, "input": ""}]})
    assert status == 500
    assert len(wire.asked) == 1


@pytest.mark.parametrize("body", [{}, {"organizations": []}, [], "text", None])
def test_subtask_needs_organizations(wire: Wire, listen: Listen, body: Any) -> None:
    status, answer = listen().ask("POST", "/task", body)
    assert status == 400
    assert answer["msg"]
    assert not wire.asked


def test_input_is_encrypted_for_each_receiver(
    wire: Wire, listen: Listen, cryptors: list[RSACryptor]
) -> None:
    wire.public_keys = {1: cryptors[0].public_key_str, 2: cryptors[1].public_key_str}
    wire.answers["POST /task"] = (201, {"id": 9, "results": []})
    receivers = [{"id": id_, "input": base64_of(b"plain")} for id_ in (1, 2)]
    listener = listen(cryptors[0])
    for _ in range(2):
        status, _ = listener.ask("POST", "/task", {"name": "sub", "organizations": receivers})
        assert status == 200
    sent = wire.asked[-1].body
    assert sent["name"] == "subtask"
    for cryptor, receiver in zip(cryptors, sent["organizations"], strict=True):
        assert cryptor.decrypt_str_to_bytes(receiver["input"]) == b"plain"
    assert [asked.path for asked in wire.asked].count("/organization/2") == 1


def test_input_is_not_encrypted_for_a_key_that_the_server_put_in_place_of_another(
    wire: Wire, listen: Listen, cryptors: list[RSACryptor], tmp_path: Path
) -> None:
    first, second = (cryptor.public_key_str for cryptor in cryptors)
    wire.answers["POST /task"] = (201, {"id": 9, "results": []})
    body = {"organizations": [{"id": 2, "input": base64_of(b"plain")}]}
    wire.public_keys[2] = first
    assert listen(cryptors[0]).ask("POST", "/task", body)[0] == 200
    wire.public_keys[2] = second
    with ExitStack() as stack:
        (tmp_path / "audit").mkdir()
        audit = Audit(tmp_path / "audit")
        stack.callback(audit.close)
        listener = listen(cryptors[0], result_audit=ResultAudit(audit, 5))
        status, answer = listener.ask("POST", "/task", body)
    assert (status, answer["code"]) == (400, "organization_key_changed")
    assert RSACryptor.fingerprint(first) in answer["msg"]
    assert RSACryptor.fingerprint(second) in answer["msg"]
    assert [asked.method for asked in wire.asked].count("POST") == 1
    kinds = [one.get("kind") for one in entries(tmp_path / "audit" / FILE_NAME)]
    # What did not leave is not on record as a sub-task.
    assert kinds == ["key_refused"]


def test_keys_of_many_receivers_are_looked_up_and_remembered_at_once(
    wire: Wire,
    listen: Listen,
    cryptors: list[RSACryptor],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    read, wrote = KnownKeys._servers, known_keys.write_private
    counts = {"read": 0, "written": 0}

    def reading(known: KnownKeys) -> dict[str, Any]:
        counts["read"] += 1
        return read(known)

    def writing(path: Path, content: str) -> None:
        counts["written"] += 1
        wrote(path, content)

    monkeypatch.setattr(KnownKeys, "_servers", reading)
    monkeypatch.setattr(known_keys, "write_private", writing)
    wire.answers["POST /task"] = (201, {"id": 9, "results": []})
    wire.public_keys = dict.fromkeys(range(1, 41), cryptors[1].public_key_str)
    receivers = [{"id": id_, "input": base64_of(b"plain")} for id_ in wire.public_keys]
    assert listen(cryptors[0]).ask("POST", "/task", {"organizations": receivers})[0] == 200
    assert counts["read"] <= 4
    assert counts["written"] == 1
    assert KnownKeys(tmp_path / "known.json").all().keys() == wire.public_keys.keys()


@pytest.mark.parametrize("key", ["", "LS0t"])
def test_receiver_without_key_is_named(
    wire: Wire, listen: Listen, cryptors: list[RSACryptor], key: str
) -> None:
    wire.public_keys[2] = key
    body = {"organizations": [{"id": 2, "input": ""}]}
    status, answer = listen(cryptors[0]).ask("POST", "/task", body)
    assert status == 400
    assert "rganization 2" in answer["msg"]


@pytest.mark.parametrize("receiver", [{"input": ""}, {"id": "x"}, 5, {"id": 2, "input": "a"}])
def test_garbled_receiver_is_refused(
    listen: Listen, cryptors: list[RSACryptor], receiver: Any
) -> None:
    status, _ = listen(cryptors[0]).ask("POST", "/task", {"organizations": [receiver]})
    assert status == 400


def test_body_above_the_limit_is_refused(wire: Wire, listen: Listen) -> None:
    listener = listen(request_bytes=10_000)
    status, _ = listener.ask("POST", "/task", {"organizations": ["x" * 9_000]})
    assert status == 400
    status, _ = listener.ask("POST", "/task", {"organizations": ["x" * 20_000]})
    assert status == 413


def kinds(result_audit: ResultAudit, folder: Path) -> dict[str, int]:
    """Return what the audit file says in the end."""
    result_audit.conclude()
    found = [entry for entry in entries(folder / FILE_NAME) if entry["event"] == "contained"]
    return found[-1]["counts"] if found else {}


@pytest.fixture
def result_audit(tmp_path: Path) -> Iterator[ResultAudit]:
    """Give the audit of a result."""
    audit = Audit(tmp_path)
    yield ResultAudit(audit, 5)
    audit.close()


def test_refusals_are_counted_by_kind(
    wire: Wire, listen: Listen, result_audit: ResultAudit, tmp_path: Path
) -> None:
    wire.answers["GET /task/3"] = (401, {"msg": "Not yours.", "code": "forbidden"})
    listener = listen(result_audit=result_audit, request_bytes=10_000)
    for method, path in (
        ("GET", "/user"),
        ("GET", "/role"),
        ("DELETE", "/task"),
        ("GET", "/task/3"),
    ):
        listener.ask(method, path)
    listener.ask("GET", "/organization/1", token="another")
    listener.ask("POST", "/task", "x" * 20_000)
    assert kinds(result_audit, tmp_path) == {
        "path_closed": 2,
        "method_closed": 1,
        "refused_by_server": 1,
        "wrong_token": 1,
        "request_too_large": 1,
    }


def test_garbled_requests_are_counted(
    listen: Listen, result_audit: ResultAudit, tmp_path: Path
) -> None:
    listener = listen(result_audit=result_audit)
    with socket.create_connection(("127.0.0.1", listener.port), timeout=10) as caller:
        caller.sendall(b"\x00\x01 nonsense\r\nContent-Length: -5\r\n\r\n")
        assert b" 400 " in caller.recv(1000)
    assert kinds(result_audit, tmp_path) == {"request_garbled": 1}


def test_full_listener_is_counted_and_opens_again(
    wire: Wire, listen: Listen, result_audit: ResultAudit, tmp_path: Path
) -> None:
    wire.answers["GET /version"] = (200, {})
    listener = listen(result_audit=result_audit)
    with ExitStack() as held:
        for _ in range(40):
            held.enter_context(socket.create_connection(("127.0.0.1", listener.port), timeout=10))
        eventually(lambda: kinds(result_audit, tmp_path) == {"proxy_full": 1})
    assert listener.ask("GET", "/version")[0] == 200


def test_subtasks_above_the_limit_are_refused(
    wire: Wire, listen: Listen, result_audit: ResultAudit, tmp_path: Path
) -> None:
    wire.answers["POST /task"] = (201, {"id": 9, "results": []})
    quotas = Quotas(LimitConfig(subtasks=3))
    body = {"organizations": [{"id": 2, "input": ""}]}
    listener = listen(result_audit=result_audit, quota=quotas.of(1))
    # What is not valid does not count.
    assert listener.ask("POST", "/task", {})[0] == 400
    assert [listener.ask("POST", "/task", body)[0] for _ in range(3)] == [200, 200, 200]
    for number in (1, 2):
        status, answer = listener.ask("POST", "/task", body)
        assert (status, answer["code"]) == (429, "too_many_subtasks")
        assert "allows 3 sub-tasks" in answer["msg"]
        assert kinds(result_audit, tmp_path) == {"too_many_subtasks": number}
    assert len([asked for asked in wire.asked if asked.path == "/task"]) == 3
    # All results of the run share it; other runs do not.
    assert listen(quota=quotas.of(1)).ask("POST", "/task", body)[0] == 429
    assert listen(quota=quotas.of(2)).ask("POST", "/task", body)[0] == 200


def test_subtasks_are_limited_by_the_minute_too(wire: Wire, listen: Listen) -> None:
    wire.answers["POST /task"] = (201, {"id": 9, "results": []})
    body = {"organizations": [{"id": 2, "input": ""}]}
    listener = listen(quota=Quota(LimitConfig(subtasks_per_minute=2)))
    assert [listener.ask("POST", "/task", body)[0] for _ in range(3)] == [200, 200, 429]
    _, answer = listener.ask("POST", "/task", body)
    assert 50 < int(answer["msg"].split()[-2]) <= 60


def test_runs_that_are_long_past_are_forgotten() -> None:
    quotas = Quotas(LimitConfig())
    first, second = quotas.of(1), quotas.of(2)
    for run_id in range(3, 1026):
        assert quotas.of(run_id) is quotas.of(run_id)
        assert quotas.of(1) is first
    assert quotas.of(2) is not second


def test_closed_listener_lets_nobody_in_and_leaves_no_thread(wire: Wire, tmp_path: Path) -> None:
    upstream = Upstream(f"http://127.0.0.1:{wire.port}/api")
    quota = Quota(LimitConfig())
    algorithm = Algorithm(OWN_TASK, 1, NODE, TOKENS, ResultAudit(None, 5), quota, SubTasks())
    proxy = Proxy(
        upstream,
        None,
        DummyCryptor(),
        1,
        algorithm,
        allows_pickle=False,
        may_leave=lambda *_: None,
        reply_bytes=10**7,
    )
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    keeper = ProxyServer(listener, proxy.app, 10**6)
    assert Listener(port).ask("GET", "/version")[0] == 404
    keeper.close()
    eventually(lambda: not keeper.is_open)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    upstream.close()
