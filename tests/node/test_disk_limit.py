"""The disk of a station, which no algorithm fills, however it writes.

On every engine: Docker, Podman, and (through `test_rootless.py`) those of an ordinary user.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import MakeBench
from tests.node.factories import COMMAND, MIB, Bench, make_claim, make_config
from vantage6.node.outcomes import judge
from vantage6.node.runtime.docker import DockerRuntime
from vantage6.node.spool import run_disks
from vantage6.node.spool.spool import Entry, Spool

pytestmark = pytest.mark.slow

LIMITS = {
    "memory_bytes": 64 * MIB,
    "pids": 64,
    "file_bytes": 4 * MIB,
    "disk_bytes": 8 * MIB,
    "seconds": 60,
}
#: Far more than any of the limits.
ATTEMPT = 256
REPORT = "\nimport json; json.dump(out, open(os.environ['OUTPUT_FILE'], 'w'))"
#: Lists every place that may be written, and which kind of file system it is on.
WHERE = """
kinds = {}
for line in open('/proc/self/mountinfo'):
    before, _, after = line.partition(' - ')
    kinds[before.split()[2]] = after.split()[0]
out = []
for folder, folders, files in os.walk('/'):
    if folder in ('/proc', '/sys'):
        folders.clear()
    for path in (folder, *(folder + '/' + name for name in files)):
        # Sockets, pipes and devices are no places to keep anything.
        if os.access(path, os.W_OK) and (os.path.isdir(path) or os.path.isfile(path)):
            device = os.stat(path).st_dev
            kind = kinds.get(f'{os.major(device)}:{os.minor(device)}', 'unknown')
            out.append([path.replace('//', '/'), kind])
"""
#: What is written there counts as memory of the container, or is kept nowhere.
IN_MEMORY = {"tmpfs", "devpts", "mqueue", "proc"}


@pytest.fixture(params=["docker_bench", "podman_bench"])
def bench(request: pytest.FixtureRequest) -> MakeBench:
    """Give a function that makes a bench on an engine, with small limits."""
    make: MakeBench = request.getfixturevalue(request.param)
    return lambda **values: make(**{"limits": LIMITS, "with_disks": True, **values})


@pytest.fixture
def greedy() -> Iterator[Callable[[Bench], str]]:
    """Give a function that makes an image with volumes at the engine of a bench."""
    made: list[tuple[Bench, str]] = []

    def make(bench: Bench) -> str:
        client, name = engine_of(bench), f"vantage6-test/volumes-{os.getpid()}"
        changes = [f"CMD {json.dumps(COMMAND)}", 'VOLUME ["/data", "/mnt/tmp/in", "/tmp"]']
        image = bench.runtime.fetch(make_claim().image, lambda: False).id
        id_ = client.create_container(image, command=["true"])["Id"]
        try:
            client.commit(id_, name, "latest", changes=changes)
        finally:
            client.remove_container(id_)
        made.append((bench, name))
        return f"{name}:latest"

    yield make
    for bench, name in made:
        bench.runtime.sweep(set())
        engine_of(bench).remove_image(name, force=True)


def engine_of(bench: Bench) -> Any:
    assert isinstance(bench.runtime, DockerRuntime)
    return bench.runtime.engine


def reason_of(bench: Bench, program: str, **claim: Any) -> str | None:
    """Return why a program ended, as the node tells it; it was ended by no one else."""
    claimed = make_claim(**claim)
    entry, exit_ = bench.run(program, claimed)
    _, reason = judge(exit_, entry.output_bytes(), bench.config.limits)
    return reason.code if reason else None


def written(path: str, *, unlinked: bool = False) -> str:
    """Return a program that writes far too much into a folder, in many files."""
    return (
        f"held = []\nfor i in range({ATTEMPT}):\n"
        f" held.append(open({path!r} + f'/{{i}}', 'wb'))\n"
        + (f" os.unlink({path!r} + f'/{{i}}')\n" if unlinked else "")
        + " held[-1].write(bytes(2**20)); held[-1].flush()"
    )


def taken(folder: Path) -> int:
    """Return what the run takes of the station's disk."""
    return (folder / "data/runs/1.img").stat().st_blocks * 512


