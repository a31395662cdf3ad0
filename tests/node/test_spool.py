"""Results on disk, through crashes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.node.factories import make_claim
from tests.waiting import eventually
from vantage6.common import clock
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import Outcome, Reason
from vantage6.node.proxy.tokens import Tokens
from vantage6.node.spool import run_disks
from vantage6.node.spool.run_disks import RunDisks
from vantage6.node.spool.spool import Spool

TOKENS = Tokens(server="of-the-server", proxy="of-the-listener")
OUTCOME = Outcome(TaskStatus.CRASHED, Reason("exit_code", "Why."), clock.now(), clock.now())


def test_everything_comes_back_after_a_restart(tmp_path: Path) -> None:
    entry = Spool(tmp_path).create(make_claim())
    entry.prepare(b"input", TOKENS)
    entry.mark_started(clock.now())
    (entry.io / "output").write_bytes(b"output")
    entry.finish(OUTCOME, "log \N{GREEK SMALL LETTER MU}")
    [again] = Spool(tmp_path).entries()
    assert again.record == entry.record
    assert again.started_at is not None
    assert again.outcome() == OUTCOME
    assert again.log() == "log \N{GREEK SMALL LETTER MU}"
    assert again.read_output(100) == b"output"
    assert again.tokens() == TOKENS


def test_folder_is_named_as_containers_see_it(tmp_path: Path) -> None:
    assert Spool(tmp_path).create(make_claim(5)).folder.name == "task-000000005"


def test_claim_leaves_neither_input_nor_token_on_disk(tmp_path: Path) -> None:
    Spool(tmp_path).create(make_claim(sealed_input="secret-input", token="secret-token"))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not any(b"secret" in path.read_bytes() for path in files)


def test_second_claim_keeps_the_first_entry(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.create(make_claim()).mark_started(clock.now())
    assert spool.create(make_claim()).started_at is not None


def test_others_on_this_machine_cannot_look_in(tmp_path: Path) -> None:
    entry = Spool(tmp_path / "data").create(make_claim())
    entry.prepare(b"input", TOKENS)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert (entry.folder / "entry.json").stat().st_mode & 0o777 == 0o600


def test_token_of_the_server_is_out_of_the_algorithms_sight(tmp_path: Path) -> None:
    entry = Spool(tmp_path).create(make_claim())
    entry.prepare(b"input", TOKENS)
    assert (entry.io / "token").read_text() == "of-the-listener"
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    holding = [path for path in kept if b"of-the-server" in path.read_bytes()]
    assert holding == [entry.folder / "tokens.json"]
    assert holding[0].stat().st_mode & 0o777 == 0o600


def test_algorithm_that_an_older_node_started_keeps_its_token(tmp_path: Path) -> None:
    entry = Spool(tmp_path).create(make_claim())
    entry.prepare(b"input", Tokens(server="same", proxy="same"))
    (entry.folder / "tokens.json").unlink()
    assert entry.tokens() == Tokens(server="same", proxy="same")


def test_half_written_entries_are_swept_up(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    broken = tmp_path / "results" / "task-000000009"
    broken.mkdir()
    (broken / ".entry.json.new").write_text('{"result')
    leaving = tmp_path / "results" / "leaving-task-000000008"
    leaving.mkdir()
    assert spool.entries() == []
    assert not broken.exists()
    assert not leaving.exists()


def test_what_the_node_did_not_make_stays(tmp_path: Path) -> None:
    """A task_dir can be a folder of somebody's, with results and runs of his own."""
    names = ["results/study", "results/task-9 of May", "results/leaving", "runs/study", "runs/.git"]
    for name in names:
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "data.csv").touch()
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / "results/notes.txt").touch()
    spool = Spool(tmp_path)
    assert spool.entries() == []
    spool.sweep_temporary(set(), 3600)
    assert [name for name in names if not (tmp_path / name / "data.csv").exists()] == []
    assert (tmp_path / "results/notes.txt").exists()


