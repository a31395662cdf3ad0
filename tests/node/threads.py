"""The threads that a test starts, which end before the next test begins."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.waiting import eventually
from vantage6.node.work.scheduler import Scheduler

#: What works on results. Other threads, as those of a browser, may last for the tests of a file.
_OF_RESULTS = ("result-", "disk", "logs")


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
    """Fail unless all work on results that is started in a block ends with it."""
    before = set(threading.enumerate())
    yield
    left: list[threading.Thread] = []

    def is_alone() -> bool:
        new = set(threading.enumerate()) - before
        left[:] = [thread for thread in new if thread.name.startswith(_OF_RESULTS)]
        return not left

    try:
        eventually(is_alone)
    except AssertionError:
        names = sorted(thread.name for thread in left)
        raise AssertionError(f"this test leaves threads behind: {names}") from None
