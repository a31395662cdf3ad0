"""A disk that one result fills: that result fails, and the room is there again."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.factories import MIB, make_claim, make_config
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common import clock
from vantage6.common.durable_files import write_durably
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import SIGTERM_CODE, Exit, Outcome, judge
from vantage6.node.proxy.tokens import Tokens
from vantage6.node.spool.spool import Spool

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")

DONE = "open(os.environ['OUTPUT_FILE'], 'w').write('done')"
#: Writes far more than the disk has room for.
FILL = "open(os.environ['{place}']{more}, 'wb').write(bytes(16 * 2**20))"
#: Leaves so little that nothing else fits.
EXACTLY = """
file = os.open(os.environ['OUTPUT_FILE'], os.O_WRONLY)
try:
    while True:
        os.write(file, b'x' * 4096)
except OSError:
    pass
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give the data folder of the node on a disk of its own, of 8 MiB."""
    folder = tmp_path / "data"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    subprocess.run(mount, check=True, timeout=10)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True, timeout=10)


@pytest.mark.parametrize(
    "program",
    [
        FILL.format(place="OUTPUT_FILE", more=""),
        FILL.format(place="TEMPORARY_FOLDER", more=" + '/much'"),
    ],
    ids=["output", "shared folder"],
)
def test_a_result_that_fills_the_disk_fails_and_gives_the_room_back(
    small_disk: Path,
    wire: Wire,
    make_context: MakeContext,
    make_scheduler: MakeScheduler,
    program: str,
) -> None:
    scheduler = make_scheduler(make_context(keep_free_bytes=MIB))
    wire.add(5, program)
    scheduler.accept(5)
    eventually(lambda: wire.ids("crashed") == [5])
    assert wire.results[5]["reason"]["code"] == "disk_full"
    assert wire.results[5]["reason"]["msg"].startswith("The disk is full:")
    eventually(lambda: scheduler.report() == ([], []))
    wire.add(6, DONE)
    scheduler.accept(6)
    eventually(lambda: wire.ids("completed") == [6])


def test_an_output_that_leaves_no_room_for_its_outcome_is_delivered(
    small_disk: Path, wire: Wire, make_context: MakeContext, make_scheduler: MakeScheduler
) -> None:
    scheduler = make_scheduler(make_context(keep_free_bytes=MIB))
    wire.add(5, EXACTLY)
    scheduler.accept(5)
    eventually(lambda: wire.ids("completed") == [5])
    assert len(wire.results[5]["result"]) > MIB
    eventually(lambda: scheduler.report() == ([], []))


def test_the_outcome_fits_where_the_disk_is_full(small_disk: Path, tmp_path: Path) -> None:
    entry = Spool(small_disk).create(make_claim())
    entry.prepare(b"", Tokens(server="s", proxy="d"))
    with pytest.raises(OSError, match="No space"), (small_disk / "other").open("wb") as file:
        file.write(bytes(16 * MIB))
    outcome = Outcome(TaskStatus.COMPLETED, None, clock.now(), clock.now())
    entry.finish(outcome, "x" * MIB)
    kept = entry.outcome()
    assert kept is not None
    assert kept.status is TaskStatus.COMPLETED
    assert entry.log().endswith("xxx")


def test_what_does_not_fit_leaves_nothing_behind(small_disk: Path) -> None:
    with pytest.raises(OSError, match="No space"):
        write_durably(small_disk / "large", bytes(16 * MIB))
    assert list(small_disk.iterdir()) == []


def test_reasons_name_the_disk_and_the_engine() -> None:
    limits = make_config().limits
    ended = Exit(SIGTERM_CODE, log="No space left on device")
    status, reason = judge(replace(ended, disk_full=True), 0, limits)
    assert reason is not None
    assert (status, reason.code) == (TaskStatus.CRASHED, "disk_full")
    status, reason = judge(replace(ended, engine_stopped=True), 0, limits)
    assert reason is not None
    assert (status, reason.code) == (TaskStatus.FAILED, "engine_stopped")
    assert reason.message.startswith("The engine was stopped")
