"""Functions and classes of vantage6 3.11 that scripts import; nothing of ours uses them."""

import ipaddress
import os
import uuid
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from vantage6.common.cli import console

_LONGEST_NAME = 14


_COLOURS = ("BLACK", "RED", "GREEN", "YELLOW", "BLUE", "MAGENTA", "CYAN", "WHITE")

#: What makes a terminal write in a colour, as in the package ``colorama``.
Fore = SimpleNamespace(
    RESET="\033[39m",
    **{name: f"\033[{30 + number}m" for number, name in enumerate(_COLOURS)},
    **{f"LIGHT{name}_EX": f"\033[{90 + number}m" for number, name in enumerate(_COLOURS)},
)
Style = SimpleNamespace(BRIGHT="\033[1m", DIM="\033[2m", NORMAL="\033[22m", RESET_ALL="\033[0m")


class Singleton(type):
    """Metaclass of classes that have one instance."""

    _instances: ClassVar[dict[type, Any]] = {}

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Return the instance, made by the first call."""
        if cls not in cls._instances:
            cls._instances[cls] = super().__call__(*args, **kwargs)
        return cls._instances[cls]


class ClickLogger:
    """Prints to the terminal in the form of a logger."""

    info = staticmethod(console.info)
    warn = staticmethod(console.warning)
    error = staticmethod(console.error)
    debug = staticmethod(console.debug)


def logger_name(special__name__: str) -> str:
    """Return the last part of the name of a module, shortened to fit into a column."""
    name = special__name__.rpartition(".")[2]
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 3] + ".."


def is_ip_address(ip: str) -> bool:
    """Tell whether a text is an address of version 4 or 6."""
    try:
        ipaddress.ip_address(ip)
    except ValueError:
        return False
    return True


def get_database_config(databases: Iterable[dict[str, Any]], label: str) -> dict[str, Any] | None:
    """Return the database with a label from the list in the configuration of a node."""
    return next((database for database in databases if database["label"] == label), None)


def generate_apikey() -> str:
    """Return a random text that fits as API key."""
    return str(uuid.uuid4())


def check_config_writeable(system_folders: bool = False) -> bool:
    """Tell whether configurations can be written, and print the folders where they cannot.

    Parameters
    ----------
    system_folders
        Ask about the folders of the whole machine instead of those of the user.
    """
    # Only who has a node or a server has the libraries that it needs.
    from vantage6.common.config import instances

    folders = [
        instances.configuration_folders(kind, system=system_folders)[0]
        for kind in ("node", "server")
    ]
    closed = [folder for folder in folders if not _is_writeable(folder)]
    for folder in closed:
        console.error(f"You may not write to {folder}.")
    return not closed


def _is_writeable(folder: Path) -> bool:
    """Tell whether a folder can be written to, or made."""
    existing = next(one for one in (folder, *folder.parents) if one.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
