"""An API as `vserver start` runs it, as a process of its own."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil

from tests.services.process import Process
from vantage6.common.config import Instance
from vantage6.common.config.instance import FILE_VARIABLE
from vantage6.server import supervision

MEGA = 2**20


@contextmanager
def served(instance: Instance, log: Path) -> Iterator[Process]:
    """Run the API of an instance, whose database is there; no request may fail inside."""
    settings = supervision.GUNICORN_SETTINGS
    process = Process(
        [
            *(sys.executable, "-m", "gunicorn", "-c", str(settings)),
            "vantage6.api.app:from_environment()",
        ],
        log,
        environment={**os.environ, FILE_VARIABLE: str(instance.file), "MALLOC_ARENA_MAX": "1"},
    )

    def answers() -> bool:
        try:
            return httpx2.get(f"{supervision.address(instance)}/version").status_code == 200
        except httpx2.HTTPError:
            return False

    process.wait_until(answers)
    try:
        yield process
    finally:
        process.kill()
    assert "request failed" not in log.read_text()


def memory(process: Process) -> float:
    """Return what an API takes in MiB, shared pages in parts."""
    main = psutil.Process(process.pid)
    every = [main, *main.children(recursive=True)]
    return sum(one.memory_full_info().pss for one in every) / MEGA
