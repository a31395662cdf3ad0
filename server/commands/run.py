"""``vserver run``: one process of a server, for containers and other supervisors."""

import os
from typing import TYPE_CHECKING

import click

from vantage6.server.commands.base import on_instance

if TYPE_CHECKING:
    from vantage6.common.config import Instance


@click.command()
@on_instance
@click.argument("program", type=click.Choice(["api", "worker", "beat", "flower"]))
def run(instance: "Instance", program: str) -> None:
    """Be one process of a server, in the foreground, where something else supervises it.

    It prepares nothing: `vserver migrate` goes first, and `broker` has to be configured.
    """
    from vantage6.server import supervision

    command, variables = supervision.program(instance, program)
    # In its place, so that signals reach it and its end is seen.
    os.execvpe(command[0], command, {**os.environ, **variables})  # noqa: S606
