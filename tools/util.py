"""Lines for the log of an algorithm, which the researcher gets to see."""

import sys


def info(msg: str) -> None:
    """Write an informative line to the log."""
    _write("info", msg)


def warn(msg: str) -> None:
    """Write a warning to the log."""
    _write("warn", msg)


def error(msg: str) -> None:
    """Write an error to the log."""
    _write("error", msg)


def _write(level: str, msg: str) -> None:
    sys.stdout.write(f"{level} > {msg}\n")
