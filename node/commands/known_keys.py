"""``vnode keys``: the public keys of organizations for which a station encrypts."""

from typing import TYPE_CHECKING

import click

from vantage6.common.cli import console
from vantage6.node.commands.base import on_node

if TYPE_CHECKING:
    from vantage6.node.instance import Instance


@click.group()
def keys() -> None:
    """See and accept the public keys of other organizations."""


@keys.command(name="list")
@on_node
def list_(instance: "Instance") -> None:
    """List the organizations whose keys are known: id, fingerprint, since when, how learned.

    Compare the fingerprints with what the organizations themselves say.
    """
    from vantage6.node.rules.encryption import known_keys

    for id_, pin in sorted(known_keys(instance).all().items()):
        console.say(f"{id_:>6}  {pin.fingerprint}  {pin.since[:10] or '-':10}  {pin.learned}")


@keys.command()
@on_node
@click.argument("organization", type=click.IntRange(1))
@click.argument("fingerprint")
def accept(instance: "Instance", organization: int, fingerprint: str) -> None:
    """Use another key for an organization from now on.

    FINGERPRINT is what the organization itself says, over the telephone and not through the
    server. A running node uses it at once; tasks that it has refused have to be sent again.
    """
    from vantage6.common.errors import ConfigurationError
    from vantage6.node.rules.encryption import known_keys

    instance.prepare()
    try:
        known_keys(instance).accept(organization, fingerprint)
    except OSError as error:
        raise ConfigurationError(f"Cannot write into {instance.data}: {error.strerror}.") from error
    console.info(f"Organization {organization} is known by that key from now on.")
