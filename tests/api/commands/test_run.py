"""One process of a server in the foreground, as containers have it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
import yaml

from tests.services.process import Process
from tests.waiting import eventually
from vantage6.sandbox.ports import free_port

VSERVER = Path(sys.executable).with_name("vserver")


def configure(folder: Path, **settings: object) -> Path:
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump({"application": {"data_dir": str(folder), **settings}}))
    return file


@pytest.mark.slow
def test_the_api_runs_in_the_foreground(tmp_path: Path, redis_url: str):
    port = free_port()
    file = configure(tmp_path, port=port, broker=redis_url, workers=1)
    subprocess.run([VSERVER, "migrate", "--config", file], check=True, timeout=60)
    process = Process([str(VSERVER), "run", "api", "--config", str(file)], tmp_path / "api.log")
    # In its place, so that a signal to it is one to the process.
    process.wait_until(lambda: answers(port))
    assert "gunicorn" in Path(f"/proc/{process.pid}/cmdline").read_text()
    assert process.stop() == 0


def stays(file: Path) -> bool:
    """Tell whether nothing has touched a file for some seconds; what was begun may end before."""
    last = file.stat().st_mtime
    time.sleep(3)
    return file.stat().st_mtime == last


def answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/api/health", timeout=2).json()["database"]
    except httpx2.HTTPError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("program", ["worker", "beat"])
def test_workers_and_beat_show_that_they_get_on(tmp_path: Path, redis_url: str, program: str):
    file = configure(tmp_path, broker=redis_url)
    subprocess.run([VSERVER, "migrate", "--config", file], check=True, timeout=60)
    shown = tmp_path / "alive"
    running = [
        Process(
            [str(VSERVER), "run", name, "--config", str(file)],
            tmp_path / f"{name}.log",
            environment={
                **os.environ,
                **({"V6_ALIVE_FILE": str(shown)} if name == program else {}),
            },
        )
        for name in ("worker", "beat")
    ]
    try:
        running[0].wait_until(shown.exists)
        first = shown.stat().st_mtime
        running[0].wait_until(lambda: shown.stat().st_mtime > first)
        if program == "worker":
            running[1].kill()
            eventually(lambda: stays(shown), 60)
    finally:
        for process in running:
            process.kill()


@pytest.mark.parametrize(
    ("settings", "program", "said"),
    [({}, "api", "broker: "), ({"flower": None}, "flower", "flower: null")],
)
def test_what_cannot_run_is_said(
    tmp_path: Path, settings: dict[str, object], program: str, said: str
):
    file = configure(tmp_path, **settings)
    done = subprocess.run(
        [VSERVER, "run", program, "--config", file], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 10
    assert said in done.stderr
