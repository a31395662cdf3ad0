"""No result stays at the station for ever, whatever a key, an algorithm or the server does."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.threads import wait_for_threads_of
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common.encryption import RSACryptor
from vantage6.common.errors import ConfigurationError
from vantage6.node.outcomes import Reason, reason_to_json
from vantage6.node.rules.audit import FILE_NAME, entries
from vantage6.node.rules.encryption import Agreement
from vantage6.node.rules.kept_outputs import copy_of
from vantage6.node.spool.spool import Entry
from vantage6.node.work.context import NodeContext
from vantage6.node.work.reconciler import Reconciler
from vantage6.node.work.scheduler import Scheduler

DONE = "print('patient 7'); open(os.environ['OUTPUT_FILE'], 'w').write('patient 7')"
REFUSED = (400, {"msg": "What is this?", "code": "invalid"})
AWAY = (503, {"msg": "Away.", "code": "unavailable"})
TAKEN = (200, {"id": 5})

Events = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def events(tmp_path: Path) -> Events:
    """Give a function that reads the audit file."""
    path = tmp_path / "data" / FILE_NAME
    return lambda name: [one for one in entries(path) if one["event"] == name]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> RSACryptor:
    """Give the key of the one organization, which asks and computes."""
    path = tmp_path_factory.mktemp("keys") / "own.pem"
    path.write_bytes(
        rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    return RSACryptor(path)


def is_idle(scheduler: Scheduler) -> bool:
    return scheduler.report() == ([], [])


def reports(wire: Wire) -> list[dict[str, Any]]:
    """Return what was told of results, without the word that one begins."""
    bodies = [asked.body for asked in wire.asked if asked.method == "PATCH"]
    return [body for body in bodies if "finished_at" in body]


def raise_defect(*_: Any, **__: Any) -> None:
    raise RuntimeError("a defect of the node")


def make_stuck(
    wire: Wire, context: NodeContext, scheduler: Scheduler, patch: pytest.MonkeyPatch
) -> None:
    """Have a computed result that no thread works on."""
    wire.add(5, DONE)
    patch.setattr(context.kept_outputs, "keep", raise_defect)
    scheduler.accept(5)
    eventually(lambda: 5 in scheduler._stuck)


def make_reconciler(context: NodeContext, scheduler: Scheduler) -> Reconciler:
    return Reconciler(
        context.server, scheduler, context.spool, context.runtime, 0, pytest.fail, pytest.fail
    )


def even(cryptor: RSACryptor) -> str:
    """Return what looks like the key of an organization, but has an even modulus."""
    der = bytearray(
        cryptor.private_key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    # Behind the modulus stands the exponent, in five bytes.
    der[-6] &= 0xFE
    lines = base64.encodebytes(der).decode()
    pem = f"-----BEGIN PUBLIC KEY-----\n{lines}-----END PUBLIC KEY-----\n"
    return base64.b64encode(pem.encode()).decode()


def test_a_key_that_cannot_encrypt_ends_the_result(
    wire: Wire,
    make_context: MakeContext,
    make_scheduler: MakeScheduler,
    own: RSACryptor,
) -> None:
    wire.encrypted = True
    wire.public_keys[1] = even(own)
    wire.add(5)
    wire.results[5]["input"] = own.encrypt_bytes_to_str(DONE.encode(), own.public_key_str)
    scheduler = make_scheduler(replace(make_context(), agreement=Agreement(own, encrypted=True)))
    scheduler.accept(5)
    eventually(lambda: is_idle(scheduler))
    result = wire.results[5]
    assert (result["status"], result["log"]) == ("failed", "")
    assert result["reason"]["code"] == "no_public_key"
    assert "patient" not in json.dumps(reports(wire))


def test_a_key_that_became_useless_ends_what_was_computed(
    wire: Wire,
    make_context: MakeContext,
    make_scheduler: MakeScheduler,
    own: RSACryptor,
) -> None:
    """It was accepted by an earlier life of the node, which looked less closely."""
    wire.public_keys[1] = own.public_key_str
    wire.add(5)
    wire.results[5]["input"] = own.encrypt_bytes_to_str(DONE.encode(), own.public_key_str)
    wire.answers["PATCH /result/5"] = AWAY
    context = replace(make_context(), agreement=Agreement(own, encrypted=True))
    first = make_scheduler(context)
    first.accept(5)
    eventually(lambda: first.report() == ([], [5]))
    first.leave()
    wait_for_threads_of(first)
    (entry,) = context.spool.entries()
    record = json.loads((entry.folder / "entry.json").read_text())
    record |= {"initiator_public_key": even(own), "initiator": None}
    (entry.folder / "entry.json").write_text(json.dumps(record))
    wire.answers.clear()
    second = make_scheduler(context)
    second.adopt()
    eventually(lambda: wire.ids("failed") == [5])
    assert wire.results[5]["reason"]["code"] == "no_public_key"
    assert wire.results[5]["log"] == ""
    eventually(lambda: is_idle(second))


@pytest.mark.parametrize(
    ("program", "status", "refusals"),
    [(DONE, "failed", 2), ("raise SystemExit('reason > patient 7')", "crashed", 1)],
    ids=["completed", "crashed"],
)
def test_what_the_server_refuses_is_told_without_a_word_of_it(
    wire: Wire,
    make_scheduler: MakeScheduler,
    events: Events,
    program: str,
    status: str,
    refusals: int,
) -> None:
    wire.add(5, program)
    wire.queued["PATCH /result/5"] = [TAKEN, *[REFUSED] * refusals]
    scheduler = make_scheduler(share_logs=True, share_errors=True)
    scheduler.accept(5)
    eventually(lambda: wire.ids(status) == [5])
    full, *_, bare = reports(wire)
    assert "patient" in full["log"]
    assert bare["log"] == ""
    assert "result" not in bare
    assert bare["reason"]["code"] == "upload_refused"
    assert "patient" not in json.dumps(bare)
    assert "What is this?" not in json.dumps(bare)
    first, *_, last = events("released")
    assert first["log_bytes"]
    assert (last["output_bytes"], last["log_bytes"]) == (0, 0)
    eventually(lambda: is_idle(scheduler))


def test_a_result_of_which_every_report_is_refused_ends_at_the_server(
    wire: Wire,
    make_context: MakeContext,
    make_scheduler: MakeScheduler,
    events: Events,
    tmp_path: Path,
) -> None:
    wire.add(5, DONE)
    wire.answers["PATCH /result/5"] = REFUSED
    # Asked again until the server answers.
    wire.queued["DELETE /result/5/claim"] = [AWAY]
    scheduler = make_scheduler(make_context(share_logs=False, keep_outputs_days=1))
    scheduler.accept(5)
    eventually(lambda: is_idle(scheduler))
    assert wire.results[5]["status"] == "failed"
    assert wire.results[5]["reason"]["code"] == "report_refused"
    assert [set(told) & {"result"} for told in reports(wire)] == [{"result"}, set(), set()]
    (dropped,) = events("dropped")
    assert dropped["result_id"] == 5
    assert "refuses every report" in dropped["message"]
    assert not list((tmp_path / "data" / "results").iterdir())
    assert copy_of(tmp_path / "data", 5, "output").read_text() == "patient 7"


def test_a_result_that_cannot_be_given_up_is_not_computed_again(
    wire: Wire, make_context: MakeContext, make_scheduler: MakeScheduler, events: Events
) -> None:
    """A server of an earlier version does not know how."""
    wire.add(5, DONE)
    wire.answers["PATCH /result/5"] = REFUSED
    wire.answers["DELETE /result/5/claim"] = (405, {"msg": "No.", "code": "http_405"})
    context = make_context(share_logs=False)
    scheduler = make_scheduler(context)
    scheduler.accept(5)
    eventually(lambda: events("dropped"))
    eventually(lambda: is_idle(scheduler))
    # The server offers it again, because it has not heard of an end.
    make_reconciler(context, scheduler).reconcile()
    assert wire.claims == [5]
    assert is_idle(scheduler)


def test_a_result_that_is_being_given_up_can_be_killed(
    wire: Wire, make_context: MakeContext, make_scheduler: MakeScheduler, events: Events
) -> None:
    wire.add(5, DONE)
    wire.answers |= {"PATCH /result/5": REFUSED, "DELETE /result/5/claim": AWAY}
    scheduler = make_scheduler(make_context(share_logs=False))
    scheduler.accept(5)
    eventually(lambda: any(asked.method == "DELETE" for asked in wire.asked))
    scheduler.kill(5)
    eventually(lambda: is_idle(scheduler))
    assert [one["message"] for one in events("dropped")] == ["killed"]


def test_an_audit_that_fails_keeps_no_dropped_result(
    wire: Wire,
    make_context: MakeContext,
    make_scheduler: MakeScheduler,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = make_context(share_logs=False)
    scheduler = make_scheduler(context)
    make_stuck(wire, context, scheduler, monkeypatch)
    monkeypatch.setattr(context.audit, "record", raise_defect)
    scheduler.kill(5)
    eventually(lambda: is_idle(scheduler))


def test_the_log_arrives_where_the_output_is_refused(
    wire: Wire, make_scheduler: MakeScheduler
) -> None:
    wire.add(5, DONE)
    wire.queued["PATCH /result/5"] = [TAKEN, REFUSED]
    make_scheduler(share_logs=True).accept(5)
    eventually(lambda: wire.ids("failed") == [5])
    assert "patient" in wire.results[5]["log"]
    assert "result" not in reports(wire)[-1]
    assert wire.results[5]["reason"]["code"] == "upload_refused"


def test_an_upload_that_breaks_off_is_sent_again(wire: Wire, make_scheduler: MakeScheduler) -> None:
    wire.add(5, DONE)
    broken = (400, {"msg": "The body breaks off.", "code": "body_incomplete"})
    wire.queued["PATCH /result/5"] = [TAKEN, broken]
    make_scheduler().accept(5)
    eventually(lambda: wire.ids("completed") == [5])
    assert "result" in reports(wire)[-1]


def test_a_file_of_keys_that_cannot_be_read_is_waited_for(
    wire: Wire,
    make_context: MakeContext,
    make_scheduler: MakeScheduler,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = make_context()
    read, calls = Entry.log, []

    def fail_once(entry: Entry) -> str:
        calls.append(entry)
        if len(calls) == 1:
            raise ConfigurationError("The file known_organizations.json is not JSON.")
        if len(calls) == 2:
            raise OSError("Too many open files")
        return read(entry)

    monkeypatch.setattr(Entry, "log", fail_once)
    wire.add(5, DONE)
    make_scheduler(context).accept(5)
    eventually(lambda: wire.ids("completed") == [5])
    assert len(calls) > 2
    assert "result" in reports(wire)[-1]


def test_a_stop_that_the_engine_failed_lets_nothing_leave_when_it_is_repeated(
    wire: Wire,
    make_context: MakeContext,
    make_scheduler: MakeScheduler,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = make_context()
    scheduler = make_scheduler(context)
    make_stuck(wire, context, scheduler, monkeypatch)
    monkeypatch.undo()
    with monkeypatch.context() as patch:
        patch.setattr(context.runtime, "kill", raise_defect)
        scheduler.stop_run(5, "enough", "admin")
        wait_for_threads_of(scheduler)
    scheduler.stop_run(5, "enough", "admin")
    eventually(lambda: is_idle(scheduler))
    (told,) = reports(wire)
    assert told["reason"]["code"] == "stopped_by_station"
    assert (told["log"], "result" in told) == ("", False)


def test_a_defect_while_a_result_is_delivered_ends_it_with_a_reason(
    wire: Wire,
    make_context: MakeContext,
    make_scheduler: MakeScheduler,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = make_context()
    keep, calls = context.kept_outputs.keep, []

    def fail_once(*what: Any) -> None:
        calls.append(what)
        if len(calls) == 1:
            raise_defect()
        keep(*what)

    monkeypatch.setattr(context.kept_outputs, "keep", fail_once)
    wire.add(5, DONE)
    make_scheduler(context).accept(5)
    eventually(lambda: wire.ids("failed") == [5])
    assert wire.results[5]["reason"]["code"] == "node_error"
    assert "patient" not in json.dumps(reports(wire))


@pytest.mark.parametrize(
    "message",
    ["a\0b", "a\x1b[2Jb", "a\ud800b", "a" * 5000, "\0" * 4000],
    ids=["NUL", "escape", "surrogate", "long", "long when escaped"],
)
def test_a_reason_holds_nothing_that_the_server_refuses(message: str) -> None:
    found = reason_to_json(Reason("exit_code", message))
    assert found is not None
    assert len(found["msg"]) <= 4096
    assert found["msg"].startswith(("a", "\\"))
    assert found["msg"].isprintable()
    found["msg"].encode()


def test_an_algorithm_with_a_nul_in_its_last_words_is_delivered(
    wire: Wire, make_scheduler: MakeScheduler
) -> None:
    wire.add(5, "raise SystemExit('reason > a\\0b')")
    make_scheduler().accept(5)
    eventually(lambda: wire.ids("crashed") == [5])
    message = wire.results[5]["reason"]["msg"]
    assert "\0" not in message
    assert message.endswith("a\\u0000b")


@pytest.mark.parametrize("how", ["doorbell", "killed", "removed"])
def test_a_stuck_result_that_the_server_kills_is_dropped_at_once(
    wire: Wire,
    make_context: MakeContext,
    make_scheduler: MakeScheduler,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    how: str,
) -> None:
    context = make_context(share_logs=False)
    scheduler = make_scheduler(context)
    make_stuck(wire, context, scheduler, monkeypatch)
    assert scheduler.report() == ([], [5])
    if how == "doorbell":
        scheduler.kill(5)
    else:
        wire.results[5]["status"] = "killed by user"
        if how == "removed":
            del wire.results[5]
        make_reconciler(context, scheduler).reconcile()
    eventually(lambda: is_idle(scheduler))
    assert [one["message"] for one in events("dropped")] == ["killed"]
    assert not list((tmp_path / "data" / "results").iterdir())
    assert not reports(wire)


def test_a_stuck_result_that_the_station_stops_is_told_at_once(
    wire: Wire,
    make_context: MakeContext,
    make_scheduler: MakeScheduler,
) -> None:
    context = make_context(share_logs=False)
    scheduler = make_scheduler(context)
    with pytest.MonkeyPatch.context() as patch:
        make_stuck(wire, context, scheduler, patch)
        # What keeps it here keeps the reason of the station here, too.
        scheduler.stop_run(5, "the wrong column", "root")
        eventually(lambda: 5 in scheduler._stuck)
    assert scheduler.stop_run(5, "the wrong column", "root") == {5: False}
    eventually(lambda: wire.ids("killed by user") == [5])
    assert wire.results[5]["reason"]["code"] == "stopped_by_station"
    assert "patient" not in json.dumps(reports(wire))
    eventually(lambda: is_idle(scheduler))


def test_what_cannot_be_cleaned_up_is_not_at_hand_any_more(
    wire: Wire,
    make_context: MakeContext,
    make_scheduler: MakeScheduler,
) -> None:
    context = make_context(share_logs=False)
    scheduler = make_scheduler(context)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(context.runtime, "remove", raise_defect)
        wire.add(5, DONE)
        scheduler.accept(5)
        eventually(lambda: wire.ids("completed") == [5])
        eventually(lambda: is_idle(scheduler))


def left_behind(wire: Wire, context: NodeContext, scheduler: Scheduler) -> None:
    """Have a life of the node leave a computed result behind."""
    wire.add(5, DONE)
    wire.answers["PATCH /result/5"] = AWAY
    scheduler.accept(5)
    eventually(lambda: scheduler.report() == ([], [5]))
    scheduler.leave()
    wait_for_threads_of(scheduler)
    wire.answers.clear()
    wire.asked.clear()


def test_what_the_server_no_longer_wants_goes_first_after_a_restart(
    wire: Wire,
    make_context: MakeContext,
    make_scheduler: MakeScheduler,
    events: Events,
    tmp_path: Path,
) -> None:
    context = make_context(share_logs=False)
    left_behind(wire, context, make_scheduler(context))
    del wire.results[5]
    released = len(events("released"))
    scheduler = make_scheduler(context)
    scheduler.adopt()
    eventually(lambda: is_idle(scheduler))
    assert len(events("released")) == released
    assert not reports(wire)
    assert [one["message"] for one in events("dropped")] == ["killed"]
    assert not list((tmp_path / "data" / "results").iterdir())


def test_a_server_that_does_not_answer_keeps_nothing_from_being_adopted(
    wire: Wire, make_context: MakeContext, make_scheduler: MakeScheduler
) -> None:
    context = make_context(share_logs=False)
    left_behind(wire, context, make_scheduler(context))
    wire.queued["POST /node/reconcile"] = [AWAY]
    make_scheduler(context).adopt()
    eventually(lambda: wire.ids("completed") == [5])


@pytest.mark.parametrize("kind", ["running", "finished"])
def test_more_results_than_the_server_compares_at_once_are_told_in_parts(
    wire: Wire,
    make_context: MakeContext,
    make_scheduler: MakeScheduler,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    context = make_context()
    scheduler = make_scheduler(context)
    many = list(range(1, 20_002))
    held = (many, []) if kind == "running" else ([], many)
    monkeypatch.setattr(scheduler, "report", lambda: held)
    make_reconciler(context, scheduler).reconcile()
    told = [asked.body[kind] for asked in wire.asked if asked.path == "/node/reconcile"]
    assert [len(part) for part in told] == [10_000, 10_000, 1]
    assert [id_ for part in told for id_ in part] == many
