"""The sub-tasks that one algorithm made, remembered across restarts of the node."""

import os
import threading
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

from vantage6.common import logs

log = logs.get(__name__)

#: Longest file that is read: more than all sub-tasks that a station allows by default.
_MOST_BYTES = 64 * 2**20
#: Requests of one algorithm that are served at once.
AT_ONCE = 4
_NONE: "array[int]" = array("q")


class SubTasks:
    """What one algorithm made: tasks, and their results. Safe for threads.

    One line for each task: its id, and those of its results. A line that a crash cut off is passed
    over, and a line `?` stands for a task whose answer was lost on the way: it may exist, and be
    found later, which is a line that begins with `=`.

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
        if path is not None:
            # Where the file is there, an earlier life of the node may have lost as many answers as
            # a proxy serves requests at once.
            self._lost = AT_ONCE if path.exists() else 0
            path.touch(mode=0o600)
            for mark, task_id, results in _read(path):
                self._lost += {"?": 1, "=": -1}.get(mark, 0)
                if mark != "?":
                    self._remember(task_id, results)

    def add(self, task_id: int, results: frozenset[int]) -> None:
        """Remember a task that was made just now."""
        with self._lock:
            self._remember(task_id, results)
            self._write(_line(task_id, results))

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

    def _write(self, line: str) -> None:
        if self._path is None:
            return
        try:
            _append(self._path, f"{line}\n".encode("ascii"))
        except OSError as error:
            # It counts until the node starts anew; the algorithm waits for it now.
            log.warning("sub-task not remembered", line=line[:20], reason=str(error))

    def _remember(self, task_id: int, results: frozenset[int]) -> None:
        self._results[task_id] = array("q", sorted(results))


def _line(task_id: int, results: frozenset[int]) -> str:
    return " ".join(map(str, [task_id, *sorted(results)]))


def _append(path: Path, line: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        length = os.fstat(descriptor).st_size
        if os.write(descriptor, line) != len(line):
            os.ftruncate(descriptor, length)
            raise OSError(f"{path}: the line was not written whole")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> Iterator[tuple[str, int, frozenset[int]]]:
    with path.open("rb") as file:
        lines = file.read(_MOST_BYTES).splitlines(keepends=True)
    for line in lines:
        words = line.decode("ascii", "replace").split()
        mark = words.pop(0) if words and words[0] in ("?", "=") else ""
        if line.endswith(b"\n") and (mark == "?" or words) and all(map(str.isdecimal, words)):
            task_id, *results = map(int, words or ["0"])
            yield mark, task_id, frozenset(results)
