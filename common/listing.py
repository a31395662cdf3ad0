"""The table of all instances on this machine."""

from collections.abc import Callable

import click

from vantage6.common.config import instances
from vantage6.common.config.files import environments
from vantage6.common.errors import ConfigurationError

_HEADER = ("Name", "Environments", "Status", "System/User")


def show(kind: instances.Kind, status: Callable[[instances.Found, str], str]) -> None:
    """Print the configurations of both scopes, and which files cannot be read.

    Parameters
    ----------
    kind
        What to list.
    status
        Returns a word on one environment of a file.
    """
    rows, problems = [], []
    for found in instances.listed(kind):
        try:
            names = environments(found.file)
            words = sorted({status(found, name) for name in names}, reverse=True)
        except ConfigurationError as error:
            problems.append(error.message)
        else:
            rows.append((found.name, ", ".join(names), ", ".join(words), found.scope))
    table = [_HEADER, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
    for problem in problems:
        click.echo(f"Not read: {problem}", err=True)
