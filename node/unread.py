"""Large answers that their algorithms have not read yet, of all doors together.

They lie in the folder for temporary files, which can be memory as well.
"""

import threading
import time
from dataclasses import dataclass
from typing import Protocol

#: Of all doors together, and the part of it that one door may have.
_MOST_BYTES, _SHARE = 2**30, 2
#: Time in which an answer must be read: so many seconds, and one more for so many bytes.
_SECONDS, _BYTES_A_SECOND = 30.0, 4 * 2**20


class Connection(Protocol):
    """Where an answer waits."""

    def handle_close(self) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class _Answer:
    door: object
    count: int
    until: float


class Unread:
    """Counts answers by the connection that they wait at. Safe for threads.

    SECURITY: an algorithm that asks and does not read would fill the station's disk.

    Parameters
    ----------
    most
        Bytes of all doors together. One door may have half of them. One answer alone, of a door
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

    def take(self, door: object, connection: Connection, count: int) -> bool:
        """Count an answer if there is room for it, until its connection ends."""
        with self._lock:
            answers = self._answers.values()
            here = sum(answer.count for answer in answers if answer.door is door)
            all_ = sum(answer.count for answer in answers)
            if here and here + count > self._most // _SHARE:
                return False
            if all_ and all_ + count > self._most:
                return False
            until = time.monotonic() + self._seconds + count / self._rate
            self._answers[connection] = _Answer(door, count, until)
            return True

    def forget(self, connection: Connection) -> None:
        """Count the answer of a connection that ended no more."""
        with self._lock:
            self._answers.pop(connection, None)

    def overdue(self, door: object) -> list[Connection]:
        """Return the connections of a door whose time is over."""
        now = time.monotonic()
        with self._lock:
            found = list(self._answers.items())
        return [one for one, answer in found if answer.door is door and answer.until <= now]

    def pause(self, door: object, most: float) -> float:
        """Return in how many seconds the time of the next connection of a door is over."""
        with self._lock:
            until = [answer.until for answer in self._answers.values() if answer.door is door]
        return max(0.0, min([most, *(end - time.monotonic() for end in until)]))


#: Of this process.
ALL = Unread()
