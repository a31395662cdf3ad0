"""A file that one process at a time holds, while it changes another one."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_SECONDS = 10.0


@contextmanager
def hold(file: Path, seconds: float = _SECONDS) -> Iterator[None]:
    """Hold a lock file alone; it is made where there is none.

    Parameters
    ----------
    file
        The lock file, in a folder that exists.
    seconds
        How long to wait for other processes.

    Raises
    ------
    BlockingIOError
        If another process holds it all the time.
    """
    lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(lock, seconds)
        yield
    finally:
        os.close(lock)


def _take(lock: int, seconds: float) -> None:
    if sys.platform == "win32":
        return  # two programs of one user may both change the file there
    end = time.monotonic() + seconds
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise
        time.sleep(0.01)
