"""``vnode list`` and ``files``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from vantage6.common.cli import console
from vantage6.node.commands.base import on_node, said_plainly

if TYPE_CHECKING:
    from vantage6.common.config import instances
    from vantage6.node.instance import Instance


@click.command(name="list")
def list_() -> None:
    """List the nodes of both scopes."""
    with said_plainly():
        from vantage6.common.cli import listing

        listing.show("node", _status)


@click.command()
@on_node
def files(instance: "Instance") -> None:
    """Print which files a node uses, and its databases."""
    from vantage6.common.logs import without_secrets

    console.say(f"Configuration file = {instance.file}")
    console.say(f"Log file           = {instance.log_file}")
    console.say(f"Data folder        = {instance.data}")
    for database in instance.config.databases:
        kind = f" (type: {database.type})" if database.type else ""
        console.say(f"Database {database.label} = {without_secrets(database.uri)}{kind}")


def running_nodes() -> Iterator["Instance"]:
    """Yield the nodes of both scopes that run."""
    from vantage6.common.cli import listing
    from vantage6.node.instance import Instance

    # Also what a supervisor is about to start again.
    return listing.running(
        "node",
        Instance.load,
        lambda one: one.holder() is not None or one.supervisor.running() is not None,
    )


def _status(found: "instances.Found", environment: str) -> str:
    from vantage6.common.errors import Conflict
    from vantage6.node.instance import Instance

    try:
        instance = Instance.load(found, environment)
        if instance.holder() is not None:
            return _running(instance)
        return "Failed" if instance.supervisor.running() else "Not running"
    except Conflict:
        return "Unknown (another user's)"


def _running(instance: "Instance") -> str:
    """Return the status of a node that runs, and what of its file does not count yet."""
    from vantage6.node.rules.current_policy import read_followed, version_of

    told = read_followed(instance.data)
    if told is None:
        return "Running"
    if names := told.changed_settings(instance.config):
        return f"Running (restart it for: {', '.join(names)})"
    if told.version != version_of(instance.config):
        return "Running (changed policies from its next task)"
    return "Running"
