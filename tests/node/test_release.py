"""No output leaves before its verdict is on record, and a refused one never leaves."""

import base64
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.node.release import held_outputs
from vantage6.node.release.held_outputs import HeldOutputs
from vantage6.node.release.judgements import read_judgement
from vantage6.node.rules.audit import entries, hash_of
from vantage6.node.work import delivery, judging
from vantage6.node.work.retry import InterruptedExecution

RULES = {"allowed_algorithms": ".*", "allow_pickle": True}
STRICT = {**RULES, "release": "enforce"}
#: Longer than the 50 records of the database, and different in each.
ROWS = json.dumps([number * 1.5 for number in range(60)])
#: More levels than a station allows; nothing that could stand in the data.
LEVELS = json.dumps({f"level {number}": 12 for number in range(45)})


def write(text: str) -> str:
    """Return an algorithm that answers a text."""
    return f"open(os.environ['OUTPUT_FILE'], 'w').write({text!r})"


@pytest.fixture(autouse=True)
def _database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have data of fifty records, and a person who is looked for often."""
    rows = "".join(f"{20 + number % 7}\n" for number in range(50))

    def write_database(folder: Path) -> Path:
        path = folder / "patients.csv"
        if not path.exists():
            path.write_text(f"age\n{rows}")
        return path

    monkeypatch.setattr("tests.node.contexts.write_database", write_database)
    monkeypatch.setattr(judging, "_LOOK_SECONDS", 0.02)


@pytest.fixture
def audit(tmp_path: Path) -> Callable[[str], list[dict[str, Any]]]:
    """Give a function that returns the events of a kind in the audit file."""

    def find(event: str) -> list[dict[str, Any]]:
        path = tmp_path / "data" / "audit.jsonl"
        return [entry for entry in entries(path) if entry["event"] == event]

    return find


Events = Callable[[str], list[dict[str, Any]]]


def test_an_output_that_looks_like_rows_stays(
    wire: Wire, make_scheduler: MakeScheduler, audit: Events
) -> None:
    wire.add(5, write(ROWS))
    make_scheduler(policies=STRICT).accept(5)
    eventually(lambda: wire.ids("not allowed") == [5])
    result = wire.results[5]
    assert not result.get("result")
    assert result["reason"]["code"] == "output_refused"
    assert "row_like" in result["reason"]["msg"]
    assert "1.5" not in json.dumps(result["reason"])
    (judged,) = audit("judged")
    assert (judged["verdict"], judged["enforced"]) == ("refused", True)
    assert judged["output_hash"] == hash_of(ROWS.encode())
    (released,) = audit("released")
    assert released["output_bytes"] == 0


def test_a_station_that_says_nothing_only_writes_it_down(
    wire: Wire, make_scheduler: MakeScheduler, audit: Events
) -> None:
    for policies in (None, RULES, {**RULES, "release": "warn"}):
        wire.add(5, write(ROWS))
        make_scheduler(**({} if policies is None else {"policies": policies})).accept(5)
        eventually(lambda: wire.ids("completed") == [5])
        assert base64.b64decode(wire.results[5]["result"]) == ROWS.encode()
        judged = audit("judged")[-1]
        assert (judged["verdict"], judged["enforced"]) == ("pass", False)


def test_what_is_only_written_down_reads_no_data(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    wire.add(5, write(ROWS))
    make_scheduler(policies=RULES).accept(5)
    eventually(lambda: wire.ids("completed") == [5])
    assert not (tmp_path / "data" / "sketches").exists()


def test_statistics_leave_under_the_strict_rules(
    wire: Wire, make_scheduler: MakeScheduler, audit: Events
) -> None:
    wire.add(5, write('json.{"mean": 23.04, "n": 50}'))
    make_scheduler(policies=STRICT).accept(5)
    eventually(lambda: wire.ids("completed") == [5])
    assert audit("judged")[0]["verdict"] == "pass"
    events = [entry["event"] for name in ("judged", "released") for entry in audit(name)]
    numbers = [audit("judged")[0]["number"], audit("released")[0]["number"]]
    assert events == ["judged", "released"]
    assert numbers == sorted(numbers)


def test_a_station_that_shows_single_records_holds_nothing(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    wire.add(5, write(ROWS))
    make_scheduler(policies={**STRICT, "floors": "open"}).accept(5)
    eventually(lambda: wire.ids("completed") == [5])
    assert not (tmp_path / "data" / "sketches").exists()


def test_a_held_output_leaves_when_a_person_says_so(
    wire: Wire, make_scheduler: MakeScheduler, audit: Events, tmp_path: Path
) -> None:
    wire.add(5, write(LEVELS))
    scheduler = make_scheduler(policies=STRICT)
    scheduler.accept(5)
    held = HeldOutputs(tmp_path / "data")
    eventually(lambda: [one.result_id for one in held.list()] == [5])
    # A client of 3.11 waits for it, and reads for what.
    eventually(lambda: wire.ids("pending") == [5])
    assert wire.results[5]["reason"]["code"] == "awaiting_release"
    assert scheduler.report() == ([], [5])
    assert held.content(5) == LEVELS.encode()
    held.release(5, "ann")
    eventually(lambda: wire.ids("completed") == [5])
    assert base64.b64decode(wire.results[5]["result"]) == LEVELS.encode()
    (decided,) = audit("release_decided")
    assert (decided["decision"], decided["by"]) == ("released", "ann")
    assert eventually(lambda: held.list() == [])


def test_the_server_learns_that_an_output_waits_when_it_is_back(
    wire: Wire, make_scheduler: MakeScheduler, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(judging, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(judging, "_TELL_SECONDS", 0.0)
    wire.queued["PATCH /result/5"] = [(503, {"msg": "down", "code": "unavailable"})] * 10
    wire.add(5, write(LEVELS))
    make_scheduler(policies=STRICT).accept(5)
    held = HeldOutputs(tmp_path / "data")
    eventually(lambda: [one.result_id for one in held.list()] == [5])

    def code() -> str | None:
        return (wire.results[5].get("reason") or {}).get("code")

    assert eventually(lambda: code() == "awaiting_release")
    held.release(5, "ann")
    eventually(lambda: wire.ids("completed") == [5])


def test_an_output_beside_too_many_that_wait_is_refused(
    wire: Wire, make_scheduler: MakeScheduler, audit: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_outputs, "MOST_HELD", 1)
    wire.add(5, write(LEVELS))
    scheduler = make_scheduler(policies=STRICT)
    scheduler.accept(5)
    eventually(lambda: audit("judged"))
    wire.add(6, write(LEVELS))
    scheduler.accept(6)
    eventually(lambda: wire.ids("not allowed") == [6])
    assert wire.results[6]["reason"]["code"] == "too_many_held"
    assert not wire.results[6].get("result")
    assert [judged["verdict"] for judged in audit("judged")] == ["held", "refused"]
    eventually(lambda: wire.ids("pending") == [5])


def test_a_person_who_refuses_is_quoted(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    wire.add(5, write(LEVELS))
    make_scheduler(policies=STRICT).accept(5)
    held = HeldOutputs(tmp_path / "data")
    eventually(held.list)
    held.refuse(5, "ann", "Merge the levels.")
    eventually(lambda: wire.ids("not allowed") == [5])
    assert not wire.results[5].get("result")
    assert wire.results[5]["reason"]["code"] == "release_refused"
    assert "Merge the levels." in wire.results[5]["reason"]["msg"]


def test_an_output_that_waits_too_long_is_refused(
    wire: Wire, make_scheduler: MakeScheduler
) -> None:
    wire.add(5, write(LEVELS))
    make_scheduler(policies={**STRICT, "hold_seconds": 0.01}).accept(5)
    eventually(lambda: wire.ids("not allowed") == [5])
    assert wire.results[5]["reason"]["code"] == "release_expired"


def test_a_kill_ends_the_wait_and_removes_the_output(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    wire.add(5, write(LEVELS))
    scheduler = make_scheduler(policies=STRICT)
    scheduler.accept(5)
    held = HeldOutputs(tmp_path / "data")
    eventually(held.list)
    scheduler.kill(5)
    eventually(lambda: scheduler.report() == ([], []))
    assert held.list() == []
    assert not list((tmp_path / "data" / "results").iterdir())
    assert not wire.results[5].get("result")


def test_a_hold_and_its_answer_outlive_the_node(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path, audit: Events
) -> None:
    wire.add(5, write(LEVELS))
    first = make_scheduler(policies=STRICT)
    first.accept(5)
    held = HeldOutputs(tmp_path / "data")
    eventually(held.list)
    first.leave()
    held.release(5, "ann")  # the node does not run
    assert not wire.ids("completed")
    # The rules of the next life are others: the verdict stays.
    make_scheduler(policies=RULES).adopt()
    eventually(lambda: wire.ids("completed") == [5])
    assert len(audit("judged")) == 1


#: The last thing that a node did, or was about to do.
STEPS = [
    ("record", "after"),
    ("write_judgement", "before"),
    ("write_judgement", "after"),
    ("answer", "after"),
    ("_prepare", "after"),
    ("_release", "after"),
]


@pytest.mark.parametrize("output", [ROWS, LEVELS], ids=["refused", "held"])
@pytest.mark.parametrize(("step", "when"), STEPS)
def test_a_node_that_dies_at_any_step_releases_nothing_without_a_verdict(
    step: str,
    when: str,
    output: str,
    wire: Wire,
    make_scheduler: MakeScheduler,
    make_context: MakeContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    audit: Events,
) -> None:
    """It dies at a step, and its next life goes on from what is on disk."""
    wire.add(5, write(output))
    context = make_context(policies=STRICT)
    owner: Any = delivery if step in ("_prepare", "_release") else judging
    if step == "record":
        owner = delivery.Retry
    elif step == "answer":
        owner = HeldOutputs
    real, died = getattr(owner, step), threading.Event()

    def die(*arguments: Any, **named: Any) -> Any:
        if died.is_set() or (step == "record" and arguments[1] != "judged"):
            return real(*arguments, **named)
        if when == "after":
            real(*arguments, **named)
        died.set()
        raise InterruptedExecution

    monkeypatch.setattr(owner, step, die)
    first = make_scheduler(context)
    first.accept(5)
    held = HeldOutputs(tmp_path / "data")
    if output == LEVELS and step in ("_prepare", "_release"):
        eventually(held.list)
        held.release(5, "ann")
    is_reached = not (output == ROWS and step in ("answer", "_prepare"))
    if is_reached:
        eventually(died.is_set)
        folder = tmp_path / "data" / "results" / "task-000000005"
        left = [
            asked for asked in wire.asked if asked.method == "PATCH" and asked.body.get("result")
        ]
        assert not left or read_judgement(folder) is not None
        first.leave()
        make_scheduler(make_context(policies=STRICT)).adopt()
    if output == LEVELS:
        eventually(lambda: held.list() or held.answer(5) or wire.ids("completed"))
        if held.list():
            assert not wire.ids("completed")
            held.release(5, "ann")
    ended = "not allowed" if output == ROWS else "completed"
    eventually(lambda: wire.ids(ended) == [5])
    judged, released = audit("judged"), audit("released")
    assert judged[0]["number"] < released[0]["number"]
    if output == ROWS:
        sent = [a for a in wire.asked if a.method == "PATCH" and (a.body or {}).get("result")]
        assert not sent


def test_other_bytes_than_the_judged_ones_never_leave(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    wire.add(5, write(LEVELS))
    make_scheduler(policies=STRICT).accept(5)
    held = HeldOutputs(tmp_path / "data")
    eventually(held.list)
    folder = tmp_path / "data" / "results" / "task-000000005"
    answer = {"decision": "released", "by": "x", "at": "", "sentence": ""}
    (folder / "io" / "output").write_text(ROWS)
    (folder / "answer.json").write_text(json.dumps(answer))
    eventually(lambda: wire.ids("failed") == [5])
    assert wire.results[5]["reason"]["code"] == "node_error"
    assert not wire.results[5].get("result")


def test_a_verdict_that_finds_no_room_is_judged_and_recorded_once(
    wire: Wire, make_scheduler: MakeScheduler, audit: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_judgement, judge = judging.write_judgement, judging.judge
    written: list[Any] = []
    judged: list[Path] = []

    def fail_twice(folder: Path, judgement: Any) -> None:
        written.append(judgement)
        if len(written) < 3:
            raise OSError("no room")
        write_judgement(folder, judgement)

    monkeypatch.setattr(judging, "write_judgement", fail_twice)
    monkeypatch.setattr(
        judging, "judge", lambda output, *known: (judged.append(output), judge(output, *known))[1]
    )
    wire.add(5, write(ROWS))
    make_scheduler(policies=STRICT).accept(5)
    eventually(lambda: wire.ids("not allowed") == [5])
    assert len(audit("judged")) == len(judged) == 1
    assert len(written) == 3
    assert len(set(map(id, written))) == 1


def test_a_defect_in_the_rules_holds_the_output(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("a defect")

    monkeypatch.setattr(judging.walk, "walk", fail)
    wire.add(5, write("{}"))
    make_scheduler(policies=STRICT).accept(5)
    held = HeldOutputs(tmp_path / "data")
    eventually(held.list)
    assert [finding.rule for finding in held.get(5).findings] == ["not_judged"]


def test_data_that_cannot_be_read_holds_the_output(
    wire: Wire, make_context: MakeContext, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    context = make_context(policies=STRICT)
    (tmp_path / "patients.csv").write_bytes(b'a,b\n1,2\n1,2,3,4\n\xff"')
    wire.add(5, write("{}"))
    make_scheduler(context).accept(5)
    held = HeldOutputs(tmp_path / "data")
    eventually(held.list)
    assert [finding.rule for finding in held.get(5).findings] == ["not_compared"]
