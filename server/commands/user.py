"""``vserver user``: accounts, for an operator at the machine of the server."""

import sys
from typing import TYPE_CHECKING

import click

from vantage6.common.cli import console
from vantage6.common.errors import Invalid, NotFound
from vantage6.server.commands.base import connect, on_instance

if TYPE_CHECKING:
    from vantage6.common.config import Instance
    from vantage6.models.tables import User


@click.group()
def user() -> None:
    """List accounts, and let people back in."""


@user.command("list")
@on_instance
def list_(instance: "Instance") -> None:
    """Show all accounts."""
    from vantage6.models.store import users
    from vantage6.models.tables import Organization, User

    with connect(instance):
        names = {row.id: row.name for row in Organization.select()}
        rows = list(User.select().order_by(User.id))
        table = [("ID", "USERNAME", "ORGANIZATION", "2FA", "FAILED", "ROLES")]
        for row in rows:
            table.append(
                (
                    str(row.id),
                    row.username,
                    names.get(row.organization_id) or "-",
                    "yes" if row.otp_secret else "no",
                    str(row.failed_login_attempts),
                    ", ".join(users.role_names(row.id)),
                )
            )
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        console.say("  ".join(cells).rstrip())


@user.command("reset-password")
@on_instance
@click.argument("username", metavar="NAME")
@click.option("--two-factor", is_flag=True, help="Remove the second factor too.")
def reset_password(instance: "Instance", username: str, two_factor: bool) -> None:
    """Give the user NAME a new password.

    It is asked for, or read as one line from standard input. Earlier failures of the account are
    forgotten, and its sessions end.
    """
    from vantage6.api.identity import passwords
    from vantage6.models.store import recovery, second_factors
    from vantage6.models.store.recovery import Change

    with connect(instance):
        found = _find(username)
        password = _new_password()
        passwords.check_policy(password)
        recovery.replace_password(found, passwords.hash_password(password))
        recovery.tell(found, Change.PASSWORD_RESET, None)
        if two_factor:
            second_factors.remove(found)
            recovery.tell(found, Change.FACTOR_REMOVED, None)
    console.info(
        f"User {username} has a new password" + (", and no second factor." * two_factor or ".")
    )


@user.command("reset-two-factor")
@on_instance
@click.argument("username", metavar="NAME")
def reset_two_factor(instance: "Instance", username: str) -> None:
    """Remove the second factor of the user NAME, who lost it.

    All sessions of the account end. At its next login the user sets up another authenticator app.
    """
    from vantage6.models.store import recovery, second_factors
    from vantage6.models.store.recovery import Change

    with connect(instance):
        found = _find(username)
        second_factors.remove(found)
        recovery.tell(found, Change.FACTOR_REMOVED, None)
    console.info(f"User {username} has no second factor.")


def _find(username: str) -> "User":
    from vantage6.models.store import users

    found = users.find_by_name(username)
    if found is None:
        raise NotFound(f"There is no user {username!r}; `vserver user list` shows all.")
    return found


def _new_password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("New password", hide_input=True, confirmation_prompt=True))
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise Invalid("Standard input holds no password.")
    return password
