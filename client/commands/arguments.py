"""Arguments of a function, as they are written at a command line."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vantage6.common.errors import Invalid

if TYPE_CHECKING:
    from vantage6.common.cards import Function

#: An input is far smaller; a larger file is the wrong one.
_MOST_BYTES = 64 * 2**20
_STANDARD_INPUT = Path("-")
#: As other languages write them.
_FLAGS = {"True": True, "TRUE": True, "False": False, "FALSE": False}


def read(
    pairs: Iterable[str], file: Path | None, function: "Function | None" = None
) -> dict[str, Any]:
    """Return the arguments by name; those that are written out replace those of the file.

    Parameters
    ----------
    pairs
        ``key=value``; see `value_for`.
    file
        A JSON object; ``-`` is standard input.
    function
        What a card says of the function; None without a card.

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
        if function is not None and key in function.parameters:
            written[key] = value_for(function, key, text)
        else:
            written[key] = value_of(text)
    return found | written


def value_of(text: str) -> Any:
    """Return what a text says in JSON, or the text where it says nothing there."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def value_for(function: "Function", name: str, text: str) -> Any:
    """Return the value of a text for an argument: its first reading that fits the card.

    A text is read as JSON, as a text, and as a list with commas. Where none fits, the check of the
    arguments has the last word.

    Parameters
    ----------
    function
        What the card says of the function.
    name
        One of its parameters.
    text
        As it is written at the command line.
    """
    from vantage6.common import cards

    for value in _readings(text):
        if cards.is_allowed(function, name, value):
            return value
    wanted = function.arguments["properties"][name]
    is_list = isinstance(wanted, dict) and "array" in str(wanted.get("type", ""))
    return _entries(text) if is_list else value_of(text)


def _readings(text: str) -> Iterator[Any]:
    yield value_of(text)
    yield text
    yield _entries(text)
    yield [part.strip() for part in text.split(",")]
    if text in _FLAGS:
        yield _FLAGS[text]


def _entries(text: str) -> list[Any]:
    return [value_of(part.strip()) for part in text.split(",")]


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
