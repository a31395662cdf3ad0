"""In an encrypted collaboration what an algorithm prints leaves as its result does.

It is sealed and counted, and on record before it leaves.
"""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.threads import wait_for_threads_of
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common.encryption import DummyCryptor, RSACryptor, is_sealed
from vantage6.node.outcomes import Reason
from vantage6.node.rules.encryption import Agreement
from vantage6.node.work import context as station_module
from vantage6.node.work.scheduler import Scheduler

WRITE = "open(os.environ['OUTPUT_FILE'], 'w').write('done')"
WAIT = """import time
go = os.environ["TEMPORARY_FOLDER"] + "/go"
while not os.path.exists(go): time.sleep(0.02)
"""

MakeSealed = Callable[..., Scheduler]


@pytest.fixture
def cryptor(tmp_path: Path) -> RSACryptor:
    """Give the key of the one organization, which asks and computes."""
    RSACryptor.create_new_rsa_key(tmp_path / "key.pem")
    return RSACryptor(tmp_path / "key.pem")


@pytest.fixture
def make_sealed(
    wire: Wire, make_scheduler: MakeScheduler, make_context: MakeContext, cryptor: RSACryptor
) -> MakeSealed:
    """Give a function that makes the executor of a station that encrypts."""
    wire.encrypted = True
    wire.public_keys[1] = cryptor.public_key_str

    def make(**values: Any) -> Scheduler:
        agreement = Agreement(cryptor, encrypted=True)
        return make_scheduler(replace(make_context(**values), agreement=agreement))

    return make


def add(wire: Wire, cryptor: RSACryptor, program: str) -> None:
    wire.add(5)
    sealed = cryptor.encrypt_bytes_to_str(program.encode(), cryptor.public_key_str)
    wire.results[5]["input"] = sealed


def opened(cryptor: RSACryptor, text: str) -> str:
    assert is_sealed(text)
    return cryptor.decrypt_str_to_bytes(text).decode()


def events(folder: Path, *names: str) -> list[dict[str, Any]]:
    lines = (folder / "data" / "audit.jsonl").read_text().splitlines()
    return [entry for entry in map(json.loads, lines) if entry["event"] in names]


def sent(wire: Wire) -> str:
    """Return everything that the station reported, as the server could read it."""
    return json.dumps([asked.body for asked in wire.asked if asked.method == "PATCH"])


def test_the_final_log_is_sealed_and_counted(
    wire: Wire, make_sealed: MakeSealed, cryptor: RSACryptor, tmp_path: Path
) -> None:
    add(wire, cryptor, "print('patient 7 é');" + WRITE)
    make_sealed().accept(5)
    eventually(lambda: wire.ids("completed") == [5])
    assert opened(cryptor, wire.results[5]["log"]) == "patient 7 é\n"
    (released,) = events(tmp_path, "released")
    assert released["log_bytes"] == len("patient 7 é\n".encode())
    assert len(released["log_hash"]) == 64


def test_a_crash_tells_the_server_nothing_of_the_log(
    wire: Wire, make_sealed: MakeSealed, cryptor: RSACryptor
) -> None:
    add(wire, cryptor, "raise SystemExit('patient 7')")
    make_sealed().accept(5)
    eventually(lambda: wire.ids("crashed") == [5])
    assert wire.results[5]["reason"]["code"] == "exit_code"
    assert "patient" not in sent(wire)
    assert "patient 7" in opened(cryptor, wire.results[5]["log"])


def test_the_log_is_sealed_while_the_algorithm_runs_and_on_record_before(
    wire: Wire,
    make_sealed: MakeSealed,
    cryptor: RSACryptor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(station_module, "_LOG_SECONDS", 0.1)
    add(wire, cryptor, "print('patient 7', flush=True)\n" + WAIT + WRITE)
    make_sealed().accept(5)
    eventually(lambda: "log" in wire.results[5])
    assert opened(cryptor, wire.results[5]["log"]) == "patient 7\n"
    (line,) = events(tmp_path, "live_log")
    assert line["at_most_bytes"] >= len("patient 7\n")
    (tmp_path / "data" / "runs" / "1" / "go").touch()
    eventually(lambda: wire.ids("completed") == [5])
    assert "patient" not in sent(wire)
    _, last = events(tmp_path, "live_log")
    assert last["sent_bytes"] == len("patient 7\n") * last["times"]


def test_many_live_lines_leave_a_handful_in_the_record(
    wire: Wire,
    make_scheduler: MakeScheduler,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(station_module, "_LOG_SECONDS", 0.01)
    program = (
        "import time\nfor i in range(60): print('x' * 30000, i, flush=True); time.sleep(0.02)\n"
    )
    wire.add(5, program + WRITE)
    make_scheduler().accept(5)
    eventually(lambda: wire.ids("completed") == [5])
    lines = events(tmp_path, "live_log")
    assert lines[-1]["times"] > 5
    assert len(lines) <= 8
    assert lines[-1]["sent_bytes"] <= lines[-2]["at_most_bytes"]


def test_nothing_printed_leaves_that_cannot_be_recorded(
    wire: Wire,
    make_scheduler: MakeScheduler,
    make_context: MakeContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(station_module, "_LOG_SECONDS", 0.05)
    wire.add(5, "print('patient 7', flush=True)\n" + WAIT + WRITE)
    context = make_context()
    scheduler = make_scheduler(context)
    note = context.audit.note

    def full(event: str, **facts: Any) -> int:
        if event == "live_log":
            raise OSError("No space left on device")
        return note(event, **facts)

    monkeypatch.setattr(context.audit, "note", full)
    scheduler.accept(5)
    eventually(lambda: wire.ids("active") == [5])
    eventually(lambda: (context.spool.temporary(1)).exists())
    time.sleep(0.5)
    assert "log" not in wire.results[5]
    (context.spool.temporary(1) / "go").touch()
    eventually(lambda: wire.ids("completed") == [5])


@pytest.mark.parametrize("cause", ["no key", "no agreement"])
def test_a_log_that_cannot_be_sealed_stays(
    wire: Wire,
    make_scheduler: MakeScheduler,
    make_context: MakeContext,
    make_sealed: MakeSealed,
    cryptor: RSACryptor,
    cause: str,
) -> None:
    """It was computed by an earlier life of the node; meanwhile everything was set up anew."""
    add(wire, cryptor, "print('patient 7');" + WRITE)
    scheduler = make_sealed()
    wire.answers["PATCH /result/5"] = (503, {"msg": "away"})
    scheduler.accept(5)
    eventually(lambda: scheduler.report()[1] == [5])
    scheduler.leave()
    wait_for_threads_of(scheduler)
    (folder,) = (scheduler._context.spool.entries()[0].folder,)
    if cause == "no key":
        record = json.loads((folder / "entry.json").read_text())
        (folder / "entry.json").write_text(json.dumps({**record, "initiator_public_key": "QQ=="}))
        agreement = Agreement(cryptor, encrypted=True)
    else:
        agreement = Agreement(DummyCryptor(), encrypted=True, refusal=Reason("x", "They differ."))
    del wire.answers["PATCH /result/5"]
    wire.asked.clear()
    make_scheduler(replace(make_context(), agreement=agreement)).adopt()
    eventually(lambda: wire.ids("failed") == [5])
    assert wire.results[5]["log"] == ""
    assert base64.b64encode(b"patient").decode()[:8] not in sent(wire)
    assert "patient" not in sent(wire)
