"""An output that waits for a person takes no room that runs need: its run has ended."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.factories import MIB, make_claim
from vantage6.common import clock
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import Outcome, Reason
from vantage6.node.spool import run_disks
from vantage6.node.spool.spool import Entry, Spool

_LONG_AGO = 100


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """Give a spool whose runs have file systems of their own."""
    if os.getuid() != 0:
        pytest.skip("an ordinary user makes no file systems")
    (tmp_path / "runs").mkdir()
    yield Spool(tmp_path, run_disks.RunDisks(tmp_path / "runs", 8 * MIB))
    run_disks.unmount_all(tmp_path / "runs")


def compute(spool: Spool, result_id: int, status: TaskStatus = TaskStatus.COMPLETED) -> Entry:
    """Have a result whose algorithm has ended, and has left something beside its output."""
    entry = spool.create(make_claim(result_id, run_id=result_id))
    (spool.temporary(result_id) / "note").write_text("kept")
    reason = None if status is TaskStatus.COMPLETED else Reason("node_error", "It failed.")
    entry.finish(Outcome(status, reason, None, clock.now()), "")
    return entry


def are_mounted(folder: Path) -> list[str]:
    """Return the runs whose file systems are mounted; none of them was used for a while."""
    files = sorted((folder / "runs").glob("*.img"))
    for file in files:
        os.utime(file, (clock.now().timestamp() - _LONG_AGO,) * 2)
    return [file.stem for file in files if os.path.ismount(file.with_suffix(""))]


def test_a_computed_output_keeps_no_disk_mounted_and_the_disk_its_content(
    spool: Spool, tmp_path: Path
) -> None:
    compute(spool, 5)
    compute(spool, 6, TaskStatus.FAILED)
    spool.create(make_claim(7, run_id=7))
    spool.temporary(7)
    assert are_mounted(tmp_path) == ["5", "6", "7"]
    spool.sweep_temporary({5, 6, 7}, keep_seconds=10)
    assert are_mounted(tmp_path) == ["6", "7"], "one that failed at the node may still write"
    spool.sweep_temporary({5, 6, 7}, keep_seconds=10)
    spool.sweep_temporary({5, 6, 7}, keep_seconds=10)
    assert (spool.temporary(5) / "note").read_text() == "kept"


def test_a_sub_task_keeps_the_disk_of_a_run_mounted(spool: Spool, tmp_path: Path) -> None:
    compute(spool, 5)
    spool.create(make_claim(6, run_id=5))
    assert are_mounted(tmp_path) == ["5"]
    spool.rest({5})
    assert are_mounted(tmp_path) == ["5"]


def test_computed_outputs_leave_the_next_runs_their_room(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for result_id in (1, 2):
        compute(spool, result_id)
    assert are_mounted(tmp_path) == ["1", "2"]
    # Room for the promise of one run.
    free = spool._disks._whole + MIB // 2 if spool._disks else 0
    monkeypatch.setattr(run_disks.RunDisks, "_free", lambda _: free)
    spool.create(make_claim(3, run_id=3))
    spool.temporary(3)
    assert are_mounted(tmp_path) == ["3"]
    # What waits is not removed for more.
    spool.create(make_claim(4, run_id=4))
    with pytest.raises(OSError, match="There is no room"):
        spool.temporary(4)
    assert (tmp_path / "runs" / "1.img").exists()
