"""Rows of text in columns, for people at a terminal."""

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence

from vantage6.common.cli import console
from vantage6.common.terminal_text import one_line

_GAP = "  "


def terminal_width() -> int | None:
    """Return how many letters a line of the terminal holds; None where a program or file reads."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def lines(
    header: Sequence[str], rows: Iterable[Sequence[object]], width: int | None = None
) -> list[str]:
    """Return a table as lines.

    Parameters
    ----------
    header
        Name of each column.
    rows
        Cells; None is shown as a dash.
    width
        Letters of a line. The columns of a wider table follow in blocks, each with the first one.
    """
    # SECURITY: cells come from other people, and their line feeds must not make rows.
    table = [list(header), *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    said: list[str] = []
    for places in _blocks(widths, width):
        said += [""] if said else []
        said += [
            _GAP.join(row[place].ljust(widths[place]) for place in places).rstrip() for row in table
        ]
    return said


def show(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table, in blocks where the terminal is too narrow; see `lines`."""
    for line in lines(header, rows, terminal_width()):
        console.say(line)


def _blocks(widths: Sequence[int], width: int | None) -> Iterator[list[int]]:
    """Yield which columns stand beside each other."""
    if width is None or not widths:
        yield list(range(len(widths)))
        return
    block, used = [0], widths[0]
    for place, letters in enumerate(widths[1:], 1):
        if len(block) > 1 and used + len(_GAP) + letters > width:
            yield block
            block, used = [0], widths[0]
        block.append(place)
        used += len(_GAP) + letters
    yield block


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else one_line(str(value))
