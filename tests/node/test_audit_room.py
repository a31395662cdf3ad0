"""Nobody can fill the disk with the audit file, or stop it by filling the disk."""

import errno
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.campaign import effort
from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.wire import Wire
from tests.services import missing
from tests.waiting import eventually
from vantage6.common.config.node import LimitConfig
from vantage6.common.errors import Invalid, TooMany
from vantage6.node.rules.audit import FILE_NAME, Audit, verify
from vantage6.node.rules.audit_lines import LINE_BYTES, shorten
from vantage6.node.rules.quota import Quota
from vantage6.node.rules.result_audit import Opened, ResultAudit

MIB = 2**20
DONE = "open(os.environ['OUTPUT_FILE'], 'w').write('done')"


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / FILE_NAME).read_bytes().splitlines()]


def often(call: Callable[[], None]) -> None:
    for _ in range(1000):
        call()


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[Audit]:
    """Give an audit file."""
    made = Audit(tmp_path)
    yield made
    made.close()


def test_a_sub_task_for_very_many_is_not_written_down(audit: Audit, tmp_path: Path) -> None:
    """It would have been refused by the server; it wrote 14.8 MB."""
    result_audit = ResultAudit(audit, 5)
    with pytest.raises(Invalid):
        result_audit.record_subtask({"image": "a/b"}, [(id_, b"") for id_ in range(200_000)])
    with pytest.raises(Invalid, match="more than once"):
        result_audit.record_subtask({"image": "a/b"}, [(1, b"x"), (1, b"y")])
    assert (tmp_path / FILE_NAME).stat().st_size == 0


def test_a_sub_task_for_many_is_one_bounded_line_about_all(audit: Audit, tmp_path: Path) -> None:
    result_audit = ResultAudit(audit, 5)
    result_audit.record_subtask({"image": "é" * 9000}, [(id_, b"input") for id_ in range(1000)])
    result_audit.record_subtask(
        {"image": "a/b"}, [(id_, b"input") for id_ in range(999)] + [(999, b"other")]
    )
    assert all(len(line) <= LINE_BYTES for line in (tmp_path / FILE_NAME).read_bytes().split(b"\n"))
    one, two = lines(tmp_path)
    assert (one["receivers"], one["all_input_bytes"]) == (1000, 5000)
    assert one["organizations"] == list(range(100))
    assert one["input_hashes"] == two["input_hashes"]
    assert one["all_inputs_hash"] != two["all_inputs_hash"]


_facts = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3000),
    lambda inner: st.lists(inner, max_size=300) | st.dictionaries(st.text(max_size=200), inner),
    max_leaves=400,
)


@settings(max_examples=effort(20), deadline=None)
@given(facts=st.dictionaries(st.text(max_size=300), _facts, max_size=60))
def test_whatever_comes_the_line_is_bounded(facts: dict[str, Any]) -> None:
    assert (
        len(json.dumps(shorten(facts), ensure_ascii=False).encode("utf-8", "replace")) < LINE_BYTES
    )


def test_what_is_short_stays_as_it_is_and_what_is_cut_says_so() -> None:
    facts = {"a": "x" * 1000, "b": list(range(100)), "c": {"d": [1, None, True]}, "e": 1.5}
    assert shorten(facts) == facts
    cut = shorten({"a": "x" * 1001, "b": list(range(200)), "c": 10**5000})
    assert cut["a"].endswith("… and 1 characters more")
    assert cut["b"][-1] == "… and 100 more"
    assert isinstance(cut["c"], str)
    huge = shorten({"result_id": 5, **{f"n{i}": ["y" * 900] * 90 for i in range(30)}})
    assert huge["result_id"] == 5


def test_the_configuration_of_the_station_is_written_down_whole(
    audit: Audit, tmp_path: Path
) -> None:
    audit.record_whole("node_started", configuration={"images": ["a/b"] * 5000})
    assert len(lines(tmp_path)[0]["configuration"]["images"]) == 5000


