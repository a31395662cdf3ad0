"""``vnode audit show`` and ``content``: what was asked and what left, for people."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from vantage6.common.cli import console
from vantage6.common.terminal_text import harmless
from vantage6.node.commands.audit import audit_path
from vantage6.node.commands.base import on_node

if TYPE_CHECKING:
    from vantage6.node.instance import Instance

_HEADER = ("Time", "Result", "Task", "Organization", "User", "Image", "Method", "Ended", "Left")
_COLUMNS = ("task_id", "organization", "user", "image", "method")
#: How a result ended, where the record says it without a status.
_ENDS = {"refused": "refused", "stopped": "stopped here", "dropped": "not wanted"}


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
    from vantage6.common.errors import ConfigurationError
    from vantage6.node.rules.kept_outputs import copy_of

    kind = "log" if wants_log else "output"
    try:
        kept = copy_of(instance.data, result, kind).read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"No {kind} of result {result} is kept: none left, its time is over, or "
            "`keep_outputs_days` was not set."
        ) from error
    if sys.stdout.isatty():
        # SECURITY: it is whatever an algorithm wrote.
        console.say(harmless(kept.decode("utf-8", "replace")))
    else:
        sys.stdout.buffer.write(kept)


def runs(events: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what the record tells of each result, in no order."""
    found: dict[int, dict[str, Any]] = {}
    for event in events:
        result_id, name = event.get("result_id"), event["event"]
        if not isinstance(result_id, int):
            continue
        if name == "asked" and (result_id not in found or found[result_id]["ended"]):
            # Asked for anew, as after a restart, it is the same line until it has ended.
            if result_id in found:
                yield found.pop(result_id)
            found[result_id] = {
                "result_id": result_id,
                "at": str(event.get("at") or ""),
                "ended": "",
                "left": 0,
            }
            found[result_id] |= {key: event.get(key) for key in _COLUMNS}
        row = found.get(result_id)
        if row is not None:
            _add(row, name, event)
    yield from found.values()


def _add(row: dict[str, Any], name: str, event: Mapping[str, Any]) -> None:
    if name == "released":
        if row["ended"] in ("", row.get("status")):
            row["ended"] = row["status"] = event.get("status") or ""
        # SECURITY: what an earlier line announces may have left, whatever came after it.
        left = (event.get("output_bytes") or 0) + (event.get("log_bytes") or 0)
        row["released"] = max(row.get("released", 0), left)
    elif name == "stopped" and not event.get("left_before"):
        row["ended"] = _ENDS[name]
    elif name in _ENDS and not row["ended"]:
        code = event.get("code")
        row["ended"] = f"{_ENDS[name]}: {code}" if code else _ENDS[name]
    elif name == "subtask":
        row["left"] += event.get("all_input_bytes") or 0
    elif name == "live_log":
        row["live"] = event.get("sent_bytes") or 0


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    from vantage6.node.outcomes import size

    left = row["left"] + row.get("released", 0) + row.get("live", 0)
    cells = (
        row["at"][11:19],
        row["result_id"],
        *(row[key] if row[key] is not None else "-" for key in _COLUMNS),
        row["ended"] or "-",
        size(left) if left else "nothing",
    )
    # SECURITY: names of images, methods and users come from outside.
    return tuple(harmless(str(cell)) for cell in cells)
