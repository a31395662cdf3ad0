"""Which results the node opens for an algorithm: those of the sub-tasks that it made, and JSON."""

import hashlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import Listen, MakeScheduler
from tests.node.listeners import OWN_TASK, Listener, base64_of
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common.encoding import base64s_to_bytes
from vantage6.common.encryption import RSACryptor
from vantage6.node.proxy.subtasks import SubTasks
from vantage6.node.rules.audit import FILE_NAME, Audit, entries, hash_of
from vantage6.node.rules.result_audit import ResultAudit

#: A sub-task with two results, as the server answers its creation.
MADE = {"id": 9, "results": [{"id": 21}, {"id": 22}]}
BODY = {"organizations": [{"id": 2, "input": ""}]}


def events(folder: Path, event: str) -> list[dict[str, Any]]:
    """Return the events of a kind in the audit file."""
    return [entry for entry in entries(folder / FILE_NAME) if entry["event"] == event]


@pytest.fixture
def result_audit(tmp_path: Path) -> ResultAudit:
    """Give the audit of a result."""
    return ResultAudit(Audit(tmp_path), 5)


@pytest.fixture
def seal(cryptors: list[RSACryptor]) -> Callable[[bytes], str]:
    """Give a function that encrypts for the node's organization, as other stations do."""
    own, other = cryptors
    return lambda plain: other.encrypt_bytes_to_str(plain, own.public_key_str)


def make(listener: Listener, wire: Wire, body: dict[str, Any] = BODY) -> None:
    """Let an algorithm make the sub-task."""
    wire.answers["POST /task"] = (201, MADE)
    assert listener.ask("POST", "/task", body)[0] == 200


@pytest.mark.parametrize("form", ["task", "result", "page"])
def test_results_of_own_subtasks_are_opened_and_on_record(
    wire: Wire,
    listen: Listen,
    cryptors: list[RSACryptor],
    seal: Callable[[bytes], str],
    result_audit: ResultAudit,
    tmp_path: Path,
    form: str,
) -> None:
    listener = listen(cryptors[0], result_audit=result_audit)
    wire.public_keys[2] = cryptors[1].public_key_str
    make(listener, wire)
    sealed = {"id": 21, "result": seal(b"json.42"), "input": "of others", "log": "printed"}
    empty = {"id": 22, "result": None, "input": "of others", "log": None}
    rows = [sealed, empty]
    wire.answers["GET /task/9/result"] = (200, {"data": rows} if form == "page" else rows)
    wire.answers["GET /result/21"] = (200, sealed)
    query = "?include=metadata" if form == "page" else ""
    path = "/result/21" if form == "result" else f"/task/9/result{query}"
    for _ in range(3):
        status, answer = listener.ask("GET", path)
        assert status == 200
        found = answer["data"] if form == "page" else answer
        first = found if form == "result" else found[0]
        assert first == {"id": 21, "result": base64_of(b"json.42"), "input": None, "log": None}
    # Once in the audit, however often it is read.
    (line,) = events(tmp_path, "opened")
    digest = hashlib.sha256(b"json.42").hexdigest()
    assert line["result_id"] == 5
    known = {"id": 21, "task_id": 9, "bytes": 7, "hash": digest, "format": "json"}
    assert line["results"] == [known]


@pytest.mark.parametrize("foreign", [b"json.42", pickle.dumps(42), None])
@pytest.mark.parametrize("path", ["/task/9/result", "/result/21"])
def test_result_that_was_not_encrypted_does_not_get_into_an_algorithm(
    wire: Wire,
    listen: Listen,
    cryptors: list[RSACryptor],
    result_audit: ResultAudit,
    tmp_path: Path,
    path: str,
    foreign: bytes | None,
) -> None:
    """Whoever can write at the server could have put it there, or encrypted it for another."""
    own, other = cryptors
    text = base64_of(foreign) if foreign else own.encrypt_bytes_to_str(b"1", other.public_key_str)
    listener = listen(own, result_audit=result_audit)
    wire.public_keys[2] = other.public_key_str
    make(listener, wire)
    row = {"id": 21, "result": text}
    wire.answers |= {"GET /task/9/result": (200, [row]), "GET /result/21": (200, row)}
    status, answer = listener.ask("GET", path)
    assert (status, answer["code"]) == (403, "result_unreadable")
    assert "result" not in answer
    assert not events(tmp_path, "opened")


