"""Log files as they grow, for people at a terminal."""

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from vantage6.common.cli import console
from vantage6.common.terminal_text import one_line

_PAUSE_SECONDS = 0.2
#: How much of the end of a file counts as its last lines.
_TAIL_BYTES = 16 * 1024
_FIRST = ("timestamp", "level", "event")
#: Where the time of a line stands.
_LONGEST_BEGIN = 400
_OURS = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
_OF_REDIS = re.compile(r"\d+:\w (\d\d? \w{3} \d{4} \d\d:\d\d:\d\d\.\d+)")


class Tail:
    """One log file from its present end on, across rotations.

    Parameters
    ----------
    file
        It need not exist yet.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._rest = ""
        self._handle = self._open()
        if self._handle is not None:
            self._handle.seek(0, os.SEEK_END)

    def read(self) -> Iterator[str]:
        """Yield the lines that were added since the last call."""
        if self._handle is not None:
            yield from self._lines(self._handle)
            if not self._is_old(self._handle):
                return
            yield from self._lines(self._handle)
            self._handle.close()
        self._rest = ""
        self._handle = self._open()
        if self._handle is not None:
            yield from self._lines(self._handle)

    def close(self) -> None:
        """Close the file."""
        if self._handle is not None:
            self._handle.close()

    def _open(self) -> TextIO | None:
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
        How many of the last lines are shown first: of all files together, by their times.
    until
        Asked several times a second.
    """
    width = max(map(len, files), default=0)
    ended = False
    prefixes = {name: f"{name:<{width}} | " if len(files) > 1 else "" for name in files}
    with ExitStack() as stack:
        # Opened first, so that no line falls in between; one that does both is shown twice.
        tails = {name: stack.enter_context(closing(Tail(file))) for name, file in files.items()}
        for name, line in _last_of_all(files, lines):
            show(prefixes[name] + readable(line))
        while not ended:
            # Asked first: what is written before the end is shown.
            ended = until()
            for name, tail in tails.items():
                for line in tail.read():
                    show(prefixes[name] + readable(line))
            if not ended:
                time.sleep(_PAUSE_SECONDS)


def watch(files: Mapping[str, Path], lines: int) -> None:
    """Show log files in a terminal as they grow, after their last lines, until Ctrl-C."""
    try:
        follow(files, console.say, lines=lines)
    except KeyboardInterrupt:
        console.say()


def _last_of_all(files: Mapping[str, Path], count: int) -> list[tuple[str, str]]:
    """Return the last lines of several files in the order of their times, each with its file."""
    found = []
    for name, file in files.items():
        # What bears no time, such as a traceback, belongs to the line above.
        moment = 0.0
        for line in last_lines(file, count):
            moment = _moment(line) or moment
            found.append((moment, name, line))
    found.sort(key=lambda entry: entry[0])
    return [(name, line) for _, name, line in found[max(0, len(found) - count) :]]


def _moment(line: str) -> float | None:
    """Return the time of a line of ours or of Redis; None if it bears none."""
    if found := _OF_REDIS.match(line):
        # In the time of this machine, unlike ours.
        written = datetime.strptime(found[1], "%d %b %Y %H:%M:%S.%f").astimezone()
        return written.timestamp()
    found = _OURS.search(line[:_LONGEST_BEGIN])
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found[0])
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def length(file: Path) -> int:
    """Return how long a file is now, to show later only what was added; 0 if there is none."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


def last_lines(file: Path, count: int, *, since: int = 0) -> list[str]:
    """Return the last lines of a file; none if it cannot be read.

    Parameters
    ----------
    file
        A log file.
    count
        How many.
    since
        Its length when what is of interest began. A shorter file was begun anew.
    """
    if count < 1:
        return []
    try:
        with file.open("rb") as handle:
            size = file.stat().st_size
            begin = since if since <= size else 0
            handle.seek(max(begin, size - _TAIL_BYTES))
            return handle.read().decode("utf-8", "replace").splitlines()[-count:]
    except OSError:
        return []


def readable(line: str) -> str:
    """Return a line for people; one in JSON as time, level, event and the rest."""
    if not line.startswith("{"):
        return line
    try:
        entry = json.loads(line)
        start = "{} [{}] {}".format(*(one_line(str(entry.pop(name))) for name in _FIRST))
    except (ValueError, KeyError, AttributeError):
        return line
    exception = entry.pop("exception", "")
    rest = [
        one_line(f"{name}={value}")
        for name, value in entry.items()
        if name not in ("logger", "process")
    ]
    return " ".join([start, *rest]) + (f"\n{exception}" if exception else "")
