"""The station's own record: whole, in order, and impossible to change unseen."""

import errno
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from vantage6.node.rules.audit import (
    FILE_NAME,
    GENESIS,
    Audit,
    Head,
    entries,
    method_of,
    parse_head,
    read_head,
    verify,
)
from vantage6.node.rules.result_audit import ResultAudit


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a file of five lines."""
    audit = Audit(tmp_path)
    for number in range(1, 6):
        audit.record("asked", result_id=number)
    audit.close()
    return tmp_path / FILE_NAME


def broken_at(file: Path) -> int | None:
    """Return the line at which a file is broken, its repeated head considered."""
    repeated = read_head(file.parent)
    found = verify(file, (repeated,) if repeated else ())
    return found.broken[0] if found.broken else None


def test_each_line_holds_the_hash_of_the_one_before(file: Path) -> None:
    found = verify(file)
    assert (found.lines, found.broken, found.after) == (5, None, Head())
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["number"] for line in lines] == [1, 2, 3, 4, 5]
    assert lines[0]["previous"] == GENESIS
    assert len({line["previous"] for line in lines}) == 5
    assert read_head(file.parent) == found.head
    assert file.stat().st_mode & 0o777 == 0o600


def _changed(lines: list[str]) -> list[str]:
    return [*lines[:2], lines[2].replace('"result_id": 3', '"result_id": 9'), *lines[3:]]


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (_changed, 4),
        (lambda lines: lines[:2] + lines[3:], 3),
        (lambda lines: [*lines[:2], lines[1], *lines[2:]], 3),
        (lambda lines: [*lines[:2], "rubbish", *lines[3:]], 4),
        (lambda lines: lines[:3], 3),
        (lambda lines: [*lines[:4], lines[4].replace("5", "6")], 5),
        (lambda lines: [], 0),
    ],
    ids=["changed", "taken out", "put in", "overwritten", "cut", "last one changed", "emptied"],
)
def test_first_broken_line_is_named(file: Path, spoil: Any, line: int) -> None:
    lines = file.read_text().splitlines()
    file.write_text("".join(f"{one}\n" for one in spoil(lines)))
    assert broken_at(file) == line


def test_shortened_chain_is_found_by_a_head_that_was_noted_elsewhere(file: Path) -> None:
    noted = verify(file).head
    (file.parent / "audit.head").unlink()
    file.write_text("".join(f"{line}\n" for line in file.read_text().splitlines()[:3]))
    # A chain alone cannot know that it was longer.
    assert verify(file).broken is None
    broken = verify(file, (parse_head(str(noted)),)).broken
    assert broken is not None
    assert "line 5" in broken[1]


def test_next_life_of_the_node_goes_on_with_the_chain(file: Path) -> None:
    audit = Audit(file.parent)
    audit.record("node_started")
    audit.close()
    found = verify(file)
    assert (found.lines, found.broken) == (6, None)


def test_new_file_goes_on_where_the_moved_one_ends(file: Path) -> None:
    file.rename(file.with_name("audit-2026.jsonl"))
    audit = Audit(file.parent)
    audit.record("node_started")
    audit.close()
    found = verify(file)
    assert (found.lines, found.broken) == (1, None)
    assert found.after == verify(file.with_name("audit-2026.jsonl")).head
    assert found.after.number == 5


def test_line_that_a_crash_cut_off_stays_and_is_named(file: Path) -> None:
    with file.open("a") as end:
        end.write('{"number": 6, "eve')
    assert broken_at(file) == 6
    audit = Audit(file.parent)
    audit.record("node_started")
    audit.close()
    assert verify(file).broken is None
    assert [entry["event"] for entry in entries(file)][-2:] == ["recovered", "node_started"]
    assert '{"number": 6, "eve\n' in file.read_text()


@pytest.mark.parametrize("part", [0, 40])
def test_full_disk_leaves_the_chain_whole(
    file: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    audit = Audit(file.parent)
    write = os.write

    def full(descriptor: int, content: bytes) -> int:
        if part:
            return write(descriptor, content[:part])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match=r"No space|could be written"):
            audit.record("asked", result_id=6)
    audit.record("asked", result_id=6)
    audit.close()
    found = verify(file)
    assert (found.lines, found.broken) == (6, None)


def test_many_threads_write_one_chain(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    threads = [
        threading.Thread(target=lambda: [audit.record("asked") for _ in range(20)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    audit.close()
    found = verify(tmp_path / FILE_NAME)
    assert (found.lines, found.broken) == (160, None)


def test_closed_file_is_not_written_to(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    audit.close()
    # It has the number that the audit file had.
    with (tmp_path / "other").open("wb"), pytest.raises(OSError, match="descriptor"):
        audit.record("late")
    assert not (tmp_path / "other").read_bytes()


def test_flood_of_refused_requests_leaves_few_lines_and_their_number(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    result_audit = ResultAudit(audit, 5)
    for _ in range(5000):
        result_audit.record_denied("path_closed", "GET", "/user", 404)
    audit.close()
    found = list(entries(tmp_path / FILE_NAME))
    assert len(found) < 40
    assert found[0]["request"] == "GET /user"
    assert found[-1]["count"] == 4096


def test_what_an_algorithm_was_kept_from_leaves_a_line_for_each_new_kind(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    result_audit = ResultAudit(audit, 5)
    for number in range(1, 100):
        result_audit.count("wrong_token")
        result_audit.raise_to({"process_limit": 10 * number} if number > 50 else {})
        result_audit.note_news()
    # What is counted elsewhere may begin anew, and does not fall here.
    result_audit.raise_to({"process_limit": 1})
    result_audit.conclude()
    result_audit.conclude()
    audit.close()
    assert [(entry["event"], entry["counts"]) for entry in entries(tmp_path / FILE_NAME)] == [
        ("contained", {"wrong_token": 1}),
        ("contained", {"wrong_token": 51, "process_limit": 510}),
        ("contained", {"wrong_token": 99, "process_limit": 990}),
    ]


def test_algorithm_that_does_its_work_leaves_no_such_line(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    result_audit = ResultAudit(audit, 5)
    result_audit.raise_to({})
    result_audit.note_news()
    result_audit.conclude()
    audit.close()
    assert not list(entries(tmp_path / FILE_NAME))


@pytest.mark.parametrize(
    ("input_", "method"),
    [
        (b'json.{"method": "average", "args": []}', "average"),
        (b'{"method": "average"}', "average"),
        (b"\x80\x04\x95.cos\nsystem\n(S'x'\ntR.", None),
        (b'json.{"method": 5}', None),
        (b'json.["method"]', None),
        (b"json.{" + b'"a":{' * 100_000, None),
        (b"", None),
    ],
)
def test_method_is_read_from_json_only(input_: bytes, method: str | None) -> None:
    assert method_of(input_) == method
