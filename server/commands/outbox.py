"""``vserver outbox``: messages that wait to be sent, and those that were given up."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from vantage6.common.cli import console
from vantage6.common.clock import now
from vantage6.common.errors import Invalid, NotFound
from vantage6.server.commands.base import connect, on_instance

if TYPE_CHECKING:
    from vantage6.common.config import Instance
    from vantage6.models.tables import Outbox

#: Length of what is shown of a content or an error.
_SHOWN = 60


@click.group()
def outbox() -> None:
    """See what waits to be sent, and have it sent again.

    A message goes to nodes or is a mail. It is tried again and again, at most once a minute; one
    that failed a hundred times by itself is dead, and stays until it is replayed. While Redis is
    away, messages wait but do not die.
    """


@outbox.command("list")
@on_instance
def list_(instance: "Instance") -> None:
    """Show what waits, the next one first."""
    from vantage6.models.store import outbox as store

    with connect(instance):
        _show(store.waiting(), "Nothing waits.")


@outbox.command()
@on_instance
def dead(instance: "Instance") -> None:
    """Show what was tried too often."""
    from vantage6.models.store import outbox as store

    with connect(instance):
        _show(store.dead(), "Nothing is dead.")


@outbox.command()
@on_instance
@click.argument("ids", metavar="[ID]...", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Everything that is dead.")
def replay(instance: "Instance", ids: Sequence[int], everything: bool) -> None:
    """Have messages sent at once, as if they had no attempts so far."""
    from vantage6.models.store import outbox as store

    if bool(ids) == everything:
        raise Invalid("Name the messages by their ids, or say --all for everything that is dead.")
    with connect(instance):
        known = {row.id for row in [*store.waiting(), *store.dead()]}
        if missing := sorted(set(ids) - known):
            raise NotFound(f"No message {', '.join(map(str, missing))} waits or is dead.")
        count = store.again(None if everything else ids)
    console.info(f"{count} message{'' if count == 1 else 's'} will be sent again.")


def _show(rows: "Sequence[Outbox]", nothing: str) -> None:
    if not rows:
        console.info(nothing)
        return
    console.say(f"{'ID':>6}  {'TOPIC':<16}{'ATTEMPTS':>8}  {'NEXT':<10}CONTENT, LAST ERROR")
    moment = now()
    for row in rows:
        seconds = (row.available_at - moment).total_seconds()
        following = "now" if seconds <= 0 else f"in {seconds:.0f} s"
        console.say(
            f"{row.id:>6}  {row.topic:<16}{row.attempts:>8}  {following:<10}{_cut(row.content)}"
            + (f"  {_cut(row.error)}" if row.error else "")
        )


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
