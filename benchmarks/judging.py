"""Judge outputs beside a large table: time of a small output, memory of a large one, the sketch."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from vantage6.common.disclosure.floors import Floors
from vantage6.node.release.checks import all_checks
from vantage6.node.release.judge import Question, judge
from vantage6.node.sketch.sketch import Sketch

MEGABYTE = 10**6
_ROWS_AT_ONCE = 50_000
_ROUNDS = 5


def measure(rows: int = 10**6, columns: int = 50) -> None:
    """Print how long a sketch and judgements take, and how much memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table, made = folder / "table.csv", folder / "sketch"
        made.mkdir()
        _write_table(table, rows, columns)
        seconds, busy, peak = _sketch(table, made)
        print(
            f"sketch of {rows:,} rows x {columns} columns ({table.stat().st_size / 1e6:.0f} MB): "
            f"{seconds:.1f} s, {busy:.1f} s of a processor, {peak / 1024:.0f} MiB; "
            f"{sum(file.stat().st_size for file in made.iterdir()) / 1e6:.0f} MB on disk"
        )
        sketch, output = Sketch(made), folder / "output"
        for megabytes in (1, 100):
            _write_output(output, megabytes * MEGABYTE)
            before = _peak()
            seconds = min(_judge(output, sketch) for _ in range(_ROUNDS if megabytes == 1 else 1))
            print(
                f"judge {megabytes} MB: {seconds * 1000:.0f} ms of a processor, "
                f"{(_peak() - before) / 1024:.1f} MiB more"
            )


def _write_table(path: Path, rows: int, columns: int) -> None:
    random = np.random.default_rng(1)
    kinds = ("normal", "normal", "normal", "rounded", "whole", "level", "id")
    for first in range(0, rows, _ROWS_AT_ONCE):
        count = min(_ROWS_AT_ONCE, rows - first)
        part = {}
        for number in range(columns):
            kind = kinds[number % len(kinds)]
            if kind == "normal":
                values = random.normal(size=count)
            elif kind == "rounded":
                values = random.normal(50, 10, count).round(2)
            elif kind == "whole":
                values = random.integers(0, 100, count)
            elif kind == "level":
                values = np.char.add("level ", random.integers(0, 200, count).astype(str))
            else:
                values = np.char.add("id ", np.arange(first, first + count).astype(str))
            part[f"{kind}{number}"] = values
        pd.DataFrame(part).to_csv(path, mode="a", header=first == 0, index=False)


def _write_output(path: Path, size: int) -> None:
    random = np.random.default_rng(2)
    with path.open("w") as file:
        file.write('{"numbers": [0')
        while file.tell() < size - 10:
            file.write("," + json.dumps(random.normal(size=1000).tolist())[1:-1])
        file.write("]}")


def _sketch(table: Path, folder: Path) -> tuple[float, float, int]:
    """Return seconds, seconds of a processor, and KiB of memory."""
    words = [str(table), "csv", str(folder), "5", str(2**30)]
    begin = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-m", "vantage6.node.sketch.sketching", *words])
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = status
    if status:
        raise SystemExit("the sketch failed")
    return time.perf_counter() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss


def _judge(output: Path, sketch: Sketch) -> float:
    begin = time.process_time()
    judge(output, Question(floors=Floors(), is_strict=True), all_checks(sketch))
    return time.process_time() - begin


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