def needs_disks(bench: Bench) -> None:
    if bench.disks is None:
        pytest.skip("an ordinary user makes no file systems; what it writes is measured")


def test_volume_of_an_image_does_not_reach_the_disk(
    bench: MakeBench, greedy: Callable[[Bench], str]
) -> None:
    here = bench()
    code = reason_of(here, written("/data"), image=greedy(here))
    # Scratch counts as memory; which of the two ends first is the kernel's to say.
    assert code in {"out_of_memory", "disk_limit"}
    mounts = engine_of(here).inspect_container(here.runtime._container(5))["Mounts"]
    assert not [mount for mount in mounts if mount["Type"] == "volume"]


def test_volume_of_an_image_is_there_and_writable(
    bench: MakeBench, greedy: Callable[[Bench], str]
) -> None:
    here = bench()
    program = "open('/data/x', 'w').write('kept'); out = open('/data/x').read()" + REPORT
    assert reason_of(here, program, image=greedy(here)) is None


def test_files_that_are_removed_and_held_open_count(bench: MakeBench, tmp_path: Path) -> None:
    here = bench()
    needs_disks(here)
    assert reason_of(here, written("/mnt/tmp", unlinked=True) + REPORT) == "disk_limit"
    assert taken(tmp_path) < 16 * MIB


def test_room_that_is_only_reserved_counts(bench: MakeBench, tmp_path: Path) -> None:
    here = bench()
    needs_disks(here)
    # Of the file's length, nothing changes: limits of files do not see it.
    program = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
file = open(os.environ['OUTPUT_FILE'], 'r+b')
if libc.fallocate(file.fileno(), 1, ctypes.c_long(0), ctypes.c_long(256 << 20)):
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""
    assert reason_of(here, program) == "disk_limit"
    assert taken(tmp_path) < 16 * MIB


def test_output_beyond_the_limit_ends_with_it(bench: MakeBench, tmp_path: Path) -> None:
    here = bench()
    program = f"file = open(os.environ['OUTPUT_FILE'], 'wb')\nfile.write(bytes({ATTEMPT} << 20))"
    assert reason_of(here, program) == "output_too_large"


def test_output_counts_with_the_shared_folder(bench: MakeBench) -> None:
    here = bench(limits={**LIMITS, "file_bytes": 64 * MIB})
    needs_disks(here)
    program = "file = open(os.environ['OUTPUT_FILE'], 'wb')\nfile.write(bytes(32 << 20))"
    assert reason_of(here, program) == "disk_limit"


@pytest.mark.parametrize("user", [None, "image"])
def test_every_writable_place_is_bounded(
    bench: MakeBench, greedy: Callable[[Bench], str], user: str | None
) -> None:
    here = bench(algorithm_user=user)
    entry, exit_ = here.run(WHERE + REPORT, make_claim(image=greedy(here)))
    assert exit_.code == 0, exit_.log
    found = json.loads(entry.read_output(10**6))
    in_memory = {path for path, kind in found if kind in IN_MEMORY}
    assert in_memory >= {"/tmp", "/data", "/mnt/tmp/in"}
    assert {path for path, _ in found} - in_memory == {
        "/mnt/tmp",
        "/mnt/data/task-000000005/output",
    }


def test_deep_folders_do_not_hide_that_the_disk_was_full(bench: MakeBench) -> None:
    here = bench(limits={**LIMITS, "disk_bytes": 64 * MIB})
    needs_disks(here)
    program = (
        "print('begun', flush=True); os.chdir('/mnt/tmp')\n"
        "for _ in range(3000): os.mkdir('d'); os.chdir('d')\n"
        f"for i in range({ATTEMPT}):\n"
        " file = os.open(f'/mnt/tmp/{i}', os.O_CREAT | os.O_WRONLY)\n"
        " for _ in range(4000): os.write(file, bytes(1024))"
    )
    entry, exit_ = here.run(program)
    assert "begun" in exit_.log
    assert here.spool.room(entry, here.config.limits) < 0
    here.spool.empty_temporary(1)
    assert list(here.spool.temporary(1).iterdir()) == []
    assert here.spool.room(entry, here.config.limits) > 0


