"""Measure speed and memory. ``make bench`` runs it.

Nothing here is asserted: numbers depend on the machine, ratios less so.
"""

import argparse
from pathlib import Path

from benchmarks import (
    crypto,
    importing,
    iterating,
    job,
    judging,
    payloads,
    server,
    starting,
    waiting,
)


def main() -> None:
    """Measure against the machine and against the original."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument(
        "what",
        nargs="?",
        choices=["crypto", "import", "iterating", "job", "judging", "server", "start", "waiting"],
        help="default: all",
    )
    parser.add_argument("--rounds", type=int, default=10, help="job: repetitions of each number")
    parser.add_argument("--seconds", type=float, default=3.0, help="server: time for each number")
    parser.add_argument(
        "--engine", choices=server.ENGINES, action="append", help="server: default: all of them"
    )
    parser.add_argument("--only", default="", help="server: only numbers whose name contains this")
    parser.add_argument(
        "--tasks", type=int, default=100_000, help="server: largest number of tasks"
    )
    parser.add_argument("--nodes", type=int, default=1000, help="waiting: how many nodes wait")
    parser.add_argument("--json", type=Path, help="server: write the numbers to this file, too")
    arguments = parser.parse_args()
    if arguments.what in (None, "crypto"):
        crypto.measure()
        payloads.measure()
    if arguments.what in (None, "import"):
        importing.measure()
    if arguments.what in (None, "start"):
        starting.measure()
    if arguments.what in (None, "job"):
        job.measure(arguments.rounds)
    if arguments.what in (None, "judging"):
        judging.measure()
    if arguments.what in (None, "iterating"):
        iterating.measure(max(1, arguments.rounds // 3))
    if arguments.what in (None, "waiting"):
        waiting.measure(arguments.nodes)
    if arguments.what in (None, "server"):
        server.measure(
            arguments.engine or server.ENGINES,
            seconds=arguments.seconds,
            most_tasks=arguments.tasks,
            only=arguments.only,
            file=arguments.json,
        )


if __name__ == "__main__":
    main()
