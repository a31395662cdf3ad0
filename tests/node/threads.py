"""The threads that a test starts, which end before the next test begins."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.waiting import eventually
from vantage6.node.work.scheduler import Scheduler

#: Of the event loop of the browser that all tests of a file use.
_SHARED = "asyncio_"


def threads_of(scheduler: Scheduler) -> list[threading.Thread]:
    """Return the threads in which a scheduler works on results."""
    # Whatever a thread is named: a second scheduler may work on the same result.
    return [
        thread
        for thread in threading.enumerate()
        if getattr(getattr(thread, "_target", None), "__self__", None) is scheduler
    ]


def wait_for_threads_of(scheduler: Scheduler) -> None:
    """Wait until a scheduler works on nothing."""
    eventually(lambda: not threads_of(scheduler))


@contextmanager
def no_threads_left() -> Iterator[None]:
    """Fail unless all threads that are started in a block end with it."""
    before = set(threading.enumerate())
    yield
    left: list[threading.Thread] = []

    def is_alone() -> bool:
        new = set(threading.enumerate()) - before
        left[:] = [thread for thread in new if not thread.name.startswith(_SHARED)]
        return not left

    try:
        eventually(is_alone)
    except AssertionError:
        names = sorted(thread.name for thread in left)
        raise AssertionError(f"this test leaves threads behind: {names}") from None
