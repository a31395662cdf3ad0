"""A station that ends like with ``kill -9`` at one of its durable steps. Its lives are forks.

A line of JSON on standard input begins a life, and one on standard output tells how it ended.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.node.contexts import new_context
from vantage6.common.errors import Conflict, NotFound
from vantage6.node.work.context import NodeContext
from vantage6.node.work.scheduler import Scheduler

PROGRAM = """
import os
open(os.environ['TEMPORARY_FOLDER'] + '/runs', 'a').write('x')
open(os.environ['OUTPUT_FILE'], 'w').write('done')
"""
RESULT = 5
IMAGE = "crashing/program"
_LIFE_SECONDS = 30.0
#: A life that ended by itself, and one that did not get to its end.
DONE, LATE = 0, 3


def make_context(folder: Path, port: int) -> NodeContext:
    """Return what a life of the station consists of."""
    return new_context(
        folder,
        port,
        processes={IMAGE: ("python3", "-S", "-c", PROGRAM)},
        policies={"allowed_algorithms": ".*", "approval": "always"},
    )


def end_at(step: int) -> Callable[[], int]:
    """End this process at one of the moments when something is to be safe on disk.

    Returns what tells how many of them there were.
    """
    fsync, lock, count = os.fsync, threading.Lock(), 0

    def counting(descriptor: int) -> None:
        nonlocal count
        with lock:
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)
        fsync(descriptor)

    os.fsync = counting
    return lambda: count


def live(folder: Path, port: int, step: int, answer: str) -> tuple[int, int]:
    """Live until the result has left; return how it ended, and how many steps it took."""
    steps = end_at(step)
    context = make_context(folder, port)
    scheduler = Scheduler(context)
    scheduler.adopt()
    scheduler.accept(RESULT)
    end = time.monotonic() + _LIFE_SECONDS
    while scheduler.report() != ([], []):
        if time.monotonic() > end:
            return LATE, steps()
        try:
            if answer == "approve":
                context.gate.held.approve(RESULT, "bob", context.gate.held.get(RESULT).code)
            else:
                context.gate.held.deny(RESULT, "bob", "No.")
        except (NotFound, Conflict):
            pass  # not held yet, or answered already
        scheduler.take_up()
        time.sleep(0.005)
    return DONE, steps()


def main() -> None:
    """Live as often as one is asked to."""
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            log = os.open(Path(asked["folder"]) / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
            told = live(Path(asked["folder"]), asked["port"], asked["step"], asked["answer"])
            os.write(writing, json.dumps(told).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            said = pipe.read()
        os.waitpid(child, 0)
        print(said or "null", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
