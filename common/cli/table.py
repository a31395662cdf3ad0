"""Rows of text in columns, for people at a terminal."""

from collections.abc import Iterable, Sequence

from vantage6.common.cli import console
from vantage6.common.terminal_text import one_line


def lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return a table as lines.

    Parameters
    ----------
    header
        Name of each column.
    rows
        Cells; None is shown as a dash.
    """
    # SECURITY: cells come from other people, and their line feeds must not make rows.
    table = [list(header), *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def show(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; see `lines`."""
    for line in lines(header, rows):
        console.say(line)


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else one_line(str(value))
