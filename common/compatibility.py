"""Functions and classes of vantage6 3.11 that scripts import; nothing of ours uses them."""

import ipaddress
import uuid
from collections.abc import Iterable
from typing import Any, ClassVar

from vantage6.common import console

_LONGEST_NAME = 14


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
