"""``vserver import``: organizations, users, collaborations and tasks from one file."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vantage6.common.cli import console
from vantage6.common.cli.notices import without_effect
from vantage6.common.errors import Forbidden
from vantage6.server.commands.base import connect, on_instance

if TYPE_CHECKING:
    from vantage6.common.config import Instance


def _print_example(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from vantage6.server.batch.example import EXAMPLE

        console.say(EXAMPLE, nl=False)
        context.exit()


@click.command("import")
@on_instance
@click.argument(
    "source", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--drop-all", is_flag=True, help="Remove everything else first; `allow_drop_all` permits it."
)
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option(
    "--example",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_example,
    help="Print a commented FILE to begin with, and do nothing else.",
)
def import_(instance: "Instance", source: Path, drop_all: bool, dry_run: bool) -> None:
    """Import organizations, users, collaborations and tasks from FILE.

    All or nothing. What exists is found by its name and brought to what the file says; passwords,
    API keys and public keys of what exists stay. An API key that the file leaves out is made, and
    printed once. Imported users get the roles that the file names; without any, they are
    superusers.
    """
    from vantage6.server.batch.apply import Import
    from vantage6.server.batch.file import BatchFile

    if drop_all and not instance.config.allow_drop_all:
        raise Forbidden("--drop-all needs `allow_drop_all: true` in the configuration.")
    file = BatchFile(source)
    batch = Import(instance, file)
    if keys := file.entries.without_effect:
        console.warning(without_effect(keys))
    with _ready(instance, dry=dry_run):
        batch.run(drop_all=drop_all, dry=dry_run)
    for line in batch.kept:
        console.warning(line)
    for line in batch.changes:
        console.info(line)
    if batch.keys:
        console.info(
            "API keys of new nodes. The server keeps no copy; hand each to its organization:"
        )
        for name, key in batch.keys.items():
            console.say(f"  {name}: {key}")
    if not batch.changes:
        console.info("The server has all entries of the file already; nothing was changed.")
    elif dry_run:
        console.info("Dry run: nothing was changed. Without --dry-run the import does this.")


@contextmanager
def _ready(instance: "Instance", *, dry: bool) -> Iterator[None]:
    """Hold a connection to a database as the first start of the server leaves it."""
    from vantage6.models import database, migrate
    from vantage6.server.setup import set_up_connected

    if not dry:
        _first_start(instance)
    with connect(instance, migrated=False):
        if not dry or migrate.list_applied():
            migrate.check()
            yield
            return
    # Nothing is there yet, and a dry run leaves nothing there: it happens elsewhere.
    with tempfile.TemporaryDirectory() as folder:
        database.bind("sqlite:///dry-run.sqlite", folder=Path(folder))
        with database.session():
            set_up_connected(instance)
            yield


def _first_start(instance: "Instance") -> None:
    from vantage6.server.setup import ROOT_WARNING, set_up

    instance.prepare()
    if set_up(instance):
        console.warning(ROOT_WARNING)
