"""The station's own record of who asked for what, what was refused, and what left.

One line of JSON for each event, appended and never rewritten. Each line holds its number and the
hash of the line before, so that no line can be changed, taken out or put in without breaking the
chain from there on. What a chain on one machine cannot show by itself is that its end is missing:
``audit.head`` beside it and the node's log repeat the newest hash; a user who writes to both can
shorten both. A hash that was noted elsewhere (``vnode audit verify`` prints it) settles it.

To begin a new file, stop the node and move the old one away: the chain goes on in the new one.
"""

import errno
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vantage6.common import clock, logs
from vantage6.node.rules.audit_lines import shorten
from vantage6.node.rules.audit_reserve import Reserve

log = logs.get(__name__)

#: What the first line of all holds in place of a hash.
GENESIS = "0" * 64
FILE_NAME = "audit.jsonl"
#: Longest input that is looked at for the name of its method.
_MOST_JSON = 2**20
#: Space on the disk that is kept for events that have to be written down.
_RESERVE_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Head:
    """The newest line: its number and its hash."""

    number: int = 0
    hash: str = GENESIS

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Verification:
    """What a look through the file has shown."""

    lines: int
    #: What the first line follows; the beginning of all, or an older file.
    after: Head
    head: Head
    #: The first line that is wrong, counted in the file, and why; None if all is well.
    broken: tuple[int, str] | None = None


class Audit:
    """The audit file of one node. Safe for threads; one process at a time.

    Parameters
    ----------
    folder
        Where the file is, or will be.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._head_path = folder / "audit.head"
        self._lock = threading.Lock()
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        self._head, self._is_torn = self._find_end()
        self._is_head_old = False
        self._reserve = Reserve(self._descriptor, _RESERVE_BYTES)
        self._reserve.fill()

    @property
    def head(self) -> Head:
        """The newest line, to be noted elsewhere."""
        return self._head

    def record(self, event: str, **facts: Any) -> None:
        """Append an event that has to be written down; it is on disk when this returns.

        SECURITY: much of what it tells comes from outside, so that no line is longer than
        `audit_lines.LINE_BYTES`; what is longer is cut, and says so.

        Raises
        ------
        OSError
            If it could not be written, mostly for a full disk. It may be tried again.
        """
        self.record_whole(event, **shorten(facts))

    def note(self, event: str, **facts: Any) -> int:
        """Append an event that is given up where the disk is full, and return its length.

        SECURITY: what an algorithm can cause must not use up what is kept for the rest.

        Raises
        ------
        OSError
            If it could not be written, or only with the space that is reserved.
        """
        facts = shorten(facts)
        with self._lock:
            if not self._reserve.fill():
                raise OSError(errno.ENOSPC, "the rest of the disk is kept for other events")
            return self._append_to_whole(event, facts)

    def record_whole(self, event: str, **facts: Any) -> None:
        """Append an event whose facts are the station's own, of any length.

        Raises
        ------
        OSError
            If it could not be written.
        """
        with self._lock:
            self._reserve.fill()
            self._append_to_whole(event, facts)

    def has_room(self) -> bool:
        """Tell whether there is space for all events of the results that are computed."""
        with self._lock:
            return self._reserve.fill()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            os.close(self._descriptor)
            # Whoever writes later fails, and does not write into what has the number by then.
            self._descriptor = -1

    def _append_to_whole(self, event: str, facts: dict[str, Any]) -> int:
        """Append an event behind a whole line. The lock is held."""
        if self._is_torn:
            # An earlier line was cut off by a crash or by a full disk. It stays, and counts.
            self._append("recovered", {}, before=b"\n")
            self._is_torn = False
        return self._append(event, facts)

    def _append(self, event: str, facts: dict[str, Any], before: bytes = b"") -> int:
        entry = {
            "number": self._head.number + 1,
            "at": clock.now().isoformat(),
            "event": event,
            **{name: fact for name, fact in facts.items() if fact is not None},
            "previous": self._head.hash,
        }
        line = json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace")
        length = os.fstat(self._descriptor).st_size
        content = before + line + b"\n"
        try:
            written = os.write(self._descriptor, content)
            if written != len(content):
                raise OSError(f"{self._path}: only {written} bytes could be written")
            os.fsync(self._descriptor)
        except OSError:
            # Only what this call has added goes again, so that the chain stays whole.
            os.ftruncate(self._descriptor, length)
            self._reserve.lose()
            raise
        self._head = Head(entry["number"], _hash(line))
        self._write_head()
        return len(content)

    def _write_head(self) -> None:
        new = self._head_path.with_suffix(".new")
        try:
            new.write_text(f"{self._head}\n")
            new.replace(self._head_path)
            self._is_head_old = False
        except OSError as error:
            # Said once: a full disk may hold the log as well.
            if not self._is_head_old:
                log.warning("audit head not written", reason=str(error))
            self._is_head_old = True

    def _find_end(self) -> tuple[Head, bool]:
        """Return the newest line, and whether a piece of one follows it."""
        last, piece = _last_line(self._path)
        # A new file goes on where the old one ended.
        older = read_head(self._head_path.parent) or Head()
        head = Head(_number(last), _hash(last)) if last else older
        return (Head(head.number + 1, _hash(piece)), True) if piece else (head, False)


def method_of(input_: bytes) -> str | None:
    """Return the method that an input asks for, if it can be read without unpickling anything."""
    text = input_.removeprefix(b"json.")
    if len(text) > _MOST_JSON or not text.startswith(b"{"):
        return None
    try:
        method = json.loads(text).get("method")
    except (ValueError, RecursionError):
        return None
    return method[:200] if isinstance(method, str) else None


def hash_of(content: bytes) -> str:
    """Return the hash by which the file names inputs and outputs."""
    return _hash(content)


def entries(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a file; a line that is no event is passed over."""
    with path.open("rb") as file:
        for line in file:
            entry = _parsed(line)
            if entry is not None:
                yield entry


