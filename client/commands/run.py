"""``vantage6 run``: a task from its function to its results."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vantage6.client.commands.connection import Connection, unencrypted_option, with_login
from vantage6.common.cli.program import examples
from vantage6.common.errors import Invalid

if TYPE_CHECKING:
    from vantage6.client.client import UserClient


@click.command(
    epilog=examples(
        "vantage6 run summary --arg columns=age,weight",
        "vantage6 run glm --arg formula='died ~ age' --arg family=binomial --json",
        "vantage6 run average_partial --image harbor2.vantage6.ai/demo/average \\",
        "    --organization example_org1 --arg column_name=age",
    )
)
@click.argument("function")
@click.option("-c", "--collaboration", help="Name or id; not needed if you have only one.")
@click.option(
    "-o",
    "--organization",
    "organizations",
    multiple=True,
    help="Whose station runs FUNCTION; name or id; repeat it for several. A central function asks "
    "all others from there, or its organization_ids.  [default: all; for a central function your "
    "own]",
)
@click.option(
    "-i",
    "--image",
    help="Image that contains the function.  [default: that of the reviewed card]",
)
@click.option(
    "-a",
    "--arg",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    help="An argument, in the type of its card; without one, JSON where it reads as JSON.",
)
@click.option(
    "--arg-file",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="JSON object with arguments; - is standard input.",
)
@click.option(
    "--central/--partial",
    default=None,
    help="FUNCTION asks the organizations itself, by sub-tasks.  [default: as the card says; "
    "without one, only 'master' does]",
)
@click.option("--database", default="default", show_default=True, help="Label at the stations.")
@click.option(
    "--name",
    help="Name of the task, which the server reads.  [default: the function; if encrypted, the "
    "image]",
)
@click.option("--description", default="", help="Description of the task.")
@click.option(
    "--format",
    "data_format",
    type=click.Choice(["json", "pickle", "legacy"]),
    default="json",
    show_default=True,
    help="How the input is written; old images read only 'legacy'.",
)
@click.option("--no-wait", is_flag=True, help="Print the number of the task, and end.")
@click.option("--timeout", type=float, help="Seconds to wait at most; the task goes on.")
@unencrypted_option
@with_login
def run(
    connection: Connection,
    function: str,
    collaboration: str | None,
    organizations: tuple[str, ...],
    image: str | None,
    pairs: tuple[str, ...],
    arg_file: Path | None,
    central: bool | None,
    database: str,
    name: str | None,
    description: str,
    data_format: str,
    no_wait: bool,
    timeout: float | None,
    unencrypted: bool,
) -> None:
    """Send FUNCTION of an image as a task, wait, and show the results.

    `vantage6 shelf show FUNCTION` shows its arguments. Ctrl-C ends the wait and not the task.
    """
    from vantage6.client.commands import arguments, functions, names, waiting

    client = connection.client
    place = names.find_collaboration(client, collaboration)
    image = image or functions.find_image(client, function, place["id"])
    known = client.card_checks.cards(image, place["id"])
    is_central, found = functions.find(known, function, central=central)
    given = arguments.read(pairs, arg_file, found)
    receivers = _receivers(client, place["id"], organizations, is_central=is_central)
    connection.set_up_encryption(
        encrypted=bool(place["encrypted"]),
        unencrypted=unencrypted,
        where=f"Collaboration {place['name']}",
    )
    input_ = {"method": function, "kwargs": given, **({"master": True} if is_central else {})}
    # SECURITY: the name of a task is never encrypted, and the function is part of its input.
    shown = functions.short_name(image) if place["encrypted"] else function
    with _hint(function):
        task = client.task.create(
            collaboration=place["id"],
            organizations=[one["id"] for one in receivers],
            name=name or shown,
            image=image,
            description=description,
            input=input_,
            data_format=data_format,
            database=database,
        )
    connection.note(f"Task {task['id']} with {image} was sent to {_named(receivers)}.")
    waiting.finish(connection, task["id"], wait=not no_wait, timeout=timeout, function=found)


@contextmanager
def _hint(function: str) -> Iterator[None]:
    """Add to a refusal of arguments where they are described."""
    try:
        yield
    except Invalid as error:
        if error.error_code != "bad_arguments":
            raise
        hint = f"`vantage6 shelf show {function}` shows its arguments."
        raise Invalid(f"{error.message} {hint}", code=error.error_code) from error


def _receivers(
    client: "UserClient", collaboration_id: int, given: tuple[str, ...], *, is_central: bool
) -> list[dict[str, Any]]:
    """Return the organizations that compute.

    Raises
    ------
    NotFound
        If one that is named is not in the collaboration.
    Invalid
        If none is named, and the own organization is not in it.
    """
    from vantage6.client.commands import names

    members = names.members_of(client, collaboration_id)
    if given:
        return names.find_members(members, given)
    if not is_central:
        return members
    # One station puts the parts together.
    own = client.identity.organization_id
    chosen = [one for one in members if one["id"] == own]
    if not chosen:
        raise Invalid("Name the organization whose station puts the parts together: --organization")
    return chosen


def _named(organizations: list[dict[str, Any]]) -> str:
    shown = [str(one["name"]) for one in organizations[:10]]
    more = len(organizations) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
