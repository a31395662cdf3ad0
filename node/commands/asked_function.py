"""What ``vnode policy test`` is told about a function: its name, the card, and arguments."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from vantage6.common.cards import MOST_BYTES, Card, CardError, find_faults_of_input, read
from vantage6.common.errors import ConfigurationError
from vantage6.common.serialization import serialize
from vantage6.node.rules.findings import PolicyRequest
from vantage6.node.rules.formats import JSON
from vantage6.node.rules.functions import read_function

_MOST_ARGUMENTS = 64 * 2**20


def with_function(
    request: PolicyRequest,
    name: str | None,
    is_partial: bool,
    card_file: Path | None,
    arguments_file: Path | None,
) -> tuple[PolicyRequest, tuple[str, ...]]:
    """Return a request with the function, and what of the arguments does not fit its card.

    Parameters
    ----------
    request
        The request without it.
    name
        Name of the function, if one was given.
    is_partial
        Whether it is a partial one.
    card_file, arguments_file
        The card of the image and the arguments by name, if they were given.

    Raises
    ------
    ConfigurationError
        If a file cannot be read, or there are arguments for no function.
    """
    card = None if card_file is None else read_card_file(card_file)
    request = replace(request, card=card)
    if name is None:
        if arguments_file is not None:
            raise ConfigurationError("--arguments: name the function with --function.")
        return request, ()
    given = None if arguments_file is None else _read_arguments(arguments_file)
    input_ = {"master": not is_partial, "method": name, "kwargs": given or {}}
    payload = serialize(input_)
    request = replace(request, function=read_function(payload))
    if given is None:
        return request, ()
    length = len(payload) if request.input_bytes is None else request.input_bytes
    request = replace(request, input_bytes=length, input_format=request.input_format or JSON)
    return request, () if card is None else find_faults_of_input(card, input_)


def read_card_file(file: Path) -> Card:
    """Return the card in a file that an option names.

    Raises
    ------
    ConfigurationError
        If there is none.
    """
    try:
        return read(_read(file, MOST_BYTES).decode())
    except (CardError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"--card: {file} holds no card: {error}") from error


def _read_arguments(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(_read(file, _MOST_ARGUMENTS))
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"--arguments: {file} is no JSON.") from error
    if not isinstance(found, dict):
        raise ConfigurationError(f"--arguments: {file} holds no arguments by name.")
    return found


def _read(file: Path, most: int) -> bytes:
    with file.open("rb") as opened:
        content = opened.read(most + 1)
    if len(content) > most:
        raise ConfigurationError(f"{file} is longer than {most} bytes.")
    return content
