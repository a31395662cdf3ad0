"""Large answers that their algorithms have not read yet, of all proxies together.

They lie in the folder for temporary files, which can be memory as well.
"""

import threading
import time
from dataclasses import dataclass
from typing import Protocol

#: Of all proxies together, and the part of it that one proxy may have.
_MOST_BYTES, _SHARE = 2**30, 2
#: Time in which an answer must be read: so many seconds, and one more for so many bytes.
_SECONDS, _BYTES_A_SECOND = 30.0, 4 * 2**20


class Connection(Protocol):
    """Where an answer waits."""

    def handle_close(self) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class _Answer:
    proxy: object
    count: int
    until: float


class UnreadReplies:
    """Counts answers by the connection that they wait at. Safe for threads.

    SECURITY: an algorithm that asks and does not read would fill the station's disk.

    Parameters
    ----------
    most
        Bytes of all proxies together. One proxy may have half of them. One answer alone, of a proxy
        or in all, may be larger.
    seconds, rate
        An answer must be read in so many seconds, and one more for so many bytes.
    """

    def __init__(
        self,
        most: int = _MOST_BYTES,
        seconds: float = _SECONDS,
        rate: int = _BYTES_A_SECOND,
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._rate = rate
        self._lock = threading.Lock()
        self._answers: dict[Connection, _Answer] = {}

    def take(self, proxy: object, connection: Connection, count: int) -> bool:
        """Count an answer if there is room for it, until its connection ends."""
        with self._lock:
            answers = self._answers.values()
            here = sum(answer.count for answer in answers if answer.proxy is proxy)
            all_ = sum(answer.count for answer in answers)
            if here and here + count > self._most // _SHARE:
                return False
            if all_ and all_ + count > self._most:
                return False
            until = time.monotonic() + self._seconds + count / self._rate
            self._answers[connection] = _Answer(proxy, count, until)
            return True

    def forget(self, connection: Connection) -> None:
        """Count the answer of a connection that ended no more."""
        with self._lock:
            self._answers.pop(connection, None)

    def overdue(self, proxy: object) -> list[Connection]:
        """Return the connections of a proxy whose time is over."""
        now = time.monotonic()
        with self._lock:
            found = list(self._answers.items())
        return [one for one, answer in found if answer.proxy is proxy and answer.until <= now]

    def pause(self, proxy: object, most: float) -> float:
        """Return in how many seconds the time of the next connection of a proxy is over."""
        with self._lock:
            until = [answer.until for answer in self._answers.values() if answer.proxy is proxy]
        return max(0.0, min([most, *(end - time.monotonic() for end in until)]))


#: Of this process.
ALL = UnreadReplies()