def test_remains_of_file_systems_that_were_being_made_are_swept_up(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for name in ("5.part", ".try-abc"):
        (tmp_path / "runs" / name).mkdir()
        os.utime(tmp_path / "runs" / name, (0, 0))
    spool.sweep_temporary(set(), 3600)
    assert list((tmp_path / "runs").iterdir()) == []


def test_deleting_twice_is_harmless(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    entry = spool.create(make_claim())
    entry.delete()
    entry.delete()
    assert spool.entries() == []


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "nothing"])
def test_what_is_not_a_plain_file_is_no_output(tmp_path: Path, kind: str) -> None:
    entry = Spool(tmp_path / "data").create(make_claim())
    entry.prepare(b"", TOKENS)
    secret = tmp_path / "secret"
    secret.write_text("secret")
    output = entry.io / "output"
    output.unlink()
    if kind == "link":
        output.symlink_to(secret)
    elif kind == "pipe":
        os.mkfifo(output)
    elif kind == "folder":
        output.mkdir()
    assert entry.output_bytes() == (0 if kind == "nothing" else None)
    assert entry.read_output(100) == b""
    entry.finish(OUTCOME, "")
    assert entry.outcome() == OUTCOME


def test_shared_folder_outlives_its_results_for_a_while(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    folder = spool.temporary(7)
    os.utime(folder, (0, 0))
    spool.sweep_temporary({7}, 3600)
    assert folder.exists()
    spool.sweep_temporary(set(), 3600)
    assert folder.exists()
    os.utime(folder, (0, 0))
    spool.sweep_temporary(set(), 3600)
    assert not folder.exists()


def test_sweep_looks_once_at_many_idle_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More than any disk has, so that room is short.
    spool = Spool(tmp_path, RunDisks(tmp_path / "runs", 2**40))
    for run_id in range(100):
        file = tmp_path / f"runs/{run_id}.img"
        file.touch()
        os.truncate(file, 2**30)
        os.utime(file, (clock.now().timestamp() - 100,) * 2)
    looks, glob = [], Path.glob
    monkeypatch.setattr(
        Path, "glob", lambda path, pattern: (looks.append(path), glob(path, pattern))[1]
    )
    spool.sweep_temporary(set(), 3600)
    assert 1 <= len(looks) < 10


def test_sweep_passes_over_a_file_system_that_is_just_being_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    os.utime(spool.temporary(7), (0, 0))
    names = {*run_disks.names(tmp_path / "runs"), "5.part", ".try-1", "6"}
    monkeypatch.setattr(run_disks, "names", lambda _: names)
    spool.sweep_temporary({6}, 3600)
    assert not (tmp_path / "runs/7").exists()


WRITER = """
import sys
from pathlib import Path
from tests.node.factories import make_claim
from tests.node.test_spool import OUTCOME, TOKENS
from vantage6.node.spool.spool import Spool
from vantage6.node.proxy.tokens import Tokens

spool = Spool(Path(sys.argv[1]))
for number in range(1, 10**6):
    entry = spool.create(make_claim(number))
    entry.prepare(b"input", TOKENS)
    (entry.io / "output").write_bytes(b"x" * 50_000)
    entry.finish(OUTCOME, "log" * 10_000)
"""


@pytest.mark.slow
@pytest.mark.parametrize("milliseconds", [3, 11, 29, 47])
def test_writer_that_is_killed_leaves_only_whole_entries(tmp_path: Path, milliseconds: int) -> None:
    root = Path(__file__).parents[2]
    process = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path], cwd=root)
    try:
        eventually(lambda: (tmp_path / "results" / "task-000000003").exists())
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(milliseconds / 1000)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    entries = Spool(tmp_path).entries()
    assert len(entries) >= 2
    for entry in entries:
        if entry.outcome() is not None:
            assert entry.outcome() == OUTCOME or entry.outcome().status == OUTCOME.status
            assert entry.log() == "log" * 10_000
            assert entry.output_bytes() == 50_000
