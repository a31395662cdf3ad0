"""``vnode grants``: what runs without asking a person again."""

import json
from typing import TYPE_CHECKING, Any

import click

from vantage6.common.cli import console
from vantage6.node.commands.answering import about_files, person, wake
from vantage6.node.commands.base import on_node

if TYPE_CHECKING:
    from vantage6.node.instance import Instance


@click.group()
def grants() -> None:
    """See and change what runs without asking a person again."""


@grants.command(name="list")
@on_node
def list_(instance: "Instance") -> None:
    """List all grants, each with what it covers."""
    from vantage6.node.requests.grants import Grants

    with about_files(instance):
        found = Grants(instance.data).list()
    if not found:
        console.say(
            f"Node {instance.name} has no grants. `vnode approve RESULT CODE --grant` gives one."
        )
    for grant in found:
        console.say(f"{grant.id}  {grant.describe()}")


@grants.command()
@click.option("--digest", required=True, help="Of the image: sha256: and 64 digits.")
@click.option("--function", required=True, help="Name of the function.")
@click.option("--partial", is_flag=True, help="It is asked for as a partial function.")
@click.option("--organization", type=click.IntRange(1), required=True, help="Id, of who asks.")
@click.option("--user", type=click.IntRange(1), help="Id. Default: all users of the organization.")
@click.option("--database", default="default", show_default=True, help="Label of the database.")
@click.option(
    "--through",
    type=click.IntRange(1),
    multiple=True,
    help="Id of an organization that may pass the question on in a sub-task.",
)
@click.option(
    "--argument",
    "arguments",
    multiple=True,
    help='An argument and a value that it may have: column="age". Several values: several options.',
)
@click.option("--any-arguments", is_flag=True, help="The arguments do not matter.")
@click.option("--days", type=click.FloatRange(0.001, 3660), help="For so many days.")
@click.option("--times", type=click.IntRange(1, 10_000), help="So many times.")
@click.option("--note", default="", help="A note for people at the station.")
@on_node
def add(instance: "Instance", **named: Any) -> None:
    """Let requests run that are like this, and no others.

    A request has to have the arguments that are named, each with one of its values, and no
    others. Positional arguments are named by their position, from 1 on.
    """
    from datetime import timedelta

    from vantage6.common import clock
    from vantage6.common.errors import ConfigurationError
    from vantage6.node.requests.grants import Grant, Grants

    limits = _limits(named["arguments"])
    if named["any_arguments"] and limits:
        raise ConfigurationError("--any-arguments and --argument exclude each other.")
    days = named["days"]
    grant = Grant(
        digest=named["digest"],
        function=named["function"],
        is_central=not named["partial"],
        organization_id=named["organization"],
        user_id=named["user"],
        database=named["database"],
        through=named["through"],
        arguments=None if named["any_arguments"] else limits,
        until=None if days is None else clock.now() + timedelta(days=days),
        times=named["times"],
        note=named["note"],
        by=person(),
    )
    with about_files(instance):
        given = Grants(instance.data).add(grant)
    console.info(f"Grant {given.id}: {given.describe()}")
    wake(instance)


@grants.command()
@click.argument("grant")
@on_node
def confirm(instance: "Instance", grant: str) -> None:
    """Confirm a grant as the second person, where `policies.four_eyes` asks for two."""
    from vantage6.node.requests.grants import Grants

    with about_files(instance):
        confirmed = Grants(instance.data).confirm(grant, person())
    console.info(f"Grant {confirmed.id} is confirmed: {confirmed.describe()}")
    wake(instance)


@grants.command()
@click.argument("grant")
@on_node
def revoke(instance: "Instance", grant: str) -> None:
    """Remove a grant. What runs by it goes on; `vnode kill` ends it."""
    from vantage6.node.requests.grants import Grants

    with about_files(instance):
        revoked = Grants(instance.data).revoke(grant)
    console.info(f"Grant {revoked.id} is revoked. Requests that it covered ask again.")


def _limits(texts: tuple[str, ...]) -> dict[str, Any]:
    """Return the limits of arguments, of which each text names one value."""
    from vantage6.common.errors import ConfigurationError
    from vantage6.node.requests.grants import Limit

    found: dict[str, tuple[Any, ...]] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        try:
            if not separator:
                raise ValueError(text)
            found[name] = (*found.get(name, ()), json.loads(value))
        except ValueError as error:
            raise ConfigurationError(
                f'--argument {text}: write the name, =, and the value as JSON, as in column="age".'
            ) from error
    return {name: Limit(values) for name, values in found.items()}
