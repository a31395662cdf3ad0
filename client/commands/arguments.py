"""Arguments of a function, as they are written at a command line."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vantage6.common.errors import Invalid

#: An input is far smaller; a larger file is the wrong one.
_MOST_BYTES = 64 * 2**20
_STANDARD_INPUT = Path("-")


def read(pairs: Iterable[str], file: Path | None) -> dict[str, Any]:
    """Return the arguments by name; those that are written out replace those of the file.

    Parameters
    ----------
    pairs
        ``key=value``. A value that reads as JSON is what it says, and a text otherwise.
    file
        A JSON object; ``-`` is standard input.

    Raises
    ------
    Invalid
        If they are something else.
    """
    found = {} if file is None else _of_file(file)
    written: dict[str, Any] = {}
    for pair in pairs:
        key, separator, text = pair.partition("=")
        if not separator or not key:
            raise Invalid(f"An argument is written key=value, such as column_name=age: {pair!r}.")
        if key in written:
            raise Invalid(f"The argument {key!r} is given twice. A list is JSON: {key}='[1, 2]'.")
        written[key] = value_of(text)
    return found | written


def value_of(text: str) -> Any:
    """Return what a text says in JSON, or the text where it says nothing there."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def _refuse(word: str) -> Any:
    """NaN and Infinity are words of Python, not of JSON."""
    raise ValueError(word)


def _of_file(file: Path) -> dict[str, Any]:
    try:
        if file == _STANDARD_INPUT:
            raw = sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with file.open("rb") as opened:
                raw = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}.") from error
    if len(raw) > _MOST_BYTES:
        raise Invalid(f"{file} is larger than {_MOST_BYTES >> 20} MiB: arguments are small.")
    try:
        found = json.loads(raw, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{file} is not valid JSON: {error}") from error
    if not isinstance(found, dict):
        raise Invalid(f"{file} has to hold a JSON object, with a value for each argument.")
    return found
