"""``vnode console``: the station's own page for data owners."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vantage6.common.cli import console as terminal
from vantage6.common.terminal_text import harmless
from vantage6.node.commands.answering import person
from vantage6.node.commands.base import on_node

if TYPE_CHECKING:
    from vantage6.node.instance import Instance


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on loopback; 0: any.")
@click.option(
    "--socket",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Listen at a Unix socket in place of a port.",
)
@click.option("--auditor", is_flag=True, help="The link is for a person who may look only.")
@on_node
def console(instance: "Instance", port: int, path: Path | None, auditor: bool) -> None:
    """Serve the station's own page on this machine alone, and print a link that opens it once.

    Where the console runs already, this prints another link and ends. Ctrl-C ends the console;
    the node runs on.
    """
    from vantage6.node.console.server import Console
    from vantage6.node.console.sessions import LINK_SECONDS, Person, Role

    # SECURITY: where two people have to agree, one account must not be two of them.
    name = person()
    who = Person(name, Role.AUDITOR if auditor else Role.OWNER)
    opened = Console(instance)
    running = opened.address
    address = running or opened.listen(port, path.absolute() if path else None)
    terminal.say(opened.link_for(who, address))
    minutes = LINK_SECONDS // 60
    terminal.info(f"It opens once, within {minutes} minutes, for {harmless(name)} ({who.role}).")
    if address.startswith("/"):
        terminal.info(
            f"The console listens at {address}. Bring it to a port of your own machine: "
            f"ssh -L 8700:{address} STATION. Then write localhost:8700 in the link."
        )
    if running is None:
        opened.run()


@click.command()
@click.argument("account")
@click.option("--auditor", is_flag=True, help="The account may look only.")
@click.option("--totp", is_flag=True, help="With a second factor, whose address is printed.")
@click.option("--remove", is_flag=True, help="Remove the account.")
@on_node
def console_account(
    instance: "Instance", account: str, auditor: bool, totp: bool, remove: bool
) -> None:
    """Add or replace an account of the console that has a password, or remove it.

    It is for people without an account at this machine. A session that is open ends by itself.
    """
    from vantage6.node.console.accounts import Accounts
    from vantage6.node.console.app import FOLDER
    from vantage6.node.console.sessions import Role

    accounts = Accounts(instance.data / FOLDER)
    if remove:
        accounts.remove(account)
        terminal.info(f"The account {harmless(account)} is removed.")
        return
    password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    role = Role.AUDITOR if auditor else Role.OWNER
    address = accounts.add(account, role, password, with_totp=totp)
    terminal.info(f"The account {harmless(account)} ({role}) is ready.")
    if address is not None:
        terminal.info("Add this address to an authenticator app:")
        terminal.say(address)
