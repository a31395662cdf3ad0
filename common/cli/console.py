"""Text for people at a terminal. Every line of our programs passes through `say`.

SECURITY: names, logs and messages come from other people, and a terminal obeys what looks like a
command to it: it can write over lines, change its title, or answer as if the user had typed.
"""

import re

import click

_COLOURS = {"info": "green", "warn": "yellow", "error": "red", "debug": "cyan"}
#: Control characters (C0 without tab and line feed, DEL, C1), separators of lines and paragraphs,
#: and marks that turn the direction of text or take no room.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


def harmless(text: str) -> str:
    r"""Return a text that a terminal only shows: what would command it is written as ``\u001b``.

    That is how JSON writes it, too, so that JSON stays what it was.
    """
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def one_line(text: str) -> str:
    """Return a text that is harmless and does not look like several lines."""
    return harmless(text).replace("\n", "\\n")


def say(text: object = "", *, before: str = "", err: bool = False, nl: bool = True) -> None:
    """Print a text.

    Parameters
    ----------
    text
        What to print; it may come from anybody.
    before
        What is printed before it as it is: colours of our own.
    err
        Print to standard error.
    nl
        End the line.
    """
    click.echo(before + harmless(str(text)), err=err, nl=nl)


def echo(msg: str, level: str = "info") -> None:
    """Print ``[level] - msg`` to standard output, in colour on a terminal.

    Parameters
    ----------
    msg
        The sentence to print.
    level
        One of ``info``, ``warn``, ``error`` and ``debug``.
    """
    word = click.style(f"{level:<5}", fg=_COLOURS.get(level, "green"))
    say(msg, before=f"[{word}] - ")


def info(msg: str) -> None:
    """Print an informative line."""
    echo(msg, "info")


def warning(msg: str) -> None:
    """Print a warning."""
    echo(msg, "warn")


def error(msg: str) -> None:
    """Print an error."""
    echo(msg, "error")


def debug(msg: str) -> None:
    """Print a line for developers."""
    echo(msg, "debug")
