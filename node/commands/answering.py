"""What the commands have in common by which people at the station decide."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vantage6.common.cli import console
from vantage6.common.errors import ConfigurationError, V6Error

if TYPE_CHECKING:
    from vantage6.node.instance import Instance


def person() -> str:
    """Return the account of the person at the terminal, also behind ``sudo``."""
    from vantage6.node.control import account_name

    behind = os.environ.get("SUDO_USER") if os.geteuid() == 0 else None
    return behind or account_name(os.geteuid())


@contextmanager
def about_files(instance: "Instance") -> Iterator[None]:
    """Say plainly if the files of the station cannot be used.

    Raises
    ------
    ConfigurationError
        If they cannot.
    """
    try:
        yield
    except PermissionError as error:
        raise ConfigurationError(
            f"Cannot look into {instance.data}: you are another user than the node's."
        ) from error
    except OSError as error:
        said = error.strerror or str(error)
        raise ConfigurationError(f"Cannot use the files in {instance.data}: {said}.") from error


def wake(instance: "Instance") -> None:
    """Have a running node look at what was decided."""
    from vantage6.node.control import ask

    if instance.holder() is None:
        console.info("The node does not run. It counts from its next start on.")
        return
    try:
        ask(instance.data, "take up")
    except V6Error:
        # Nothing depends on it: the node looks each minute.
        console.info("It counts within a minute.")