@pytest.mark.parametrize("path", ["/task/8/result", "/result/30"])
def test_results_of_other_tasks_are_refused_before_the_server_is_asked(
    wire: Wire,
    listen: Listen,
    cryptors: list[RSACryptor],
    seal: Callable[[bytes], str],
    result_audit: ResultAudit,
    tmp_path: Path,
    path: str,
) -> None:
    """The server shows them, and the key of the node opens them."""
    other = {"id": 30, "task": 8, "result": seal(b"json.42")}
    wire.answers["GET /task/8/result"] = (200, [other])
    wire.answers["GET /result/30"] = (200, other)
    listener = listen(cryptors[0], result_audit=result_audit)
    wire.public_keys[2] = cryptors[1].public_key_str
    make(listener, wire)
    before = len(wire.asked)
    status, answer = listener.ask("GET", path)
    assert (status, answer["code"]) == (403, "not_own_subtask")
    assert len(wire.asked) == before
    result_audit.conclude()
    assert events(tmp_path, "denied")[0]["kind"] == "not_own_subtask"
    assert events(tmp_path, "contained")[-1]["counts"] == {"not_own_subtask": 1}
    assert not events(tmp_path, "opened")


@pytest.mark.parametrize("encrypted", [True, False])
def test_result_of_another_task_in_the_answer_is_not_opened(
    wire: Wire,
    listen: Listen,
    cryptors: list[RSACryptor],
    seal: Callable[[bytes], str],
    encrypted: bool,
) -> None:
    listener = listen(cryptors[0] if encrypted else None)
    wire.public_keys[2] = cryptors[1].public_key_str
    make(listener, wire)
    text = seal(b"json.42") if encrypted else base64_of(b"json.42")
    row = {"id": 30, "result": text, "input": text, "log": "printed"}
    wire.answers["GET /task/9/result"] = wire.answers["GET /result/21"] = (200, [row])
    for path in ("/task/9/result", "/result/21"):
        (shown,) = listener.ask("GET", path)[1]
        assert shown == {"id": 30, "result": None, "input": None, "log": None}


def test_own_task_shows_where_its_algorithms_are_and_no_text(wire: Wire, listen: Listen) -> None:
    row = {"id": 5, "organization": 2, "ports": [], "result": base64_of(b"json.42"), "log": "x"}
    wire.answers[f"GET /task/{OWN_TASK}/result"] = (200, [row])
    status, (shown,) = listen().ask("GET", f"/task/{OWN_TASK}/result")
    assert status == 200
    assert shown == {**row, "result": None, "log": None}


def test_no_include_brings_results_past_the_node(wire: Wire, listen: Listen) -> None:
    wire.answers["GET /task/3"] = (200, {})
    for query in ("include=results", "include=results&include=metadata", "payload=true&x=1"):
        listen().ask("GET", f"/task/3?{query}")
        assert wire.asked[-1].params in ({}, {"include": "metadata"})


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        (pickle.dumps({"a": 1}), "legacy"),
        (b"pickle." + pickle.dumps(1), "pickle"),
        (b"rds.X", "rds"),
        (b'{"a": 1}', "legacy"),
        (b"(dp0\n.", "legacy"),
        (b"json", "legacy"),
        # `J` and the four bytes of a number, then a pickle that `pickle.loads` reads to its end.
        (b"JSON." + pickle.dumps(1, protocol=0), "legacy"),
        (b"Json.[1]", "legacy"),
        (b"jSON.[1]", "legacy"),
    ],
)
def test_results_that_are_not_json_do_not_get_into_an_algorithm(
    wire: Wire,
    listen: Listen,
    result_audit: ResultAudit,
    tmp_path: Path,
    payload: bytes,
    name: str,
) -> None:
    listener = listen(result_audit=result_audit)
    make(listener, wire)
    rows = [{"id": 21, "result": base64_of(b"json.1")}, {"id": 22, "result": base64_of(payload)}]
    wire.answers["GET /task/9/result"] = (200, rows)
    status, answer = listener.ask("GET", "/task/9/result")
    assert (status, answer["code"]) == (403, "pickle_not_allowed")
    for text in ("Result 22", f"({name})", "'output_format': 'json'", "policies.allow_pickle"):
        assert text in answer["msg"]
    assert not events(tmp_path, "opened")
    result_audit.conclude()
    assert events(tmp_path, "contained")[-1]["counts"] == {"pickle_not_allowed": 1}
    # Where the station allows it, the format is on record.
    open_listener = listen(result_audit=result_audit, allows_pickle=True)
    make(open_listener, wire)
    assert open_listener.ask("GET", "/task/9/result")[1] == rows
    (line,) = events(tmp_path, "opened")
    assert [one["format"] for one in line["results"]] == ["json", name]