def verify(path: Path, expected: tuple[Head, ...] = ()) -> Verification:
    """Go through a file, and find the first line that does not belong where it is.

    Parameters
    ----------
    path
        The file.
    expected
        Lines that must be there: the repeated head, and what people have noted.
    """
    wanted = {head.number: head.hash for head in expected}
    after = head = Head()
    count, torn = 0, False
    with path.open("rb") as file:
        for count, raw in enumerate(file, 1):
            line = raw.removesuffix(b"\n")
            entry = _parsed(line)
            if entry is None:
                if torn or not raw.endswith(b"\n"):
                    return Verification(count, after, head, (count, "It is cut off."))
                torn = True
                head = Head(head.number + 1, _hash(line))
                continue
            if count == 1:
                after = head = Head(entry["number"] - 1, entry["previous"])
            elif count == 2 and torn:
                head = Head(entry["number"] - 1, head.hash)
            if wrong := _wrong(entry, head, torn=torn):
                return Verification(count, after, head, (count, wrong))
            torn = False
            head = Head(entry["number"], _hash(line))
            if wanted.pop(head.number, head.hash) != head.hash:
                return Verification(count, after, head, (count, "It was replaced."))
    if missing := [number for number in wanted if number > head.number]:
        text = f"The file ends here, but there was a line {max(missing)}."
        return Verification(count, after, head, (count, text))
    if torn:
        return Verification(count, after, head, (count, "It is cut off."))
    return Verification(count, after, head)


def read_head(folder: Path) -> Head | None:
    """Return the head that is repeated beside the file, if it is."""
    try:
        return parse_head((folder / "audit.head").read_text())
    except (OSError, ValueError):
        return None


def parse_head(text: str) -> Head:
    """Read a head as it is printed.

    Raises
    ------
    ValueError
        If it is none.
    """
    number, _, hash_ = text.strip().partition(":")
    if len(hash_) != len(GENESIS):
        raise ValueError(f"not a number and a hash: {text.strip()!r}")
    return Head(int(number), hash_)


def _wrong(entry: dict[str, Any], head: Head, *, torn: bool) -> str | None:
    if entry["previous"] != head.hash:
        return "It does not follow the line before it: that one was changed, or one is missing."
    if entry["number"] != head.number + 1:
        return f"It has the number {entry['number']} in place of {head.number + 1}."
    if torn and entry["event"] != "recovered":
        return "The line before it is no event."
    return None


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
        is_event = isinstance(entry["number"], int) and isinstance(entry["previous"], str)
        return entry if is_event and isinstance(entry["event"], str) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _last_line(path: Path) -> tuple[bytes, bytes]:
    """Return the last whole line of a file, and the piece that follows it."""
    chunk = 65536
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        tail = b""
        while size and tail.count(b"\n") < 3:
            step = min(chunk, size)
            size -= step
            file.seek(size)
            tail = file.read(step) + tail
    whole, newline, piece = tail.rpartition(b"\n")
    return (whole.rpartition(b"\n")[2] if newline else b""), piece


def _number(line: bytes) -> int:
    entry = _parsed(line)
    if entry is None:
        raise OSError("the audit file ends with a line that is no event; move it away")
    return int(entry["number"])


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
