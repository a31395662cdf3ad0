"""Waiting for what another thread, process or container does."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(try_: Callable[[], T], seconds: float = 60) -> T:
    """Return what a function returns as soon as it neither fails nor returns something false.

    Nothing is as good as something true: a function may consist of assertions.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            found = try_()
        except (OSError, AssertionError):
            if time.monotonic() > end:
                raise
        else:
            if found is None or found:
                return found
            assert time.monotonic() < end, f"still {found!r} after {seconds} seconds"
        time.sleep(0.02)
