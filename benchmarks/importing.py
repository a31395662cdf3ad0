"""Measure what ``import vantage6.client`` takes, here and in the published package."""

import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

ROUNDS = 5
#: Prints seconds on the clock, seconds of the processor, and peak memory in MiB.
_SCRIPT = """
import time
wall, cpu = time.perf_counter(), time.process_time()
from vantage6.client import Client
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
from pathlib import Path
peak = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
print(wall, cpu, int(peak) / 1024)
"""

console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Import:
    """Medians of some imports, each in a process of its own."""

    milliseconds: float
    processor_milliseconds: float
    mebibytes: float


def measure() -> None:
    """Print a line for our client, and one for the original where its environment exists."""
    console.print("\nimport vantage6.client")
    environments = {"here": Path(sys.executable)}
    cache = Path.home() / ".cache" / "vantage6"
    for folder in sorted(cache.glob("peer-3.11.1-*")):  # tests/peer makes it
        environments["vantage6-client 3.11.1"] = folder / "bin" / "python"
    for name, python in environments.items():
        found = imported(python)
        console.print(
            f"{name:<28}{found.milliseconds:6.0f} ms ({found.processor_milliseconds:.0f} ms of the "
            f"processor)   peak memory {found.mebibytes:.0f} MiB"
        )


def imported(python: Path, rounds: int = ROUNDS) -> Import:
    """Return what the import takes in an environment."""
    command = [str(python), "-I", "-W", "ignore", "-c", _SCRIPT]
    runs = []
    for _ in range(rounds):
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60, check=True)
        runs.append([float(word) for word in done.stdout.split()])
    wall, processor, peak = map(statistics.median, zip(*runs, strict=True))
    return Import(wall * 1000, processor * 1000, peak)


if __name__ == "__main__":
    measure()
