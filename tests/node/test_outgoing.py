"""What an algorithm can say beside its inputs: a closed list, and each of it on record."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import Listen
from tests.node.listeners import NODE, base64_of
from tests.node.wire import Wire
from vantage6.common.encryption import RSACryptor
from vantage6.node.rules.audit import FILE_NAME, Audit, entries, hash_of
from vantage6.node.rules.result_audit import ResultAudit

SECRET = "SECRET"
INPUT = b'json.{"method": "sum"}'
#: What the clients of 3.11 send.
SENT = {
    "name": "subtask",
    "image": "registry.example:5000/a/b:1.0@sha256:" + "0" * 64,
    "collaboration_id": 1,
    "description": f"task from container on node_id={NODE}",
    "database": "default",
}


def body(**changes: Any) -> dict[str, Any]:
    """Return what an algorithm sends."""
    return {**SENT, "organizations": [{"id": 2, "input": base64_of(INPUT)}], **changes}


@pytest.fixture
def result_audit(tmp_path: Path, wire: Wire) -> Iterator[ResultAudit]:
    """Give the audit of a result, and a server that takes sub-tasks."""
    wire.answers["POST /task"] = (201, {"id": 9, "results": []})
    audit = Audit(tmp_path)
    yield ResultAudit(audit, 5)
    audit.close()


def lines(folder: Path) -> list[dict[str, Any]]:
    """Return what is on record of sub-tasks."""
    return [one for one in entries(folder / FILE_NAME) if one["event"] == "subtask"]


@pytest.mark.parametrize("encrypted", [True, False])
def test_what_clients_send_leaves_as_it_is_and_is_on_record(
    wire: Wire,
    listen: Listen,
    cryptors: list[RSACryptor],
    result_audit: ResultAudit,
    tmp_path: Path,
    encrypted: bool,
) -> None:
    wire.public_keys[2] = cryptors[1].public_key_str
    listener = listen(cryptors[0] if encrypted else None, result_audit=result_audit)
    assert listener.ask("POST", "/task", body())[0] == 200
    sent = wire.asked[-1].body
    sent.pop("organizations")
    assert sent == SENT
    (line,) = lines(tmp_path)
    assert {name: line[name] for name in SENT} == SENT


def test_no_text_of_an_algorithm_leaves_an_encrypted_collaboration(
    wire: Wire, listen: Listen, cryptors: list[RSACryptor], result_audit: ResultAudit
) -> None:
    wire.public_keys[2] = cryptors[1].public_key_str
    listener = listen(cryptors[0], result_audit=result_audit)
    texts = {"name": SECRET, "description": SECRET * 1000, "other": SECRET, "parent_id": 7}
    receivers = [{"id": 2, "input": base64_of(SECRET.encode()), "name": SECRET}]
    assert listener.ask("POST", "/task", body(organizations=receivers, **texts))[0] == 200
    sent = wire.asked[-1].body
    assert SECRET not in json.dumps(sent)
    assert sent.keys() == SENT.keys() | {"organizations"}
    assert [one.keys() for one in sent["organizations"]] == [{"id", "input"}]


def test_short_texts_leave_a_plain_collaboration_and_are_on_record(
    wire: Wire, listen: Listen, result_audit: ResultAudit, tmp_path: Path
) -> None:
    texts = {"name": "Umfang é", "description": "first round\nof two"}
    assert (
        listen(result_audit=result_audit).ask("POST", "/task", body(**texts, other=SECRET))[0]
        == 200
    )
    sent = wire.asked[-1].body
    assert {name: sent[name] for name in texts} == texts
    assert "other" not in sent
    assert {name: lines(tmp_path)[0][name] for name in texts} == texts


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "x" * 129},
        {"name": float("nan")},
        {"name": ["x"]},
        {"name": "\ud800"},
        {"description": "x" * 513},
        {"description": 5},
        {"description": "\0"},
        {"database": "x" * 65},
        {"database": "a b"},
        {"database": {"a": 1}},
        {"image": "a b"},
        {"image": "a" * 501},
        {"image": {"a": 1}},
        {"collaboration_id": SECRET},
        {"collaboration_id": 10**20},
        {"collaboration_id": float("nan")},
        {"organizations": 5},
        {"organizations": True},
        {"organizations": {"id": 2}},
        {"organizations": "22"},
        {"organizations": [{"id": 10**20, "input": ""}]},
        {"organizations": [{"id": float("inf"), "input": ""}]},
        {"organizations": [{"id": -1, "input": ""}]},
        {"organizations": [{"id": 2, "input": 5}]},
        {"organizations": [{"id": 2, "input": "\ud800"}]},
        {"organizations": [{"id": 2, "input": ""}, {"id": "2", "input": ""}]},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_other_forms_are_refused_before_anything_leaves_or_is_on_record(
    wire: Wire,
    listen: Listen,
    result_audit: ResultAudit,
    tmp_path: Path,
    changes: dict[str, Any],
) -> None:
    status, answer = listen(result_audit=result_audit).ask("POST", "/task", body(**changes))
    assert status == 400, answer
    assert answer["msg"]
    assert not wire.asked
    assert not lines(tmp_path)


@pytest.mark.parametrize("name", ["name", "description", "database", "collaboration_id", "image"])
def test_what_is_left_out_stays_left_out(
    wire: Wire, listen: Listen, result_audit: ResultAudit, name: str
) -> None:
    assert listen(result_audit=result_audit).ask("POST", "/task", body(**{name: None}))[0] == 200
    assert name not in wire.asked[-1].body


@pytest.mark.parametrize(
    "text", [base64_of(b"json.1") + SECRET, base64_of(b"json.1") + "\n" + SECRET, "!-$.%" * 9]
)
def test_what_leaves_in_plain_is_what_is_on_record(
    wire: Wire, listen: Listen, result_audit: ResultAudit, tmp_path: Path, text: str
) -> None:
    receivers = [{"id": 2, "input": text + base64_of(b"")}]
    listen(result_audit=result_audit).ask("POST", "/task", body(organizations=receivers))
    left = [one.body["organizations"][0]["input"] for one in wire.asked]
    assert not any(SECRET in one for one in left)
    recorded = [line["input_hashes"][0] for line in lines(tmp_path)]
    plain = {base64_of(one): hash_of(one) for one in (b"json.1", b"")}
    assert recorded == [plain[one] for one in left]


def test_parameters_are_numbers_and_yes_or_no(wire: Wire, listen: Listen) -> None:
    wire.answers["GET /organization"] = (200, [])
    asked = {
        "page=0002&per_page=50&collaboration_id=1": {
            "page": "2",
            "per_page": "50",
            "collaboration_id": "1",
        },
        "only_parent=True&include_children=false": {
            "only_parent": "true",
            "include_children": "false",
        },
        f"name={SECRET}&country={SECRET}&label={SECRET}&x={SECRET}": {},
        f"page={SECRET}&per_page=-1&collaboration_id={'1' * 11}&only_parent={SECRET}": {},
        f"page=1&page={SECRET}&include={SECRET}": {},
    }
    for query, left in asked.items():
        listen().ask("GET", f"/organization?{query}")
        assert wire.asked[-1].params == left


@pytest.mark.parametrize("query", ["page=1001", "per_page=1001", "collaboration_id=1000001"])
def test_a_number_carries_no_more_than_a_page_needs(wire: Wire, listen: Listen, query: str) -> None:
    assert listen().ask("GET", f"/organization?{query}")[0] == 400
    assert wire.asked == []


def test_addresses_are_chosen_by_their_label_at_the_node(wire: Wire, listen: Listen) -> None:
    path = "/vpn/algorithm/addresses"
    found = [{"label": "door", "port": 1}, {"label": None, "port": 2}]
    wire.answers[f"GET {path}"] = (200, {"addresses": found})
    assert listen().ask("GET", f"{path}?label=door") == (200, {"addresses": found[:1]})
    assert listen().ask("GET", f"{path}?label={SECRET}") == (200, {"addresses": []})
    assert listen().ask("GET", path) == (200, {"addresses": found})
    assert not any(one.params for one in wire.asked)


def test_a_number_in_a_path_has_one_spelling(wire: Wire, listen: Listen) -> None:
    wire.answers["GET /organization/10"] = (200, {})
    for spelled in ("10", "0010", "1_0", "%31%30", "%D9%A1%D9%A0"):
        assert listen().ask("GET", f"/organization/{spelled}")[0] in (200, 404)
    assert {one.path for one in wire.asked} == {"/organization/10"}
    for long in ("9" * 11, "9" * 4000, "0", "-1"):
        assert listen().ask("GET", f"/organization/{long}")[0] == 404
    assert {one.path for one in wire.asked} == {"/organization/10"}


@pytest.mark.parametrize("encrypted", [True, False])
def test_inputs_of_a_subtask_are_held_to_what_may_leave(
    wire: Wire,
    listen: Listen,
    cryptors: list[RSACryptor],
    result_audit: ResultAudit,
    tmp_path: Path,
    encrypted: bool,
) -> None:
    wire.public_keys = dict.fromkeys((1, 2), cryptors[1].public_key_str)
    policies = {"allowed_algorithms": ".*", "max_output_bytes": 100}
    listener = listen(
        cryptors[0] if encrypted else None, result_audit=result_audit, policies=policies
    )

    def ask(*inputs: bytes) -> tuple[int, Any]:
        receivers = [{"id": n, "input": base64_of(one)} for n, one in enumerate(inputs, 1)]
        return listener.ask("POST", "/task", body(organizations=receivers))

    for refused in ((b"x" * 101,), (b"x" * 60, b"y" * 41)):
        status, answer = ask(*refused)
        assert (status, answer["code"]) == (403, "output_not_allowed")
        assert "input of the sub-task has 101 bytes" in answer["msg"]
    assert not wire.asked
    assert not lines(tmp_path)
    # The same one for many takes out no more than one.
    for allowed in ((b"x" * 100,), (b"x" * 100, b"x" * 100), (b"x" * 50, b"y" * 50)):
        assert ask(*allowed)[0] == 200
    result_audit.conclude()
    counts = [one["counts"] for one in entries(tmp_path / FILE_NAME) if one["event"] == "contained"]
    assert counts[-1] == {"output_not_allowed": 2}