def test_output_is_brought_home_with_its_run(bench: MakeBench) -> None:
    here = bench()
    entry, exit_ = here.run("open('/mnt/tmp/note', 'w').write('x'); out = 'model'" + REPORT)
    assert exit_.code == 0, exit_.log
    # Again, as after a crash of the node, it changes nothing.
    here.spool.collect(entry, here.config.limits)
    assert entry.read_output(100) == b'"model"'
    assert (here.spool.temporary(1) / "note").read_text() == "x"


def test_node_says_why_a_run_gets_no_disk(docker_host: str, tmp_path: Path) -> None:
    far = make_config(docker_host="tcp://127.0.0.1:9")
    near = make_config(docker_host=docker_host)
    if os.getuid() != 0:
        assert run_disks.obstacle(near, tmp_path) == "The node does not run as root."
    else:
        assert run_disks.obstacle(near, tmp_path) == ""
        assert "not a process of this machine" in run_disks.obstacle(far, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_node_says_that_its_disk_is_too_small_for_any_run(
    docker_host: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if os.getuid() != 0:
        pytest.skip("an ordinary user makes no file systems")
    assert run_disks.shortage(make_config(docker_host=docker_host), tmp_path) == ""
    small = make_config(docker_host=docker_host, keep_free_bytes=2**60)
    assert "A run may write" in run_disks.shortage(small, tmp_path)
    run_disks.open_for(small, tmp_path)
    assert "lower limits.disk_bytes" in capsys.readouterr().err


def test_disk_of_a_run_is_kept_over_a_restart_and_goes_with_its_run(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("an ordinary user makes no file systems")
    runs = tmp_path / "runs"
    runs.mkdir()
    disks = run_disks.RunDisks(runs, 8 * MIB)
    spool = Spool(tmp_path, disks)
    try:
        (spool.temporary(7) / "note").write_text("kept")
        assert os.path.ismount(runs / "7")
        file = runs / "7.img"
        os.utime(file, (0, 0))
        spool.sweep_temporary({7}, 10**12)
        os.utime(file, (0, 0))
        spool.sweep_temporary(set(), 10**12)
        assert not os.path.ismount(runs / "7")
        assert (Spool(tmp_path, disks).temporary(7) / "note").read_text() == "kept"
        os.utime(file, (0, 0))
        spool.sweep_temporary(set(), 3600)
        assert list(runs.iterdir()) == []
    finally:
        run_disks.unmount_all(runs)


def test_last_blocks_of_a_disk_do_not_hide_that_it_was_full(tmp_path: Path) -> None:
    """The kernel gives them back a moment after it refused to write more."""
    if os.getuid() != 0:
        pytest.skip("an ordinary user makes no file systems")
    disks = run_disks.RunDisks(tmp_path, 8 * MIB)
    try:
        place = disks.open(1, lambda: {1})
        assert place is not None
        assert disks.room(1) > 7 * MIB
        (place / "block").write_bytes(b"x")
        fill(place / "full")
        (place / "block").unlink()
        os.sync()
        assert os.statvfs(place).f_bavail > 0
        assert disks.room(1) < 0
    finally:
        run_disks.unmount_all(tmp_path)


def test_run_gets_a_new_disk_where_the_file_of_a_mounted_one_was_removed(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("an ordinary user makes no file systems")
    disks = run_disks.RunDisks(tmp_path, 8 * MIB)
    try:
        for _ in range(2):
            place = disks.open(1, lambda: {1})
            assert place is not None
            assert not (place / "note").exists()
            (place / "note").touch()
            (tmp_path / "1.img").unlink()
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path / "1")], check=True, timeout=60)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of its own, of 64 MiB, so that it may be filled."""
    if os.getuid() != 0:
        pytest.skip("an ordinary user makes no file systems")
    station = tmp_path / "station"
    station.mkdir()
    place = run_disks.RunDisks(station, 64 * MIB).open(1, lambda: {1})
    assert place is not None
    yield place
    run_disks.unmount_all(place / "runs")
    run_disks.unmount_all(station)


def small_spool(folder: Path) -> Spool:
    return Spool(folder, run_disks.RunDisks(folder / "runs", 12 * MIB, kept=4 * MIB))


def start(spool: Spool, run_id: int) -> Entry:
    """Take a result of a run, and give the run its disk."""
    entry = spool.create(make_claim(run_id, run_id=run_id))
    spool.temporary(run_id)
    return entry


def start_all(spool: Spool) -> list[Entry]:
    """Take results, each of another run, until there is no room."""
    made = []
    with pytest.raises(OSError, match="There is no room"):  # noqa: PT012
        for run_id in range(1, 20):
            made.append(start(spool, run_id))
    return made


def fill(path: Path) -> None:
    with pytest.raises(OSError, match="No space left on device"):
        path.write_bytes(bytes(64 * MIB))


def test_many_runs_together_do_not_fill_the_disk(small_disk: Path) -> None:
    spool = small_spool(small_disk)
    made = start_all(spool)
    assert len(made) == 4
    for entry in made:
        fill(spool.temporary(entry.record.run_id) / "full")
    # What the station itself has to write still fits.
    (small_disk / "result").write_bytes(bytes(MIB))


def test_each_run_has_its_whole_disk_or_waits_for_another_to_end(small_disk: Path) -> None:
    spool = small_spool(small_disk)
    made = start_all(spool)
    files = [small_disk / f"runs/{entry.record.run_id}.img" for entry in made]
    assert {file.stat().st_size for file in files} == {
        run_disks.RunDisks(small_disk, 12 * MIB)._whole
    }
    (spool.temporary(1) / "note").write_text("kept")
    made[0].delete()
    start(spool, 30)
    # The run that ended keeps what it wrote, but has to wait like any other.
    with pytest.raises(OSError, match="There is no room"):
        start(spool, 1)
    made[1].delete()
    assert (spool.temporary(1) / "note").read_text() == "kept"


def test_runs_that_ended_leave_the_next_ones_their_room(small_disk: Path) -> None:
    spool = small_spool(small_disk)
    for run_id in range(1, 20):
        start(spool, run_id).delete()
    assert len({file.stat().st_size for file in (small_disk / "runs").glob("*.img")}) == 1
    assert len(start_all(spool)) == 4


def test_disk_that_cannot_be_unmounted_keeps_no_other_mounted(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spool, run = small_spool(small_disk), run_disks._run
    made = start_all(spool)

    def failing(program: str, *arguments: str) -> None:
        if arguments[-1].endswith("/2"):
            raise OSError("umount does not end.")
        run(program, *arguments)

    monkeypatch.setattr(run_disks, "_run", failing)
    spool.rest(set())
    names = [str(entry.record.run_id) for entry in made]
    assert [name for name in names if os.path.ismount(small_disk / "runs" / name)] == ["2"]
    assert "umount does not end." in capsys.readouterr().err
    monkeypatch.undo()


def test_oldest_idle_run_makes_room_where_that_is_enough(small_disk: Path) -> None:
    spool = small_spool(small_disk)
    made = start_all(spool)
    for entry in made:
        fill(spool.temporary(entry.record.run_id) / "full")
    for entry in made[:2]:
        entry.delete()
    spool.rest({3, 4})
    first, second = (small_disk / f"runs/{run_id}.img" for run_id in (1, 2))
    # A run that was used a moment ago may go on.
    with pytest.raises(OSError, match="There is no room"):
        start(spool, 30)
    assert first.exists()
    assert second.exists()
    os.utime(first, (1, 1))
    os.utime(second, (2, 2))
    start(spool, 30)
    assert not first.exists()
    assert second.exists()


def test_run_with_a_plain_folder_from_before_keeps_it(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("an ordinary user makes no file systems")
    plain = Spool(tmp_path)
    (plain.temporary(7) / "note").write_text("kept")
    spool = Spool(tmp_path, run_disks.RunDisks(tmp_path / "runs", 8 * MIB))
    assert (spool.temporary(7) / "note").read_text() == "kept"
    assert not os.path.ismount(tmp_path / "runs/7")
