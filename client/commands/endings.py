"""How the researcher's commands end: in words for people, and in a code for programs."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from vantage6.common.cli import console
from vantage6.common.errors import (
    Conflict,
    Forbidden,
    TooMany,
    Unauthenticated,
    Unavailable,
    V6Error,
)

#: The exit codes; docs/exit-codes.md explains them.
TASK_FAILED, USAGE, REFUSED, AWAY, STATE, STILL_RUNNING, INTERRUPTED = 1, 2, 3, 4, 5, 6, 130

_CODES: tuple[tuple[type[V6Error], int], ...] = (
    (Unauthenticated, REFUSED),
    (Forbidden, REFUSED),
    (Unavailable, AWAY),
    (TooMany, AWAY),
    (Conflict, STATE),
)


def code_of(error: V6Error) -> int:
    """Return the exit code for an error."""
    # A class of the library; importing it would cost a help its speed.
    if error.error_code == "still_running":
        return STILL_RUNNING
    return next((code for kind, code in _CODES if isinstance(error, kind)), USAGE)


@contextmanager
def said_plainly(as_json: bool = False) -> Iterator[None]:
    """Turn our errors into one line on standard error, and an exit code.

    Parameters
    ----------
    as_json
        Print a document about the error to standard output, too.
    """
    try:
        yield
    except V6Error as error:
        if as_json:
            said = {"error": {"code": error.error_code, "message": error.message}}
            console.say(json.dumps(said))
        console.say(f"vantage6: {error.message}", err=True)
        sys.exit(code_of(error))
