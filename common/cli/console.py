"""Text for people at a terminal. Every line of our programs passes through `say`."""

import click

from vantage6.common.terminal_text import harmless

_COLOURS = {"info": "green", "warn": "yellow", "error": "red", "debug": "cyan"}


def say(text: object = "", *, before: str = "", err: bool = False, nl: bool = True) -> None:
    """Print a text.

    Parameters
    ----------
    text
        The text to print, which may come from a stranger.
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
