"""The demonstration says what it should, twice, and leaves nothing behind."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def run(folder: Path, *arguments: str) -> str:
    """Run the demonstration without an engine, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo", "--folder", folder, *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "DOCKER_HOST": "unix:///nowhere"},
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
        assert "/apidocs" in said
        assert not left_over(tmp_path)


def test_what_is_kept_can_be_used_and_stopped(tmp_path: Path) -> None:
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
    run(tmp_path, "--stop")
    assert not left_over(tmp_path)
