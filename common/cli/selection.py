"""Which instance a command is about: the options that ``vserver`` and ``vnode`` share.

Nothing heavy is imported here, so that ``--help`` stays quick; `vantage6.common.config.instances`
finds what was selected.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vantage6.common.cli import exits
from vantage6.common.selection import Selection


def instance_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that name an instance; it gets them as one `Selection`."""

    @click.option("-n", "--name", help="Name of the configuration.")
    @click.option(
        "-c",
        "--config",
        "file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Configuration file; overrides the name.",
    )
    @click.option(
        "-e",
        "--environment",
        help="Environment in the file: application, dev, test, acc or prod.  "
        "[default: application, else the only one]",
    )
    @click.option(
        "--system/--user",
        "system",
        default=None,
        help="Use the folders of the machine, or your own.  [default: where the name is found]",
    )
    @functools.wraps(function)
    def command(
        *args: Any,
        name: str | None,
        file: Path | None,
        environment: str | None,
        system: bool | None,
        **options: Any,
    ) -> None:
        function(*args, selection=Selection(name, file, environment, system), **options)

    return command


def about_instance(
    program: str, find: Callable[[Selection], Any]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let commands be about one instance: they get it first, and say plainly what is wrong.

    Parameters
    ----------
    program
        ``vserver`` or ``vnode``.
    find
        Returns the instance of a selection; imports what is heavy when it is called.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @instance_options
        @functools.wraps(function)
        def command(*args: Any, selection: Selection, **options: Any) -> None:
            with exits.plainly(program):
                function(find(selection), *args, **options)

        return command

    return decorate
