"""What all programs do before any of their commands: help, version, and a missing part."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

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


def examples(*lines: str) -> str:
    """Return the end of a help: uses of a command, as they are typed."""
    # The sign tells click to leave the lines as they are.
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


class Mounted(NamedTuple):
    """A command that is imported when it is used."""

    name: str
    #: Module and attribute, with a colon between them.
    place: str
    #: What the help of the program says of it.
    summary: str


class LazyProgram(Program):
    """A program whose help needs none of its commands.

    Parameters
    ----------
    mounted
        Its commands.
    """

    def __init__(self, *arguments: Any, mounted: Sequence[Mounted] = (), **options: Any) -> None:
        super().__init__(*arguments, **options)
        #: By name, in the order of the help.
        self.mounted = {one.name: one for one in mounted}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order in which people need them."""
        return [*self.mounted, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported now if it is a mounted one."""
        if cmd_name not in self.mounted:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.mounted[cmd_name].place.partition(":")
        found: click.Command = getattr(import_module(module), attribute)
        return found

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, without importing any."""
        rows = [(one.name, one.summary) for one in self.mounted.values()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
