"""Memory for large requests and replies, for the algorithms of a node together."""

import ctypes
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from vantage6.common.errors import Unavailable

#: Below this, a request or a reply is too small to be worth counting.
SMALL_BYTES = 2**18
#: Times its length that a request takes: as it came, parsed, decoded, encrypted, as it leaves; a
#: text with a letter that is not ASCII takes seven times as much by itself.
REQUEST_COST = 8
#: Times its length that a reply takes: as it came, parsed, decrypted, as it leaves.
REPLY_COST = 4
_SECONDS = 60.0


#: Of glibc's `mallopt`: from which length on a block is memory of its own.
_MMAP_THRESHOLD = -3


def _give_large_blocks_back() -> None:
    """Let memory go back to the system when a large block is freed, where the C library can.

    Otherwise glibc raises that length up to 32 MiB as it goes, and keeps what was freed in a heap
    of each thread.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, SMALL_BYTES)


class MemoryBudget:
    """So many bytes, which those who need some wait for. Safe for threads.

    Parameters
    ----------
    most
        Bytes in all. What needs more than that gets all of it, and is alone then.
    seconds
        How long to wait.
    """

    def __init__(self, most: int = 2**30, seconds: float = _SECONDS) -> None:
        _give_large_blocks_back()
        self._most = most
        self._seconds = seconds
        self._used = 0
        self._freed = threading.Condition()

    @contextmanager
    def of(self, count: int) -> Iterator[None]:
        """Keep room for some bytes.

        SECURITY: a request that waits here holds none, so that two never wait for each other.

        Raises
        ------
        Unavailable
            If there is none for too long.
        """
        wanted = min(count, self._most)
        until = time.monotonic() + self._seconds
        with self._freed:
            while self._used + wanted > self._most:
                if not self._freed.wait(until - time.monotonic()):
                    raise Unavailable("The node serves too many large requests; try again later.")
            self._used += wanted
        try:
            yield
        finally:
            with self._freed:
                self._used -= wanted
                self._freed.notify_all()
