"""``vserver``: the operator's commands."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from vantage6.common import __version__, console
from vantage6.common.errors import ConfigurationError, Unavailable, V6Error

#: Exit codes; documented in docs/exit-codes.md.
_CODES: tuple[tuple[type[V6Error], int], ...] = ((ConfigurationError, 10), (Unavailable, 11))


@contextmanager
def _said_plainly() -> Iterator[None]:
    """Turn errors into one line and an exit code."""
    try:
        yield
    except V6Error as error:
        console.error(error.message)
        sys.exit(next((code for kind, code in _CODES if isinstance(error, kind)), 1))


def _instance_options(function: Callable[..., None]) -> Callable[..., None]:
    function = click.option(
        "-c",
        "--config",
        type=click.Path(dir_okay=False, path_type=Path),
        required=True,
        help="Configuration file.",
    )(function)
    return click.option(
        "-e", "--environment", help="Environment in the file; default: the only one."
    )(function)


@click.group()
def main() -> None:
    """Run a vantage6 server."""


@main.command()
@_instance_options
@click.option("--attach/--detach", default=False, help="Stay in the foreground.")
def start(config: Path, environment: str | None, attach: bool) -> None:
    """Start API, workers and what they need."""
    from vantage6.api import supervision
    from vantage6.api.setup import set_up
    from vantage6.common.config import Instance

    with _said_plainly():
        instance = Instance.load(config, environment)
        configuration = supervision.prepare(instance)
        if set_up(instance):
            console.warning(
                "The user `root` was made with the password `root`. Change it before anybody "
                "else can reach this server."
            )
        if attach:
            supervision.attach(instance, configuration)
        supervision.start(instance, configuration)
        console.info(f"Server {instance.name} runs at {supervision.address(instance)}")
        console.info(f"Logs are in {instance.log_folder}")


@main.command()
@_instance_options
def stop(config: Path, environment: str | None) -> None:
    """Stop a server that runs in the background."""
    from vantage6.api import supervision
    from vantage6.common.config import Instance

    with _said_plainly():
        instance = Instance.load(config, environment)
        if supervision.stop(instance):
            console.info(f"Server {instance.name} was stopped.")
        else:
            console.warning(f"Server {instance.name} does not run.")


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(__version__)
