"""Grants and pauses in the audit: each change once, also beside threads, kills and full disks."""

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.node.test_grants import make_grant
from vantage6.node.requests.gate import Gate
from vantage6.node.rules.audit import FILE_NAME, Audit, entries


class Killed(BaseException):
    """Stands for the end of a process; nothing of the node catches it."""


def told(folder: Path) -> list[tuple[str, Any]]:
    """Return the events in the audit, each with the person or the grant."""
    return [
        (entry["event"], entry.get("grant") or entry["by"]) for entry in entries(folder / FILE_NAME)
    ]


def test_changes_that_two_threads_see_are_told_once(tmp_path: Path):
    gate, audit = Gate(tmp_path), Audit(tmp_path)
    gate.pause.set("bob")
    granted = gate.grants.add(make_grant(by="bob"))
    both = threading.Barrier(4)

    def note() -> None:
        both.wait(30)
        gate.note_changes(audit.record)

    threads = [threading.Thread(target=note) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert told(tmp_path) == [("paused", "bob"), ("grant", granted.id)]
    audit.close()


def test_what_changed_while_no_node_ran_is_told_at_its_start(tmp_path: Path):
    audit = Audit(tmp_path)
    first = Gate(tmp_path)
    revoked = first.grants.add(make_grant(by="bob"))
    first.note_changes(audit.record)
    first.grants.revoke(revoked.id)
    first.pause.set("carol")
    first.pause.clear("dave")
    for _ in range(2):
        Gate(tmp_path).note_changes(audit.record)
    assert told(tmp_path) == [
        ("grant", revoked.id),
        ("paused", "carol"),
        ("resumed", "dave"),
        ("grant_revoked", revoked.id),
    ]
    audit.close()


@pytest.mark.parametrize("is_written", [False, True])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_kill_at_any_line_neither_loses_nor_doubles_one(
    tmp_path: Path, at: int, is_written: bool
):
    audit, lines = Audit(tmp_path), 0

    def record(event: str, **facts: Any) -> None:
        nonlocal lines
        if lines == at and not is_written:
            raise Killed
        audit.record(event, **facts)
        lines += 1
        if lines == at + 1:
            raise Killed

    gate = Gate(tmp_path)
    gate.pause.set("bob")
    ids = [gate.grants.add(make_grant(by=by)).id for by in ("bob", "carol")]
    with pytest.raises(Killed):
        gate.note_changes(record)
    for _ in range(2):
        Gate(tmp_path).note_changes(audit.record)
    assert told(tmp_path) == [("paused", "bob"), *(("grant", id_) for id_ in ids)]
    audit.close()


def test_a_full_disk_is_waited_for(tmp_path: Path):
    audit, gate = Audit(tmp_path), Gate(tmp_path)
    granted = gate.grants.add(make_grant(by="bob"))

    def full(*_: Any, **__: Any) -> None:
        raise OSError("no space left")

    for _ in range(2):
        with pytest.raises(OSError, match="no space"):
            gate.note_changes(full)
    gate.note_changes(audit.record)
    assert told(tmp_path) == [("grant", granted.id)]
    audit.close()


def test_notes_that_cannot_be_read_tell_all_once_more(tmp_path: Path):
    audit, gate = Audit(tmp_path), Gate(tmp_path)
    granted = gate.grants.add(make_grant(by="bob"))
    gate.note_changes(audit.record)
    (tmp_path / "requests/noted.json").write_text("{")
    for _ in range(2):
        Gate(tmp_path).note_changes(audit.record)
    assert told(tmp_path) == [("grant", granted.id)] * 2
    audit.close()
