"""The demonstration says what it should, twice, and leaves nothing behind."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import docker
import psutil
import pytest

from vantage6.sandbox.federation import Federation
from vantage6.sandbox.programs import BIN

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


NO_ENGINE = "unix:///nowhere"


def run(folder: Path, *arguments: str, engine: str = NO_ENGINE) -> str:
    """Run the demonstration, without an engine if none is given, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo", "--folder", folder, *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "DOCKER_HOST": engine},
        capture_output=True,
        text=True,
        check=True,
        timeout=200,
    )
    assert not done.stderr
    return done.stdout


def left_over(folder: Path) -> list[psutil.Process]:
    """Return the processes of a demonstration, this one aside."""
    return [p for p in psutil.process_iter(["cmdline"]) if str(folder) in str(p.info["cmdline"])]


def test_two_runs_show_the_numbers_of_the_user_documentation(tmp_path: Path) -> None:
    for _ in range(2):
        said = run(tmp_path)
        assert "not isolated; no Docker engine answers" in said
        assert said.count("{'sum': 253, 'count': 4}") == 2
        assert said.count("{'sum': 173, 'count': 4}") == 2
        assert "{'average': 53.25}" in said
        assert "{'average': 56.0}" in said
        # Links would lead to what does not run any more.
        assert "http" not in said.partition("nodes are online")[2]
        assert not left_over(tmp_path)


def test_what_is_kept_can_be_used_and_stopped_however_it_was_started(tmp_path: Path) -> None:
    said = run(tmp_path, "--keep")
    snippet = "\n".join(
        line.strip() for line in said.splitlines() if line.strip().startswith(("from ", "client"))
    )
    snippet += "\nprint(client.collaboration.list(fields=['id', 'name']))\nclient.close()"
    done = subprocess.run(
        [sys.executable, "-c", snippet], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[{'id': 1, 'name': 'example_collab1'}]\n"
    variables = dict(re.findall(r"export (\w+)=(.*)", said))
    done = subprocess.run(
        [sys.executable, "-m", "examples.average"],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "completed {'average': 56.0}\n"
    password = (tmp_path / "server" / "flower.key").read_text()
    assert password not in said
    assert f"{tmp_path}/server/flower.key" in said
    check_stop(tmp_path)


def check_stop(folder: Path) -> None:
    """Stop a demonstration with a node that was started by hand; an editor of its file stays."""
    federation = Federation(folder, {"example_org1": ()})
    configuration = federation.node_file("example_org1")
    federation.stop_node("example_org1")
    started = subprocess.run(
        [BIN / "vnode", "start", "--config", configuration.relative_to(folder.parent)],
        cwd=folder.parent,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert started.returncode == 0, started.stderr
    editor = [sys.executable, "-c", "import time; time.sleep(100)", str(configuration)]
    with subprocess.Popen(editor) as editing:
        try:
            assert "supervisord" in run(folder, "--stop")
            assert [process.pid for process in left_over(folder)] == [editing.pid]
        finally:
            editing.kill()


def test_own_data_makes_a_station_of_each_file(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "hospital a.csv").write_text("height\n150\n160\n")
    (data / "hospital_b.csv").write_text("height\n200\n")
    (data / "notes.txt").write_text("no data")
    input_ = {"method": "average_partial", "kwargs": {"column_name": "height"}}
    said = run(tmp_path / "demo", "--data", str(data), "--input", json.dumps(input_))
    assert "two nodes are online" in said
    assert "  hospital_a  {'sum': 310, 'count': 2}\n  hospital_b  {'sum': 200, 'count': 1}" in said
    assert not left_over(tmp_path / "demo")


def test_an_own_image_runs(tmp_path: Path, docker_host: str, average_image: str) -> None:
    image = f"own/{tmp_path.name.replace('_', '-')}:1.0"
    engine = docker.from_env()
    engine.images.get(average_image).tag(image)
    try:
        input_ = {"method": "master", "master": True, "kwargs": {"column_name": "age"}}
        # Sub-tasks are for the image of the task, which has to be allowed as well.
        arguments = ["--image", image, "--input", json.dumps(input_)]
        assert "{'average': 56.0}" in run(tmp_path, *arguments, engine=docker_host)
    finally:
        engine.images.remove(image)
        engine.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--image", "own:1.0"], "IMAGE=own:1.0 needs a container engine, and none answers."),
        (["--data", "/nowhere"], "DATA=/nowhere is no folder."),
        (["--data", "/proc/self/fdinfo"], "holds no file of these kinds: .csv, .parquet, .xlsx."),
    ],
)
def test_what_cannot_be_set_up_is_said(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo", "--folder", tmp_path, *arguments],
        cwd=ROOT,
        env={**os.environ, "DOCKER_HOST": NO_ENGINE},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
