"""How commands end: in words for people, and in a code for programs (docs/exit-codes.md)."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from vantage6.common.cli import console
from vantage6.common.errors import (
    ConfigurationError,
    Conflict,
    Forbidden,
    Unauthenticated,
    Unavailable,
    V6Error,
)

CONFIGURATION, AWAY, STATE, REFUSED, NO_ENGINE = 10, 11, 12, 13, 20

_CODES: tuple[tuple[type[V6Error], int], ...] = (
    (ConfigurationError, CONFIGURATION),
    (Unavailable, AWAY),
    (Conflict, STATE),
    (Unauthenticated, REFUSED),
    (Forbidden, REFUSED),
)


def code_of(error: V6Error) -> int:
    """Return the exit code for an error."""
    if error.code == "engine_unavailable":
        # One kind of `Unavailable`; its class is the node's own.
        return NO_ENGINE
    return next((code for kind, code in _CODES if isinstance(error, kind)), 1)


@contextmanager
def plainly(command: str) -> Iterator[None]:
    """Turn our errors into one message on standard error, and an exit code."""
    try:
        yield
    except V6Error as error:
        console.say(f"{command}: {error.message}", err=True)
        sys.exit(code_of(error))
