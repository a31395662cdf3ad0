"""Folders that an algorithm has filled go, however they are made."""

import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.factories import make_claim
from vantage6.common import clock
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import Outcome
from vantage6.node.spool import removal, run_disks
from vantage6.node.spool.spool import Spool

#: More than Python calls itself, and longer than a path may be.
LEVELS = sys.getrecursionlimit() + 200


def nest(folder: Path, levels: int = LEVELS, name: str = "d" * 100) -> None:
    """Make folders in each other, and a file in the last one."""
    here = os.open(folder, os.O_DIRECTORY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


@pytest.fixture(autouse=True)
def _leave_nothing(tmp_path: Path) -> Iterator[None]:
    """Remove what the cleaning of pytest itself could not."""
    yield
    removal.empty(tmp_path)


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """Give a folder with deep ones, closed ones and links out of it."""
    folder = tmp_path / "full"
    folder.mkdir()
    nest(folder)
    nest(folder, 3, "other")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").touch()
    (folder / "link").symlink_to(tmp_path / "kept")
    (folder / "other/link").symlink_to(tmp_path / "kept/file")
    os.mkfifo(folder / "pipe")
    yield folder
    assert (tmp_path / "kept/file").exists()


def test_deep_folders_are_removed(full: Path) -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, most[1]))
    try:
        removal.remove(full)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, most)
    assert not full.exists()
    removal.remove(full)


def test_a_folder_that_is_emptied_stays(full: Path) -> None:
    removal.empty(full)
    assert list(full.iterdir()) == []


def test_a_link_is_removed_and_not_followed(full: Path) -> None:
    removal.remove(full / "link")
    (full / "again").symlink_to(full.parent / "kept")
    with pytest.raises(NotADirectoryError):
        removal.empty(full / "again")


def test_closed_folders_of_this_account_are_opened() -> None:
    child = os.fork()
    if child == 0:
        code = 2
        try:
            code = _remove_closed_ones()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _remove_closed_ones() -> int:
    """Remove closed folders as an ordinary user; return 0 if they went."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65532)
        os.setuid(65532)
    full = Path(f"/tmp/v6-removal-{os.getpid()}")
    full.mkdir()
    nest(full, 3, "closed")
    (full / "closed/closed").chmod(0)
    (full / "closed").chmod(0o500)
    try:
        removal.remove(full)
    except OSError:
        return 1
    return int(full.exists())


def test_deep_folders_of_one_run_stop_no_sweep(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for run_id in (7, 8):
        nest(spool.temporary(run_id))
        os.utime(spool.temporary(run_id), (run_id, run_id))
        os.utime(tmp_path / f"runs/{run_id}", (run_id, run_id))
    spool.sweep_temporary(set(), 3600)
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_run_that_cannot_be_removed_stops_no_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spool, unmount = Spool(tmp_path), run_disks._unmount
    for run_id in (7, 8):
        os.utime(spool.temporary(run_id), (run_id, run_id))

    def fail(place: Path) -> None:
        if place.name == "7":
            raise OSError("umount: busy")
        unmount(place)

    monkeypatch.setattr(run_disks, "_unmount", fail)
    spool.sweep_temporary(set(), 3600)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["7"]
    assert "umount: busy" in capsys.readouterr().err


def test_deep_folders_in_a_full_run_do_not_hide_why_it_ended(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    nest(spool.temporary(7))
    (spool.temporary(7) / "file").touch()
    spool.empty_temporary(7)
    assert list(spool.temporary(7).iterdir()) == []


def test_a_result_with_deep_folders_is_deleted(tmp_path: Path) -> None:
    entry = Spool(tmp_path).create(make_claim())
    entry.finish(Outcome(TaskStatus.COMPLETED, None, clock.now(), clock.now()), "")
    entry.io.mkdir()
    nest(entry.io)
    entry.delete()
    assert list((tmp_path / "results").iterdir()) == []
