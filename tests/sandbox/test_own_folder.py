"""A demonstration removes and ends only what a demonstration made."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from vantage6.common.errors import Conflict
from vantage6.sandbox import leftovers
from vantage6.sandbox.own_folder import MARK, make_empty, remove

ROOT = Path(__file__).resolve().parents[2]


def demo(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the demonstration as far as it gets, without a container engine."""
    return subprocess.run(
        [sys.executable, "-m", "examples.demo", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the containers of this machine out of it."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Return a folder of somebody's, with data in it."""
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "ages.csv").write_text("age\n60\n")
    return tmp_path / "study"


@pytest.fixture
def node(study: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Give a program in it that is called like a node."""
    program = "print(flush=True); import time; time.sleep(100)"
    command = ["vnode", "-c", program, str(study / "node.yaml")]
    with subprocess.Popen(command, executable=sys.executable, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("more", [[], ["--stop"]])
def test_folder_of_somebody_is_left_as_it_is(
    study: Path, node: subprocess.Popen[bytes], more: list[str]
) -> None:
    done = demo("--folder", study, *more)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{study} holds what no demonstration made.")
    assert (study / "ages.csv").exists()
    assert node.poll() is None
    assert leftovers.end_users_of(study) == []
    assert node.poll() is None


def test_programs_in_the_folder_of_a_demonstration_are_ended(
    study: Path, node: subprocess.Popen[bytes]
) -> None:
    (study / MARK).touch()
    assert [str(node.pid) in said for said in leftovers.end_users_of(study)] == [True]
    assert not psutil.pid_exists(node.pid)


def test_an_algorithm_of_ours_in_the_folder_of_a_demonstration_is_ended(study: Path) -> None:
    (study / MARK).touch()
    # As the node starts it: with a module of ours, and the folder in the environment only.
    program = "print(flush=True); import time; time.sleep(100)"
    # The third word is the module.
    command = ["python3", f"-c{program}", "vantage6.algorithms.statistics"]
    with subprocess.Popen(
        command,
        executable=sys.executable,
        env={"OUTPUT_FILE": str(study / "output"), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout
            process.stdout.readline()
            (said,) = leftovers.end_users_of(study)
            assert str(process.pid) in said
            assert not psutil.pid_exists(process.pid)
        finally:
            process.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_file_systems_in_the_folder_of_a_demonstration_are_unmounted(study: Path) -> None:
    place = study / "runs of a node"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True, timeout=30)
    try:
        assert leftovers.end_users_of(study) == []
        assert place.is_mount()
        (study / MARK).touch()
        with pytest.raises(Conflict, match="unmount it as root"):
            remove(study)
        assert leftovers.end_users_of(study) == [f"file system {place}"]
        assert not place.is_mount()
        remove(study)
        assert not study.exists()
    finally:
        subprocess.run(["umount", "--lazy", place], check=False, capture_output=True, timeout=30)


@pytest.mark.parametrize("is_linked", [False, True])
def test_data_in_the_folder_of_a_demonstration_is_not_removed(
    study: Path, tmp_path: Path, is_linked: bool
) -> None:
    folder = tmp_path / "demo"
    make_empty(folder)
    study.rename(folder / "mine")
    data = folder / "mine"
    if is_linked:
        data = tmp_path / "elsewhere"
        data.mkdir()
        (data / "ages.csv").symlink_to(folder / "mine" / "ages.csv")
    done = demo("--folder", folder, "--data", data)
    assert done.returncode == 1
    assert "which a demonstration empties. Move it elsewhere." in done.stderr
    assert (folder / "mine" / "ages.csv").exists()


def test_own_folder_is_emptied_and_stays_own(tmp_path: Path, study: Path) -> None:
    folder = tmp_path / "demo"
    for _ in range(2):
        make_empty(folder)
        assert [entry.name for entry in folder.iterdir()] == [MARK]
        (folder / "server").mkdir()
        (folder / "server" / "log").touch()
        (folder / "link").symlink_to(study)
        (folder / "gone").symlink_to(tmp_path / "nowhere")
    assert (study / "ages.csv").exists()
    with pytest.raises(ValueError, match="holds what no demonstration made"):
        make_empty(study)


def test_make_clean_leaves_what_the_other_commands_did_not_make(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in (".demo/mine.csv", "dist/thesis.txt", "dist/vantage6-3.12.0.tar.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    clean = ["make", "--silent", "clean"]
    subprocess.run(clean, cwd=tmp_path, check=True, timeout=60)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"Makefile", ".demo/mine.csv", "dist/thesis.txt"}
    (tmp_path / ".demo" / MARK).touch()
    (tmp_path / "dist" / "thesis.txt").unlink()
    subprocess.run(clean, cwd=tmp_path, check=True, timeout=60)
    assert [path.name for path in tmp_path.iterdir()] == ["Makefile"]


def test_process_that_ends_meanwhile_is_passed_over(
    study: Path, node: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at its command and its end."""
    (study / MARK).touch()
    find = leftovers._processes

    def found(folder: Path) -> list[tuple[psutil.Process, list[str]]]:
        processes = list(find(folder))
        node.kill()
        node.wait()
        return processes

    monkeypatch.setattr(leftovers, "_processes", found)
    assert leftovers.end_users_of(study) == []