def test_one_station_that_answers_wrongly_keeps_no_answer_of_the_others_back(
    wire: Wire,
    listen: Listen,
    cryptors: list[RSACryptor],
    seal: Callable[[bytes], str],
    result_audit: ResultAudit,
    tmp_path: Path,
) -> None:
    listener = listen(cryptors[0], result_audit=result_audit)
    wire.public_keys[2] = cryptors[1].public_key_str
    make(listener, wire)
    rows = [
        {"id": 21, "status": "completed", "result": seal(b"json.1")},
        {"id": 22, "status": "completed", "result": base64_of(b"json.2")},
    ]
    wire.answers["GET /task/9/result"] = (200, rows)
    assert listener.ask("GET", "/task/9/result")[0] == 403
    status, answer = listener.ask("GET", "/task/9/result?each=true")
    assert status == 200
    assert base64s_to_bytes(answer[0]["result"]) == b"json.1"
    assert (answer[1]["result"], answer[1]["status"]) == (None, "failed")
    assert answer[1]["reason"]["code"] == "result_unreadable"
    # It stays within the node.
    assert all("each" not in asked.params for asked in wire.asked)
    assert [one["id"] for line in events(tmp_path, "opened") for one in line["results"]] == [21]
    result_audit.conclude()
    assert events(tmp_path, "contained")[-1]["counts"] == {"result_unreadable": 2}


@pytest.mark.parametrize("payload", [b"", b"json.[1]", b"json.", b"json.not JSON"])
def test_what_is_read_as_json_gets_into_an_algorithm(
    wire: Wire, listen: Listen, payload: bytes
) -> None:
    listener = listen()
    make(listener, wire)
    rows = [{"id": 21, "result": base64_of(payload)}]
    wire.answers["GET /task/9/result"] = (200, rows)
    assert listener.ask("GET", "/task/9/result") == (200, rows)


def test_nothing_is_opened_that_cannot_be_written_down(
    wire: Wire, listen: Listen, tmp_path: Path
) -> None:
    audit = Audit(tmp_path)
    listener = listen(result_audit=ResultAudit(audit, 5))
    make(listener, wire)
    wire.answers["GET /task/9/result"] = (200, [{"id": 21, "result": base64_of(b"json.1")}])
    audit.close()
    status, answer = listener.ask("GET", "/task/9/result")
    assert status == 503
    assert "audit file" in answer["msg"]


