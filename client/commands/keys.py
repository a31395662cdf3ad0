"""``vantage6 keys``: the public keys of organizations that this computer knows."""

import click

from vantage6.client.commands.connection import Connection, with_login
from vantage6.common.cli import console
from vantage6.common.cli.program import examples


@click.group()
def keys() -> None:
    """List and accept public keys of organizations.

    A key is remembered when it is used for the first time. Another key of the same organization is
    refused from then on, until you accept it.
    """


@keys.command(
    "list",
    epilog=examples(
        "vantage6 keys list",
    ),
)
@with_login
def list_(connection: Connection) -> None:
    """List the organizations of this server whose keys are known."""
    from vantage6.common.cli import table

    found = connection.client.keys.list()
    header = ("Organization", "Fingerprint", "Since", "Learned by")

    def show() -> None:
        table.show(header, [tuple(one.values()) for one in found])

    connection.answer(found, show)


@keys.command(
    epilog=examples(
        "vantage6 keys accept 3 00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff",
    )
)
@click.argument("organization", type=int)
@click.argument("fingerprint")
@with_login
def accept(connection: Connection, organization: int, fingerprint: str) -> None:
    """Use another key for ORGANIZATION from now on.

    FINGERPRINT is what the organization itself tells: over the telephone, not through the server.
    """
    connection.client.keys.accept(organization, fingerprint)
    connection.answer(
        {"organization": organization, "fingerprint": fingerprint},
        lambda: console.say(f"Accepted for organization {organization}: {fingerprint}"),
    )
