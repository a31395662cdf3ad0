"""How many large bodies and answers are on their way at once, and the like; each keeps a thread."""

import shutil
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from vantage6.common.errors import Unavailable

#: In one process, and of one caller in one process.
MOST = 128
MOST_OF_ONE = 32

#: Requests of users that wait for changes in one process, and of one user in one process.
MOST_WATCHING = 200
MOST_WATCHING_OF_ONE = 8

#: What their files leave free on the disk, where that is not more than one part in so many.
_FREE_BYTES, _FREE_PART = 2**30, 20


class Places:
    """Counts what lasts long, in one process.

    Parameters
    ----------
    most, most_of_one
        How many there may be, and how many of one caller.
    refusal
        The answer to a caller once there are too many.
    """

    def __init__(self, most: int, most_of_one: int, refusal: str) -> None:
        self._most, self._most_of_one, self._refusal = most, most_of_one, refusal
        self._lock = threading.Lock()
        self._callers: Counter[str] = Counter()

    def begin(self, caller: str) -> Callable[[], None]:
        """Count one more of a caller, and return what is called once it is over.

        Raises
        ------
        Unavailable
            If there are too many.
        """
        with self._lock:
            if self._callers.total() >= self._most or self._callers[caller] >= self._most_of_one:
                full = Unavailable(self._refusal)
                full.retry_after = 10
                raise full
            self._callers[caller] += 1
        return partial(self._end, caller)

    def _end(self, caller: str) -> None:
        with self._lock:
            self._callers[caller] -= 1
            if not self._callers[caller]:
                del self._callers[caller]


class Transfers(Places):
    """Counts the large bodies and answers that are on their way, in one process.

    SECURITY: a client that sends or reads slowly takes threads from large bodies and answers only,
    and not all of these.
    """

    def __init__(self) -> None:
        refusal = "Too many large bodies are on their way; try again later."
        super().__init__(MOST, MOST_OF_ONE, refusal)
        #: Who holds it has a large body in memory, or a large text for an answer. A request that
        #: waits for it gives its slot back: the one that holds it may wait for a slot.
        self.large = threading.Lock()


def require_room(folder: Path, size: int) -> None:
    """Refuse to write so many bytes to a file where the disk would be nearly full then.

    SECURITY: the files of slow clients stay for as long as these take. The database, which is often
    on the same disk, goes on beside them.

    Raises
    ------
    Unavailable
        If that is so.
    """
    disk = shutil.disk_usage(folder)
    if disk.free - size < min(_FREE_BYTES, disk.total // _FREE_PART):
        full = Unavailable(
            "The disk of the server is nearly full; try again later, or tell its operator."
        )
        full.retry_after = 60
        raise full
