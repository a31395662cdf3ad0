"""All instances on this machine: a table of them, and the end of those that run."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Protocol, TypeVar

from vantage6.common.cli import console
from vantage6.common.config import instances
from vantage6.common.config.files import environments
from vantage6.common.errors import ConfigurationError, Conflict


class Named(Protocol):
    """An instance, as far as it is spoken of here."""

    @property
    def name(self) -> str:
        """What people call it."""


Stoppable = TypeVar("Stoppable", bound=Named)

_HEADER = ("Name", "Environments", "Status", "System/User", "File")


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
    for found in instances.find_all(kind):
        try:
            names = environments(found.file)
            words = sorted({status(found, name) for name in names}, reverse=True)
        except ConfigurationError as error:
            problems.append(error.message)
        else:
            rows.append(
                (found.name, ", ".join(names), ", ".join(words), found.scope, str(found.file))
            )
    table = [_HEADER, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.say("  ".join(cells).rstrip())
    for problem in problems:
        console.say(f"This file cannot be listed: {problem}", err=True)


def running(
    kind: instances.Kind,
    load: Callable[[instances.Found, str], Stoppable],
    runs: Callable[[Stoppable], bool],
) -> Iterator[Stoppable]:
    """Yield the instances of both scopes that run; files that cannot be read have none.

    Parameters
    ----------
    kind
        What to look for.
    load
        Returns the instance of one environment of a file.
    runs
        Tells whether it runs.
    """
    for found in instances.find_all(kind):
        # What belongs to another user, or is broken, is not ours to end.
        with suppress(ConfigurationError, Conflict):
            for name in environments(found.file):
                instance = load(found, name)
                if runs(instance):
                    yield instance
                    # Environments without a data folder of their own share one.
                    break


def stop_each(
    kind: instances.Kind, chosen: Iterable[Stoppable], stop: Callable[[Stoppable], bool]
) -> None:
    """Stop instances, and say of each what came of it.

    Parameters
    ----------
    kind
        What they are.
    chosen
        Which ones.
    stop
        Ends one; returns whether it ran.
    """
    # All are found before the first one ends.
    found = list(chosen)
    for instance in found:
        if stop(instance):
            console.info(f"{kind.capitalize()} {instance.name} was stopped.")
        else:
            console.warning(f"{kind.capitalize()} {instance.name} does not run.")
    if not found:
        console.warning(f"No {kind} runs.")
