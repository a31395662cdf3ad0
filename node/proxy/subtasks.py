"""The sub-tasks that one algorithm made, remembered across restarts of the node."""

import os
import re
import threading
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vantage6.common import logs

log = logs.get(__name__)

#: Longest file that is read: more than all sub-tasks that a station allows by default.
_MOST_BYTES = 64 * 2**20
#: Requests of one algorithm that are served at once.
AT_ONCE = 4
_NONE: "array[int]" = array("q")
_MARKS = frozenset("?=+*")
_HASH = re.compile("#[0-9a-f]{64}")


class SubTasks:
    """What one algorithm made: tasks, and their results. Safe for threads.

    One line for each task: its id, and those of its results. A line that a crash cut off is passed
    over, and a line `?` stands for a task whose answer was lost on the way: it may exist, and be
    found later, which is a line that begins with `=`.

    A line `+` holds the hash of an input that was sent to the own organization, and a line `*` the
    task that came back with such an input, and its hash.

    Parameters
    ----------
    path
        The file; None to remember only as long as the node runs.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        #: Sorted ids of the results of each task; eight bytes each, as there can be very many.
        self._results: dict[int, array[int]] = {}
        self._lost = 0
        #: How often each input was sent to the own organization, by its hash.
        self._sent: Counter[bytes] = Counter()
        #: How often each has come back, and with which task.
        self._came: Counter[bytes] = Counter()
        self._input_of: dict[int, bytes] = {}
        if path is not None:
            # Where the file is there, an earlier life of the node may have lost as many answers as
            # a proxy serves requests at once.
            self._lost = AT_ONCE if path.exists() else 0
            path.touch(mode=0o600)
            for line in _read(path):
                self._take_over(line)

    def _take_over(self, line: "_Line") -> None:
        self._lost += {"?": 1, "=": -1}.get(line.mark, 0)
        if line.mark == "+":
            self._sent[line.hash] += 1
        elif line.mark != "?" and line.hash:
            self._bind(line.task_id, line.hash)
        if line.mark in ("", "="):
            self._remember(line.task_id, line.results)

    def send(self, input_hash: str) -> None:
        """Remember an input that is about to be sent to the own organization.

        It is written before the task exists: the task can come to this station before its maker
        has the answer, and then it is known as one of the run.
        """
        with self._lock:
            self._sent[bytes.fromhex(input_hash)] += 1
            # PERF: what a crash of the node may not lose is in the file. A failure of the power
            # may lose it; then a person is asked.
            self._write(f"+ #{input_hash}", is_synced=False)

    def add(self, task_id: int, results: frozenset[int], input_hash: str | None = None) -> None:
        """Remember a task that was made just now, and the input for the own organization."""
        with self._lock:
            self._remember(task_id, results)
            line = _line(task_id, results)
            if input_hash is not None:
                self._bind(task_id, bytes.fromhex(input_hash))
                line += f" #{input_hash}"
            self._write(line)

    def take(self, task_id: int, result_id: int, input_hash: str) -> bool:
        """Tell whether a task has the input that the algorithm sent, and bind it to that task.

        SECURITY: the server says which task has which input, and numbers the tasks. An input that
        was sent once counts for one task.
        """
        with self._lock:
            is_sent = self._is_sent(task_id, result_id, bytes.fromhex(input_hash))
            if is_sent and task_id not in self._input_of:
                self._bind(task_id, bytes.fromhex(input_hash))
                self._write(f"* {task_id} #{input_hash}")
            return is_sent

    def is_sent(self, task_id: int, result_id: int, input_hash: str) -> bool:
        """Tell whether a task has an input that the algorithm sent to the own organization."""
        with self._lock:
            return self._is_sent(task_id, result_id, bytes.fromhex(input_hash))

    def _is_sent(self, task_id: int, result_id: int, hash_: bytes) -> bool:
        if self._results.get(task_id) and not self._holds(task_id, result_id):
            return False
        known = self._input_of.get(task_id)
        return known == hash_ if known else self._sent[hash_] > self._came[hash_]

    def _bind(self, task_id: int, hash_: bytes) -> None:
        if self._input_of.get(task_id) != hash_:
            self._input_of[task_id] = hash_
            self._came[hash_] += 1

    def lose(self) -> None:
        """Remember that a task may have been made of which the answer was lost."""
        with self._lock:
            self._lost += 1
            self._write("?")

    @property
    def is_any_lost(self) -> bool:
        """Whether there may be tasks of this algorithm that the node does not know."""
        return self._lost > 0

    def find(self, task_id: int, results: frozenset[int]) -> None:
        """Remember a task of which the answer was lost."""
        with self._lock:
            if self._lost > 0 and task_id not in self._results:
                self._lost -= 1
                self._remember(task_id, results)
                self._write(f"= {_line(task_id, results)}")

    def has(self, task_id: int) -> bool:
        """Tell whether the algorithm made a task."""
        with self._lock:
            return task_id in self._results

    def task_of(self, result_id: int, task_id: int | None = None) -> int | None:
        """Return the sub-task that a result belongs to, or None if the algorithm made none such.

        Parameters
        ----------
        result_id
            The result.
        task_id
            The only task that it may belong to; of many tasks it takes its time to look at all.
        """
        with self._lock:
            among = self._results if task_id is None else (task_id,)
            return next((one for one in among if self._holds(one, result_id)), None)

    def _holds(self, task_id: int, result_id: int) -> bool:
        ids = self._results.get(task_id, _NONE)
        index = bisect_left(ids, result_id)
        return index < len(ids) and ids[index] == result_id

    def _write(self, line: str, *, is_synced: bool = True) -> None:
        if self._path is None:
            return
        try:
            _append(self._path, f"{line}\n".encode("ascii"), is_synced=is_synced)
        except OSError as error:
            # It counts until the node starts anew; the algorithm waits for it now.
            log.warning("sub-task not remembered", line=line[:20], reason=str(error))

    def _remember(self, task_id: int, results: frozenset[int]) -> None:
        self._results[task_id] = array("q", sorted(results))


def _line(task_id: int, results: frozenset[int]) -> str:
    return " ".join(map(str, [task_id, *sorted(results)]))


def _append(path: Path, line: bytes, *, is_synced: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        length = os.fstat(descriptor).st_size
        if os.write(descriptor, line) != len(line):
            os.ftruncate(descriptor, length)
            raise OSError(f"{path}: the line was not written whole")
        if is_synced:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the file."""

    mark: str = ""
    task_id: int = 0
    results: frozenset[int] = frozenset()
    hash: bytes = b""


def _read(path: Path) -> Iterator[_Line]:
    with path.open("rb") as file:
        lines = file.read(_MOST_BYTES).splitlines(keepends=True)
    for line in lines:
        words = line.decode("ascii", "replace").split()
        mark = words.pop(0) if words and words[0] in _MARKS else ""
        digits = words.pop()[1:] if words and _HASH.fullmatch(words[-1]) else ""
        is_whole = bool(words) or mark == "?" or (mark == "+" and digits)
        if line.endswith(b"\n") and is_whole and all(map(str.isdecimal, words)):
            task_id, *results = map(int, words or ["0"])
            yield _Line(mark, task_id, frozenset(results), bytes.fromhex(digits))
