"""A Docker engine, and the images of our algorithms."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.services import missing, needs

_SCRIPTS = Path(__file__).parents[2] / "scripts"


#: Names a file that is there once a process of this test run has started the engine.
_STARTED = "V6_TEST_ENGINE_STARTED"


def engine() -> str:
    """Return the address of an engine that answers, after starting one if none does."""
    needs("docker")
    was_running = _script("docker-engine.sh", "status").returncode == 0
    found = _script("docker-engine.sh", "host")
    if found.returncode:
        missing(f"a Docker engine ({found.stderr.strip()})")
    if not was_running:
        Path(os.environ[_STARTED]).touch()
    return found.stdout.strip()


@contextmanager
def engine_of_run() -> Iterator[None]:
    """Stop the engine at the end of a test run, whichever of its processes started it."""
    with TemporaryDirectory() as folder:
        os.environ[_STARTED] = str(Path(folder) / "started")
        yield
        if Path(os.environ.pop(_STARTED)).exists():
            _script("docker-engine.sh", "stop")


def own_suffix() -> str:
    """Return an end for names at the engine that no other test and no other process uses."""
    return f"-{uuid.uuid4().hex[:6]}"


def build_images() -> None:
    """Build the images of all algorithms that are not up to date."""
    built = _script("build-images.sh", seconds=900)
    if built.returncode:
        pytest.fail(f"the images cannot be built:\n{built.stderr}", pytrace=False)


def build_services_image() -> str:
    """Build the image of the node's own helpers, and return its name."""
    built = _script("services-image.sh", seconds=600)
    if built.returncode:
        missing(f"the image of the node's helpers ({built.stderr.strip()[-500:]})")
    return "vantage6/services:latest"


def _script(name: str, *arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [_SCRIPTS / name, *arguments],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env={**os.environ, "PYTHON": sys.executable},
    )
