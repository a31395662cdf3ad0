"""What both programs do before any of their commands: help, version, and a missing part."""

import sys
from typing import Any

import click

from vantage6.common.cli import console

_USAGE = 2


class Program(click.Group):
    """A group of commands that says in one line what to install where a part is missing.

    Parameters
    ----------
    extra
        What brings the parts.
    """

    def __init__(self, *arguments: Any, extra: str = "", **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._extra = extra

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            if (error.name or "vantage6").partition(".")[0] == "vantage6":
                raise
            # SECURITY: not by a name alone, which an index may give to somebody else's package.
            console.say(
                f"{ctx.info_name}: this part is not installed ({error.name} is missing): call "
                f"`pip install '.[{self._extra}]'` in the folder of the sources.",
                err=True,
            )
            sys.exit(_USAGE)
