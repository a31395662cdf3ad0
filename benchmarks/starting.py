"""Measure the time from `vserver start` to the first answer, with SQLite and a private Redis."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx2
from rich.console import Console

from vantage6.sandbox.ports import free_port

ROUNDS = 4
_VSERVER = Path(sys.executable).with_name("vserver")

console = Console(highlight=False, soft_wrap=True)


def measure() -> None:
    """Print a line for the first start, which makes the database, and one for the others."""
    with tempfile.TemporaryDirectory(prefix="v6-start-") as folder:
        times = [_start(Path(folder)) for _ in range(ROUNDS)]
    console.print("\nvserver start                first answer   command returns")
    for name, (answer, end) in (("first start", times[0]), ("later start", min(times[1:]))):
        console.print(f"{name:<28}{answer:10.2f} s{end:16.2f} s")


def _start(folder: Path) -> tuple[float, float]:
    """Return the seconds until the first answer, and until everything answers."""
    port = free_port()
    file = folder / "server.yaml"
    file.write_text(f"application: {{data_dir: {folder}, port: {port}}}\n")
    began = time.perf_counter()
    with subprocess.Popen(
        [_VSERVER, "start", "--config", file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as starting:
        try:
            answered = _wait(f"http://127.0.0.1:{port}/api/version") - began
            starting.wait(120)
            return answered, time.perf_counter() - began
        finally:
            subprocess.run([_VSERVER, "stop", "--config", file], check=True, timeout=120)


def _wait(address: str) -> float:
    """Return the moment of the first answer."""
    deadline = time.perf_counter() + 60
    while time.perf_counter() < deadline:
        try:
            httpx2.get(address, timeout=1)
        except httpx2.HTTPError:
            time.sleep(0.01)
        else:
            return time.perf_counter()
    raise TimeoutError("The server does not answer.")
