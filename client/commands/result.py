"""``vantage6 result``: what the organizations answered to a task."""

import os
import sys
from pathlib import Path

import click

from vantage6.client.commands.connection import (
    Connection,
    connected,
    profile_option,
    unencrypted_option,
    with_login,
)
from vantage6.client.commands.endings import said_plainly
from vantage6.common.cli import console
from vantage6.common.cli.program import examples
from vantage6.common.errors import Conflict, Invalid
from vantage6.common.secret_files import write_private


@click.group()
def result() -> None:
    """Show and save the results of a task."""


@result.command(
    epilog=examples(
        "vantage6 result show 12",
        "vantage6 result show 12 --wait",
        "vantage6 result show 12 --json | jq '.results[].result'",
    )
)
@click.argument("task_id", metavar="TASK", type=int)
@click.option("--wait", is_flag=True, help="Wait until the task is complete.")
@click.option("--timeout", type=float, help="Seconds to wait at most; the task goes on.")
@unencrypted_option
@with_login
def show(
    connection: Connection, task_id: int, wait: bool, timeout: float | None, unencrypted: bool
) -> None:
    """Show the results of TASK, opened with the key of the login."""
    from vantage6.client.commands import results, waiting

    task = results.set_up_for_task(connection, task_id, unencrypted=unencrypted)
    if wait:
        waiting.until_complete(connection, task, timeout)
    waiting.show(connection, task)


@result.command(
    epilog=examples(
        "vantage6 result save 12 average.json",
    )
)
@click.argument("task_id", metavar="TASK", type=int)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Write over a file that exists.")
@unencrypted_option
@profile_option
def save(task_id: int, file: Path, replace: bool, unencrypted: bool, profile: str | None) -> None:
    """Save the results of TASK as one JSON document in FILE, which only you can read."""
    with said_plainly(), connected(profile) as connection:
        from vantage6.client.commands import results
        from vantage6.common.serialization import to_json

        task = results.set_up_for_task(connection, task_id, unencrypted=unencrypted)
        document = results.collect(connection, task, results.fetch(connection, task))
        _write(file, to_json(document) + b"\n", replace=replace)
        console.say(f"The results of task {task_id} are in {file}.")
        if above := task["parent"]:
            connection.note(
                f"Task {task_id} is a sub-task: it has what each organization answered to task "
                f"{above['id']}, and not the result of that."
            )
        if said := document.get("cause"):
            connection.note(f"vantage6: {said}")
        if code := results.code_of(document):
            sys.exit(code)


def _write(file: Path, content: bytes, *, replace: bool) -> None:
    """Write a file that others cannot read.

    Raises
    ------
    Conflict
        If it exists.
    Invalid
        If it cannot be written.
    """
    try:
        if replace:
            # SECURITY: a new file in its place; the one that exists may be readable by others.
            return write_private(file, content.decode())
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
    except FileExistsError as error:
        raise Conflict(f"{file} exists. Name another file, or add --replace.") from error
    except OSError as error:
        raise Invalid(f"{file} cannot be written: {error.strerror}.") from error
