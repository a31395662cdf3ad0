"""Log files as they grow, for people at a terminal."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TextIO

from vantage6.common.cli import console

_PAUSE_SECONDS = 0.2
#: How much of the end of a file counts as its last lines.
_TAIL_BYTES = 16 * 1024
_FIRST = ("timestamp", "level", "event")


class Tail:
    """One log file from its present end on, across rotations.

    Parameters
    ----------
    file
        It need not exist yet.
    lines
        How many of its last lines count as new.
    """

    def __init__(self, file: Path, lines: int = 0) -> None:
        self._file = file
        self._rest = ""
        self._last = last_lines(file, lines)
        self._handle = self._opened()
        if self._handle is not None:
            self._handle.seek(0, os.SEEK_END)

    def read(self) -> Iterator[str]:
        """Yield the lines that were added since the last call."""
        yield from self._last
        self._last = []
        if self._handle is not None:
            yield from self._lines(self._handle)
            if not self._is_old(self._handle):
                return
            yield from self._lines(self._handle)
            self._handle.close()
        self._rest = ""
        self._handle = self._opened()
        if self._handle is not None:
            yield from self._lines(self._handle)

    def close(self) -> None:
        """Close the file."""
        if self._handle is not None:
            self._handle.close()

    def _opened(self) -> TextIO | None:
        try:
            return self._file.open(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def _lines(self, handle: TextIO) -> Iterator[str]:
        *whole, self._rest = (self._rest + handle.read()).split("\n")
        yield from whole

    def _is_old(self, handle: TextIO) -> bool:
        """Tell whether the file was rotated away."""
        try:
            now, opened = self._file.stat(), os.fstat(handle.fileno())
        except FileNotFoundError:
            # Between the two steps of a rotation.
            return False
        return now.st_ino != opened.st_ino or now.st_size < handle.tell()


def follow(
    files: Mapping[str, Path],
    show: Callable[[str], None],
    *,
    lines: int = 0,
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Show what is added to files, until something is the case or Ctrl-C is pressed.

    Parameters
    ----------
    files
        Log files by the name that stands before their lines; a single one needs none.
    show
        Called with each line.
    lines
        How many of the last lines of each file are shown first.
    until
        Asked several times a second.
    """
    width = max(map(len, files), default=0)
    ended = False
    with ExitStack() as stack:
        tails = {
            name: stack.enter_context(closing(Tail(file, lines))) for name, file in files.items()
        }
        while not ended:
            # Asked first: what is written before the end is shown.
            ended = until()
            for name, tail in tails.items():
                prefix = f"{name:<{width}} | " if len(files) > 1 else ""
                for line in tail.read():
                    show(prefix + readable(line))
            if not ended:
                time.sleep(_PAUSE_SECONDS)


def watch(files: Mapping[str, Path], lines: int) -> None:
    """Show log files in a terminal as they grow, after some last lines of each, until Ctrl-C."""
    try:
        follow(files, console.say, lines=lines)
    except KeyboardInterrupt:
        console.say()


def last_lines(file: Path, count: int) -> list[str]:
    """Return the last lines of a file; none if it cannot be read."""
    if count < 1:
        return []
    try:
        with file.open("rb") as handle:
            handle.seek(max(0, file.stat().st_size - _TAIL_BYTES))
            return handle.read().decode("utf-8", "replace").splitlines()[-count:]
    except OSError:
        return []


def readable(line: str) -> str:
    """Return a line for people; one in JSON as time, level, event and the rest."""
    if not line.startswith("{"):
        return line
    try:
        entry = json.loads(line)
        start = "{} [{}] {}".format(*(console.one_line(str(entry.pop(name))) for name in _FIRST))
    except (ValueError, KeyError, AttributeError):
        return line
    exception = entry.pop("exception", "")
    rest = [
        console.one_line(f"{name}={value}")
        for name, value in entry.items()
        if name not in ("logger", "process")
    ]
    return " ".join([start, *rest]) + (f"\n{exception}" if exception else "")
