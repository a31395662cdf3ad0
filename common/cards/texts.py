"""Texts of a card: bounded, and without characters that a terminal or a page would obey."""

from typing import Annotated

from pydantic import AfterValidator, Field

from vantage6.common.terminal_text import harmless, one_line

_PATH = r"^(/([^/~*\n]|~[01])*|/\*)*$"


def check_text(text: str) -> str:
    """Return a text of one or more lines.

    Raises
    ------
    ValueError
        If it holds control characters, or marks that are invisible.
    """
    # SECURITY: a card is shown at terminals and in pages, before a person decides about it.
    if harmless(text) != text:
        raise ValueError("a text holds control characters, or characters that are invisible")
    return text


def check_line(text: str) -> str:
    """Return a text of one line.

    Raises
    ------
    ValueError
        If it is something else.
    """
    if one_line(check_text(text)) != text:
        raise ValueError("a text of one line holds several")
    return text


#: One line, such as a title.
Line = Annotated[str, Field(max_length=300), AfterValidator(check_line)]
#: Some lines, such as a note.
Note = Annotated[str, Field(max_length=2_000), AfterValidator(check_text)]
#: Markdown.
Description = Annotated[str, Field(max_length=20_000), AfterValidator(check_text)]
#: A JSON Pointer, with ``*`` for any entry; empty for the whole answer.
Path = Annotated[str, Field(max_length=300, pattern=_PATH), AfterValidator(check_line)]
