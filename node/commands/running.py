"""``vnode running`` and ``kill``: what a node computes at the moment, and its end."""

from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from vantage6.common.cli import console
from vantage6.common.errors import Unavailable, V6Error
from vantage6.common.terminal_text import harmless
from vantage6.node.commands.base import on_node

if TYPE_CHECKING:
    from vantage6.node.instance import Instance
    from vantage6.node.spool.spool import Entry

_HEADER = ("Result", "State", "Image", "Method", "Organization", "User", "Since", "Memory")


@click.command()
@on_node
def running(instance: "Instance") -> None:
    """List what a node computes, waits to compute, or has yet to deliver."""
    from vantage6.node.control import ask_node

    found = ask_node(instance, "running")
    if not found:
        console.say(
            f"Node {instance.name}: no result runs or waits. `vnode audit show` lists ended ones."
        )
        return
    table = [_HEADER, *(_row(one) for one in found)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.say("  ".join(cells).rstrip())


@click.command()
@click.argument("result", type=int)
@click.option("--reason", required=True, help="Why, for the researcher, who reads it.")
@on_node
def kill(instance: "Instance", result: int, reason: str) -> None:
    """Stop a result, and all others of its run at this node: nothing more of them leaves.

    An upload that is under way is broken off. A result that the server may have already is named.
    The researcher reads that the data station stopped it, and the reason. What was printed and
    sent before is not taken back, but replaced at the server.
    """
    from vantage6.node.control import KILL_SECONDS, ask_node

    answer = ask_node(instance, "kill", KILL_SECONDS, result_id=result, reason=reason)
    say_stopped(answer)


def say_stopped(answer: dict[str, list[int]]) -> None:
    """Print what was stopped, and what came too late."""
    stopped, left_before = answer["stopped"], answer["left before"]
    if stopped:
        console.info(f"Stopped: {_names(stopped)}.")
    elif not left_before:
        console.info("No result ran; there was nothing to stop.")
    if left_before:
        console.warning(
            f"Too late for {_names(left_before)}: its result had left before, and the server may "
            "have it. `vnode audit show` tells how much."
        )
    if left := answer["to be told"]:
        console.warning(
            f"The server has not yet heard of the end of {_names(left)}; the node reports it."
        )


def _names(result_ids: Iterable[int]) -> str:
    return ", ".join(f"result {id_}" for id_ in result_ids)


def stop_all(instance: "Instance", reason: str) -> bool:
    """Have a node that runs stop everything; return whether it did."""
    from vantage6.node.control import KILL_SECONDS, ask_node

    try:
        say_stopped(ask_node(instance, "kill all", KILL_SECONDS, reason=reason))
    except V6Error as error:
        # Its end does not depend on its answer.
        console.warning(f"{error} Its algorithms are ended after it.")
        return False
    return True


def stop_left(instance: "Instance", reason: str) -> bool:
    """Stop what a node that does not run has left; return whether there was anything.

    The server is told when the node starts again.

    Raises
    ------
    Unavailable
        If something could not be ended. Everything else is.
    """
    import os

    from vantage6.node.daemon import make_runtime
    from vantage6.node.services.services import Services
    from vantage6.node.spool.spool import Spool

    failures = []
    with ExitStack() as ends:
        ends.callback(os.close, instance.lock())
        found = Spool(instance.data).entries()
        if not found:
            return False
        # First of all: what is marked does not leave, whatever an engine does.
        left_before = _mark(instance, found, reason)
        try:
            runtime = make_runtime(instance, Services().dial)
        except V6Error as error:
            ids = [entry.record.result_id for entry in found]
            raise Unavailable(_not_ended([f"{_names(ids)}: {error}"])) from error
        ends.callback(runtime.close)
        ended = []
        for id_ in (entry.record.result_id for entry in found):
            try:
                # Also what an earlier call has marked: it may not have reached the engine.
                runtime.kill(id_)
                ended.append(id_)
            except Exception as error:
                failures.append(f"result {id_}: {error}")
    stopped = [id_ for id_ in ended if id_ not in left_before]
    say_stopped({"stopped": stopped, "left before": left_before, "to be told": ended})
    if failures:
        raise Unavailable(_not_ended(failures))
    return True


def _not_ended(failures: Iterable[str]) -> str:
    return (
        f"Not ended: {'; '.join(failures)}. Nothing more of them leaves. Start the container "
        "engine, and repeat the command."
    )


def _mark(instance: "Instance", found: Iterable["Entry"], reason: str) -> list[int]:
    """Mark results as stopped, on record; return those that the server may have already."""
    import os

    from vantage6.node.control import account_name
    from vantage6.node.rules.audit import FILE_NAME, Audit, entries

    fresh = [entry for entry in found if entry.stop_reason() is None]
    for entry in fresh:
        try:
            entry.mark_stopped(reason)
        except OSError as error:
            console.warning(
                f"Result {entry.record.result_id} is ended, but its output leaves at the next "
                f"start ({error.strerror}). Make room, and repeat the command."
            )
    computed = {entry.record.result_id for entry in fresh if entry.outcome() is not None}
    left_before: set[int] = set()
    try:
        if computed:
            lines = entries(instance.data / FILE_NAME)
            left_before = {
                line["result_id"]
                for line in lines
                if line.get("event") == "released" and line.get("result_id") in computed
            }
        audit = Audit(instance.data)
        try:
            for entry in fresh:
                id_ = entry.record.result_id
                by, left = account_name(os.geteuid()), id_ in left_before
                audit.record("stopped", result_id=id_, message=reason, by=by, left_before=left)
        finally:
            audit.close()
    except OSError as error:
        # A full disk must not keep anything running.
        console.warning(
            f"The stop is not in the audit file: {error.strerror}. Look with `vnode doctor`."
        )
    return sorted(left_before)


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    from vantage6.node.outcomes import size

    memory = one["memory_bytes"]
    cells = (
        one["result_id"],
        one["state"],
        one["image"],
        one["method"] or "-",
        one["organization"] or "-",
        one["user"] or "-",
        f"{one['since'][:19]}Z",
        "-" if memory is None else size(memory),
    )
    # SECURITY: names of images, methods and users come from outside.
    return tuple(harmless(str(cell)) for cell in cells)
