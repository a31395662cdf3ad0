"""One-line messages for people at a terminal."""

import click

_COLOURS = {"info": "green", "warn": "yellow", "error": "red", "debug": "cyan"}


def echo(msg: str, level: str = "info") -> None:
    """Print ``[level] - msg`` to standard output, in colour on a terminal.

    Parameters
    ----------
    msg
        The sentence to print.
    level
        One of ``info``, ``warn``, ``error`` and ``debug``.
    """
    click.echo(f"[{click.style(f'{level:<5}', fg=_COLOURS.get(level, 'green'))}] - {msg}")


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
