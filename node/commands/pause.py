"""``vnode pause`` and ``resume``: whether anything new starts at a station."""

from typing import TYPE_CHECKING

import click

from vantage6.common.cli import console
from vantage6.node.commands.answering import about_files, person, wake
from vantage6.node.commands.base import on_node

if TYPE_CHECKING:
    from vantage6.node.instance import Instance


@click.command()
@click.option("--note", default="", help="Why, for people at the station.")
@on_node
def pause(instance: "Instance", note: str) -> None:
    """Let nothing new start; what runs goes on, and everything else waits.

    It lasts until `vnode resume`, also over restarts. `vnode kill` ends what runs.
    """
    from vantage6.node.requests.pause import Pause

    with about_files(instance):
        last = Pause(instance.data).set(person(), note)
    console.info(f"Node {instance.name} starts nothing new, by {last.by} since {last.at[:16]} UTC.")
    wake(instance)


@click.command()
@on_node
def resume(instance: "Instance") -> None:
    """End a pause: what waits may start."""
    from vantage6.node.requests.pause import Pause

    with about_files(instance):
        last = Pause(instance.data).clear(person())
    if last is None:
        console.info(f"Node {instance.name} is not paused.")
        return
    console.info(
        f"Node {instance.name} starts what is sent, by {last.by} since {last.at[:16]} UTC."
    )
    wake(instance)