def test_subtasks_are_remembered_across_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "subtasks"
    first = SubTasks(path)
    first.add(9, frozenset({22, 21}))
    first.add(10, frozenset())
    with path.open("ab") as file:
        file.write(b"11 2")  # cut off by a crash
    again = SubTasks(path)
    assert [task for task in range(8, 13) if again.has(task)] == [9, 10]
    assert [again.task_of(result) for result in (2, 20, 21, 22, 23)] == [None, None, 9, 9, None]
    assert [again.task_of(21, task) for task in (9, 10, 11)] == [9, None, None]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("parent", "initiator", "found"), [(OWN_TASK, 1, True), (OWN_TASK, 2, False), (8, 1, False)]
)
def test_subtask_whose_answer_was_lost_is_found_again(
    wire: Wire,
    listen: Listen,
    tmp_path: Path,
    parent: int,
    initiator: int,
    found: bool,
) -> None:
    path = tmp_path / "subtasks"
    listener = listen(made=SubTasks(path))
    rows = [{"id": 21, "result": base64_of(b"json.1")}]
    shown = {**MADE, "parent": {"id": parent}, "initiator": initiator}
    wire.answers |= {"GET /task/9": (200, shown), "GET /task/9/result": (200, rows)}
    # Nothing was lost: it is not even looked for.
    assert listener.ask("GET", "/task/9/result")[0] == 403
    assert not wire.asked
    wire.answers["POST /task"] = (200, "no task")
    wire.breaks = "POST /task"
    assert listener.ask("POST", "/task", BODY)[0] == 503
    assert listener.ask("GET", "/task/9/result")[0] == (200 if found else 403)
    again = SubTasks(path)
    assert again.has(9) == (again.task_of(22) == 9) == found
    # Only as many are found as were lost.
    other = {**shown, "id": 10, "parent": {"id": OWN_TASK}, "initiator": 1}
    wire.answers["GET /task/10"] = (200, other)
    wire.answers["GET /task/10/result"] = (200, rows)
    assert listener.ask("GET", "/task/10/result")[0] == (403 if found else 200)


def test_what_an_algorithm_sends_to_its_own_station_is_remembered_before_it_leaves(
    wire: Wire, listen: Listen, tmp_path: Path
) -> None:
    path = tmp_path / "subtasks"
    listener = listen(made=SubTasks(path))
    inputs = {1: b"json.1", 2: b"json.2"}
    body = {
        "organizations": [{"id": id_, "input": base64_of(input_)} for id_, input_ in inputs.items()]
    }
    own, other = hash_of(inputs[1]), hash_of(inputs[2])
    wire.breaks = "POST /task"
    assert listener.ask("POST", "/task", body)[0] == 503
    assert SubTasks(path).is_sent(9, 21, own)
    assert not SubTasks(path).is_sent(9, 21, other)
    # The first one came as task 8, and the second one is task 9: no third one has that input.
    assert SubTasks(path).take(8, 20, own)
    assert not SubTasks(path).is_sent(9, 21, own)
    wire.breaks = ""
    make(listener, wire, body)
    for made in (SubTasks(path), SubTasks(path)):
        assert made.is_sent(8, 20, own)
        assert made.take(9, 21, own)
        assert not made.is_sent(9, 23, own)
        assert not made.is_sent(10, 24, own)


PROGRAM = """
import json, time, urllib.request, urllib.error
def ask(path, body=None):
    request = urllib.request.Request(
        os.environ['HOST'] + ':' + os.environ['PORT'] + path,
        data=json.dumps(body).encode() if body else None,
        headers={'Authorization': 'Bearer ' + open(os.environ['TOKEN_FILE']).read(),
                 'Content-Type': 'application/json'})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except OSError:
        return None
ask('/task', {'organizations': [{'id': 2, 'input': ''}]})
open(os.environ['TEMPORARY_FOLDER'] + '/made', 'w').close()
while not os.path.exists(os.environ['TEMPORARY_FOLDER'] + '/go'):
    time.sleep(0.05)
found = None
while found is None:
    found = ask('/task/9/result')
json.dump(found, open(os.environ['OUTPUT_FILE'], 'w'))
"""


def test_central_algorithm_reads_its_subtasks_after_the_node_was_restarted(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    wire.answers["POST /task"] = (201, MADE)
    wire.answers["GET /task/9/result"] = (200, [{"id": 21, "result": base64_of(b"json.1")}])
    wire.add(5, PROGRAM)
    first = make_scheduler()
    first.accept(5)
    shared = tmp_path / "data" / "runs" / "1"
    eventually(lambda: (shared / "made").exists())
    first.leave()
    make_scheduler().adopt()
    (shared / "go").touch()
    eventually(lambda: wire.results[5]["status"] == "completed")
    (line,) = events(tmp_path / "data", "opened")
    assert line["results"][0]["id"] == 21
    assert json.loads(base64s_to_bytes(wire.results[5]["result"])) == [
        {"id": 21, "result": base64_of(b"json.1")}
    ]
