"""``vnode``: the command line of a data station.

Exit codes: 0 stopped as asked, 10 configuration, 13 the server refuses the key, 20 no container
engine. Everything heavy is imported by the command that needs it.
"""

import sys
from pathlib import Path
from typing import NoReturn

import click

CONFIGURATION, KEY_REFUSED, NO_ENGINE = 10, 13, 20


@click.group()
def main() -> None:
    """Run a data station."""


@main.command()
@click.option("-n", "--name", help="Name of the configuration.")
@click.option(
    "-c",
    "--config",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Configuration file; overrides the name.",
)
@click.option("-e", "--environment", help="Environment in the file.  [default: application]")
@click.option("--system/--user", default=False, help="Which folders to use.  [default: user]")
def start(name: str | None, file: Path | None, environment: str | None, system: bool) -> None:
    """Start a node in the foreground; Ctrl-C or SIGTERM stops it, algorithms run on."""
    import logging
    import signal
    import threading

    from vantage6.common import logs
    from vantage6.common.errors import ConfigurationError, Forbidden, Unauthenticated
    from vantage6.node.daemon import Node
    from vantage6.node.instance import Instance
    from vantage6.node.runtime.base import EngineUnavailable

    try:
        instance = Instance.find(name, file, environment, system=system)
        settings = instance.config.logging
        logs.set_up(
            "node",
            level=settings.level,
            console=settings.use_console,
            file=instance.log_file,
            max_kilobytes=settings.max_size,
            backups=settings.backup_count,
        )
        for logger in settings.loggers:
            logging.getLogger(logger.name).setLevel(logger.level)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        Node(instance, stop).run()
    except ConfigurationError as error:
        _exit(CONFIGURATION, str(error))
    except (Unauthenticated, Forbidden) as error:
        _exit(
            KEY_REFUSED, f"The server refuses the key: {error} Check api_key in the configuration."
        )
    except EngineUnavailable as error:
        _exit(NO_ENGINE, str(error))


@main.command()
def version() -> None:
    """Print the version."""
    from vantage6.common import __version__

    click.echo(__version__)


def _exit(code: int, message: str) -> NoReturn:
    click.echo(f"vnode: {message}", err=True)
    sys.exit(code)
