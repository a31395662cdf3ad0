"""How many sub-tasks the algorithms of one run may create here, and how much they may write.

What they write are lines of the audit file that tell of what they did.
"""

import threading
import time
from collections import OrderedDict, deque

from vantage6.common.config.node import LimitConfig
from vantage6.common.errors import TooMany

_WINDOW_SECONDS = 60.0
#: Runs that are remembered.
_MOST_RUNS = 1024
_CODE = "too_many_subtasks"
_FULL = "audit_full"
#: Of what a run may write, the part that is kept for its sub-tasks: refusals cannot use it up.
_KEPT = 0.5


class Quota:
    """What is left to one run. Safe for threads.

    Parameters
    ----------
    limits
        What it may create in all and in a minute, and how much it may write.
    """

    def __init__(self, limits: LimitConfig) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._total = self._written = 0
        self._recent: deque[float] = deque()

    def take(self) -> None:
        """Count a sub-task.

        Raises
        ------
        TooMany
            If there is none left, or none for the moment.
        """
        most, rate = self._limits.subtasks, self._limits.subtasks_per_minute
        with self._lock:
            now = time.monotonic()
            while self._recent and now - self._recent[0] >= _WINDOW_SECONDS:
                self._recent.popleft()
            if self._total >= most:
                raise TooMany(
                    f"This node allows {most} sub-tasks to a run, and they are used up.",
                    code=_CODE,
                    retry_after=0,
                )
            if len(self._recent) >= rate:
                seconds = int(self._recent[0] + _WINDOW_SECONDS - now) + 1
                raise TooMany(
                    f"This node allows {rate} sub-tasks a minute to a run; try again in "
                    f"{seconds} s.",
                    code=_CODE,
                    retry_after=seconds,
                )
            self._total += 1
            self._recent.append(now)

    def check_lines(self) -> None:
        """Return if a sub-task, or the opening of results, can still be written down.

        Raises
        ------
        TooMany
            If the run has caused as many lines as it may.
        """
        if self._written >= self._limits.audit_bytes:
            raise TooMany(
                "The algorithms of this run have filled their part of the node's audit file "
                "(limits.audit_bytes), so that it passes on no more sub-tasks and results of "
                "theirs. Send the task again, or ask the station's administrator for a larger "
                "part.",
                code=_FULL,
                retry_after=0,
            )

    def has_lines(self) -> bool:
        """Tell whether there is room for a line that can be left out."""
        return self._written < _KEPT * self._limits.audit_bytes

    def add_line(self, length: int) -> None:
        """Count a line that an algorithm has caused."""
        with self._lock:
            self._written += length


class Quotas:
    """The quotas of the runs that were here last.

    A run has one for all its results, so that sub-tasks which create sub-tasks do not multiply it.
    """

    def __init__(self, limits: LimitConfig) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._quotas: OrderedDict[int, Quota] = OrderedDict()

    def of(self, run_id: int) -> Quota:
        """Return the quota of a run."""
        with self._lock:
            quota = self._quotas.setdefault(run_id, Quota(self._limits))
            self._quotas.move_to_end(run_id)
            if len(self._quotas) > _MOST_RUNS:
                self._quotas.popitem(last=False)
            return quota
