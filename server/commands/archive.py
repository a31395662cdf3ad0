"""``vserver backup`` and ``vserver restore``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vantage6.common.cli import console
from vantage6.server.commands.base import connect, on_instance

if TYPE_CHECKING:
    from vantage6.common.config import Instance


@click.command()
@on_instance
@click.argument("target", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
def backup(instance: "Instance", target: Path) -> None:
    """Write a backup into FILE, which must not exist; the server may run meanwhile.

    It holds the database as it is at one moment, and the secrets in the data folder. Only you can
    read it; the configuration file is not in it.
    """
    from vantage6.server import archive

    with connect(instance):
        about = archive.write(instance, target)
    size = target.stat().st_size / 2**20
    console.info(f"{target}: {about.engine}, {size:.1f} MiB, as of {about.made_at}")


@click.command()
@on_instance
@click.argument(
    "source", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--force", is_flag=True, help="Replace a database that is not empty.")
def restore(instance: "Instance", source: Path, force: bool) -> None:
    """Replace database and secrets of a server, which does not run, by those of a backup.

    What ran when the backup was made is offered again or picked up where nodes still have it. New
    numbers begin 10,000 later, so that nothing gets one that was given out after the backup.
    """
    from vantage6.server import archive

    with connect(instance, migrated=False):
        about = archive.read(instance, source, force=force)
    console.info(f"Restored {about.engine} as of {about.made_at}, version {about.version}")
