"""``vnode running`` and ``kill``: what a node computes at the moment, and its end."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from vantage6.common.cli import console
from vantage6.common.terminal_text import harmless
from vantage6.node.commands.base import on_node

if TYPE_CHECKING:
    from vantage6.node.instance import Instance

#: Longer than the node waits for the server.
KILL_SECONDS = 40.0
_HEADER = ("Result", "State", "Image", "Method", "Organization", "User", "Since", "Memory")


@click.command()
@on_node
def running(instance: "Instance") -> None:
    """List what a node computes, waits to compute, or has yet to deliver."""
    from vantage6.node.control import ask

    found = ask(instance.data, "running")
    if not found:
        console.say("Nothing runs, and nothing waits.")
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
    from vantage6.node.control import ask

    answer = ask(instance.data, "kill", KILL_SECONDS, result_id=result, reason=reason)
    say_stopped(answer)


def say_stopped(answer: dict[str, list[int]]) -> None:
    """Print what was stopped, and what came too late."""
    stopped, left_before = answer["stopped"], answer["left before"]
    if stopped:
        console.info(f"Stopped: {_names(stopped)}.")
    elif not left_before:
        console.info("Nothing ran.")
    if left_before:
        console.warning(
            f"Too late for {_names(left_before)}: its result had left before, and the server may "
            "have it. `vnode audit show` tells how much."
        )
    if left := answer["to be told"]:
        console.warning(f"The server does not know yet of {_names(left)}; the node tells it.")


def _names(result_ids: Iterable[int]) -> str:
    return ", ".join(f"result {id_}" for id_ in result_ids)


def stop_left(instance: "Instance", reason: str) -> list[int]:
    """Stop what a node that does not run has left running; the server is told at its next start."""
    import os

    from vantage6.node.daemon import make_runtime
    from vantage6.node.rules.audit import Audit
    from vantage6.node.services.services import Services
    from vantage6.node.spool.spool import Spool

    lock = instance.lock()
    try:
        runtime = make_runtime(instance, Services().dial)
        audit = Audit(instance.data)
        stopped = []
        for entry in Spool(instance.data).entries():
            if entry.stop_reason() is None:
                id_ = entry.record.result_id
                audit.record("stopped", result_id=id_, message=reason, by=_account())
                entry.mark_stopped(reason)
                runtime.kill(id_)
                stopped.append(id_)
        audit.close()
        runtime.close()
    finally:
        os.close(lock)
    return stopped


def _account() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


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
