"""``vnode audit show`` and ``content``: what was asked and what left, for people."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from vantage6.common.cli import console
from vantage6.common.terminal_text import harmless
from vantage6.node.commands.base import on_node

if TYPE_CHECKING:
    from vantage6.node.instance import Instance

_HEADER = ("Time", "Result", "Task", "Organization", "User", "Image", "Method", "Ended", "Left")
_COLUMNS = ("task_id", "organization", "user", "image", "method")


@click.command()
@click.option("--today", is_flag=True, help="Only what happened today (UTC).")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Only what happened on a day (UTC).")
@on_node
def show(instance: "Instance", today: bool, day: datetime | None) -> None:
    """Print a line for each result, by day: who asked for what, how it ended, how much left.

    What left is the output, the log, what was printed meanwhile, and the inputs of sub-tasks. It
    is the most that may have left: an upload counts that the server refused, or that broke off.
    `vnode audit content` prints an output or a log where `keep_outputs_days` is set.
    """
    from vantage6.node.reports.record import audit_path
    from vantage6.node.reports.runs import runs
    from vantage6.node.rules.audit import entries

    chosen = f"{datetime.now(UTC):%Y-%m-%d}" if today else f"{day:%Y-%m-%d}" if day else None
    found = [
        row
        for row in sorted(runs(entries(audit_path(instance))), key=lambda row: str(row["at"]))
        if chosen is None or row["at"].startswith(chosen)
    ]
    if not found:
        console.say(f"The audit file has no results{f' of {chosen}' if chosen else ' yet'}.")
        return
    table = [_HEADER, *(_cells(row) for row in found)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    shown_day = ""
    for row, cells in zip([None, *found], table, strict=True):
        if row is not None and row["at"][:10] != shown_day:
            shown_day = row["at"][:10]
            console.say(f"{shown_day}")
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        console.say("  ".join(padded).rstrip())


@click.command()
@click.argument("result", type=int)
@click.option("--log", "wants_log", is_flag=True, help="What it printed, in place of the output.")
@on_node
def content(instance: "Instance", result: int, wants_log: bool) -> None:
    """Print what was sent for a result, where the station keeps it (`keep_outputs_days`).

    Also what the server refused, and an upload that broke off.
    """
    from vantage6.node.reports.record import read_copy

    kept = read_copy(instance.data, result, "log" if wants_log else "output")
    if sys.stdout.isatty():
        # SECURITY: it is whatever an algorithm wrote.
        console.say(harmless(kept.decode("utf-8", "replace")))
    else:
        sys.stdout.buffer.write(kept)


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    from vantage6.node.outcomes import size

    left = row["left_bytes"]
    cells = (
        row["at"][11:19],
        row["result_id"],
        *(row[key] if row[key] is not None else "-" for key in _COLUMNS),
        row["ended"] or "-",
        size(left) if left else "nothing",
    )
    # SECURITY: names of images, methods and users come from outside.
    return tuple(harmless(str(cell)) for cell in cells)