def test_a_run_writes_only_its_part_and_then_sends_no_more(audit: Audit, tmp_path: Path) -> None:
    limits = LimitConfig(audit_bytes=2**16)
    quota = Quota(limits)
    audits = [ResultAudit(audit, number, quota) for number in (5, 6)]
    for number in range(3000):
        # Each is the first of its kind to be written down.
        ResultAudit(audit, number, quota).record_denied("path_closed", "GET", "/" + "x" * 150, 404)
    size = (tmp_path / FILE_NAME).stat().st_size
    assert 2**15 <= size <= 2**15 + LINE_BYTES
    receivers = [(id_, b"") for id_ in range(100)]
    with pytest.raises(TooMany, match="audit_bytes"):
        often(lambda: audits[0].record_subtask({"image": "a/b"}, receivers))
    opened = Opened(id=9, task_id=8, bytes=1, hash="0" * 64, format="json")
    for refused in (
        lambda: audits[1].record_subtask({"image": "a/b"}, receivers),
        lambda: audits[1].record_opened([opened]),
    ):
        with pytest.raises(TooMany, match="no more sub-tasks and results") as refusal:
            refused()
        assert refusal.value.error_code == "audit_full"
    assert (tmp_path / FILE_NAME).stat().st_size <= 2**16 + LINE_BYTES
    ResultAudit(audit, 7, Quota(limits)).record_subtask({"image": "a/b"}, receivers)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of 8 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode:
        missing("the right to mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Write until nothing fits any more."""
    with (folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 65536):
            pass
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        (folder / "more").write_bytes(b"x" * 65536)


def test_on_a_full_disk_what_must_be_written_still_is(
    small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = Audit(small_disk)
    audit.record("asked", result_id=1)
    assert audit.has_room()
    fill(small_disk)
    for number in range(2000):
        audit.record("released", result_id=number, output_hash="0" * 64, status="completed")
    assert verify(small_disk / FILE_NAME).broken is None
    assert verify(small_disk / FILE_NAME).lines == 2001
    assert capsys.readouterr().err.count("audit head not written") <= 1
    (small_disk / "filler").unlink()
    assert audit.has_room()
    audit.close()


def test_what_an_algorithm_causes_leaves_the_reserve_alone(small_disk: Path) -> None:
    audit = Audit(small_disk)
    fill(small_disk)
    result_audit = ResultAudit(audit, 5)
    receivers = [(id_, b"") for id_ in range(100)]
    with pytest.raises(OSError, match="kept for other events"):
        often(lambda: result_audit.record_subtask({"image": "a/b"}, receivers))
    size = (small_disk / FILE_NAME).stat().st_size
    assert size <= 2 * MIB + LINE_BYTES
    result_audit.record_denied("path_closed", "GET", "/x", 404)
    assert (small_disk / FILE_NAME).stat().st_size == size
    audit.record("released", result_id=5)
    assert not audit.has_room()
    audit.close()


def test_no_work_is_taken_that_could_not_be_written_down(
    wire: Wire,
    make_scheduler: MakeScheduler,
    make_context: MakeContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wire.add(5, DONE)
    station = make_context()
    scheduler = make_scheduler(station)
    monkeypatch.setattr(station.audit, "has_room", lambda: False)
    scheduler.accept(5)
    assert wire.claims == []
    assert scheduler.report() == ([], [])
    monkeypatch.undo()
    scheduler.accept(5)
    eventually(lambda: wire.ids("completed") == [5])


def test_no_work_is_taken_while_the_disk_is_nearly_full(
    wire: Wire, make_scheduler: MakeScheduler
) -> None:
    wire.add(5, DONE)
    make_scheduler(keep_free_bytes=2**60).accept(5)
    assert wire.claims == []


def test_log_does_not_fill_the_disk_that_is_nearly_full(
    wire: Wire,
    make_scheduler: MakeScheduler,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scheduler = make_scheduler(keep_free_bytes=2**60)
    often(lambda: scheduler.accept(5))
    assert capsys.readouterr().err.count("nearly full") == 1
    later = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: later)
    often(lambda: scheduler.accept(5))
    monkeypatch.undo()
    assert capsys.readouterr().err.count("nearly full") == 1


def test_a_file_that_is_appended_to_by_many_keeps_its_reserve(audit: Audit, tmp_path: Path) -> None:
    def work() -> None:
        for number in range(300):
            audit.note("denied", result_id=number, request="x" * 900)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    path = tmp_path / FILE_NAME
    assert verify(path).lines == 2400
    reserved = path.stat().st_blocks * 512 - path.stat().st_size
    assert reserved >= 2 * MIB - 4096
