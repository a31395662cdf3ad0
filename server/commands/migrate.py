"""``vserver migrate``: the schema of the database, up and down."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from vantage6.common.cli import console
from vantage6.common.errors import Conflict
from vantage6.server.commands.base import connect, on_instance

if TYPE_CHECKING:
    from vantage6.common.config import Instance


@click.command()
@on_instance
@click.option("--to", "revision", help="Go up or down to this migration.  [default: the newest]")
@click.option("--status", is_flag=True, help="Only show which migrations are applied.")
@click.option("--yes", is_flag=True, help="Do not ask before data are lost on the way down.")
def migrate(instance: "Instance", revision: str | None, status: bool, yes: bool) -> None:
    """Bring the database up to date, or to a certain migration.

    Without --to it does all that the first start of a server does, so that processes which are
    started otherwise find everything. Down is for the way back to an older version: what only the
    newer one keeps is lost, so make a backup first.
    """
    from vantage6.models import migrate as schema
    from vantage6.server.setup import NARROWING, ROOT_WARNING, describe_narrowing, set_up_connected

    with connect(instance, migrated=False):
        if status:
            return _show()
        schema.check_not_newer()
        before = schema.list_applied()
        if revision is None:
            if set_up_connected(instance):
                console.warning(ROOT_WARNING)
            done = [name for name in schema.list_applied() if name not in before]
            if NARROWING in done and (said := describe_narrowing()):
                console.warning(said)
            return _tell(done, [])
        revision = schema.find(revision)
        if lost := [name for name in before if name > revision]:
            _refuse_while_running(instance)
            if not yes:
                click.confirm(f"Take back {', '.join(lost)}, with what they keep?", abort=True)
        _tell(*schema.to(revision))


def _tell(done: Sequence[str], undone: Sequence[str]) -> None:
    for name in done:
        console.info(f"Applied {name}")
    for name in undone:
        console.info(f"Undone {name}")
    if not done and not undone:
        console.info("The database has that migration already; nothing was changed.")


def _show() -> None:
    from vantage6.models import migrate as schema

    applied = schema.list_applied()
    for name in sorted({*applied, *schema.list_known()}):
        state = "applied" if name in applied else "pending"
        note = "" if name in schema.list_known() else "  (of a newer version)"
        console.say(f"{state:<8} {name}{note}")


def _refuse_while_running(instance: "Instance") -> None:
    from vantage6.server import supervision

    if supervision.supervisor(instance).running():
        raise Conflict(f"Server {instance.name} runs; `vserver stop` ends it.")
