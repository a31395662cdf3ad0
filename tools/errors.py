"""What can go wrong around an algorithm, and how much of it leaves the data station.

SECURITY: the text of an error of pandas or numpy can be a cell of the data: ``could not convert
string to float: 'F'``. So it stays at the station, and only what was written for people is told.
"""

import os
import sys
import traceback
from collections.abc import Mapping

from vantage6.common.errors import Invalid, V6Error

_VARIABLE = "SHARE_ERRORS"
#: What the interpreter itself says, in these words: nothing of the data.
_OF_THE_INTERPRETER = frozenset({"can't start new thread", "maximum recursion depth exceeded"})
_KEPT = "its text may hold data and stays at the data station"


class AlgorithmError(Invalid):
    """The task cannot be run.

    The author of an algorithm raises it with a sentence for the researcher. That sentence leaves
    the data station; the texts of other errors do not. Do not put data into it.

    Examples
    --------
    >>> if column_name not in data.columns:
    ...     raise AlgorithmError(f"There is no column {column_name!r}.")
    """

    code = "algorithm"


def is_shared(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the data station lets the texts of all errors leave."""
    return environment.get(_VARIABLE, "").lower() in ("1", "true")


def describe_error(error: BaseException, *, share: bool) -> str:
    """Return what a researcher gets to know about an error, in one line.

    Parameters
    ----------
    error
        What was raised.
    share
        Tell its text, which may hold data.
    """
    kind = type(error).__name__
    try:
        text = " ".join(str(error).split())
    except Exception:  # an error of somebody else's, which has no text
        text = ""
    # SECURITY: errors of this library, and those of the author's for people.
    if isinstance(error, V6Error):
        return text
    if share or text in _OF_THE_INTERPRETER:
        return f"{kind}: {text}" if text else kind
    if isinstance(error, OSError) and error.strerror and error.errno is not None:
        # Of the system's list of errors, without the name of the file.
        return f"{kind}: {os.strerror(error.errno)}"
    if isinstance(error, KeyError):
        return f"KeyError, for example a column that the data has not ({_KEPT})"
    return f"{kind} ({_KEPT})"


def print_places(error: BaseException, *, share: bool) -> None:
    """Write to standard error where in the algorithm an error came up.

    Parameters
    ----------
    error
        What was raised.
    share
        Write its text, and the errors that led to it, which may hold data.
    """
    if share:
        traceback.print_exception(error)
        return
    # Lines of the code, but not the text of the error.
    lines = traceback.format_tb(error.__traceback__)
    sys.stderr.write("".join(["Traceback (most recent call last):\n", *lines]))
    sys.stderr.write(f"{describe_error(error, share=False)}\n")
