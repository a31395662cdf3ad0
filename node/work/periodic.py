"""Looking after what runs, at regular intervals, in one thread for all of it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vantage6.common import logs

log = logs.get(__name__)

#: A round may take at most this part of the time.
_SHARE = 0.2

#: May return after how many seconds it wants to be called again.
Visit = Callable[[], float | None]


class Periodic:
    """Calls a function for each thing that runs, again and again; sleeps while nothing does.

    Parameters
    ----------
    name
        Of the thread.
    seconds
        Between two visits of a thing that wants nothing else.
    """

    def __init__(self, name: str, seconds: float) -> None:
        self._seconds = seconds
        self._visits: dict[object, tuple[float, Visit]] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @contextmanager
    def every(self, visit: Visit, after: float | None = None) -> Iterator[None]:
        """Have a function called while the block lasts; a visit may end shortly after it.

        Parameters
        ----------
        visit
            The function.
        after
            Seconds before the first visit; default: as between two.
        """
        key = object()
        with self._changed:
            first = time.monotonic() + (self._seconds if after is None else after)
            self._visits[key] = (first, visit)
            if not self._thread.is_alive() and not self._closed:
                self._thread.start()
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                del self._visits[key]

    def close(self) -> None:
        """End all periodic calls."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._visits or self._closed)
                if self._closed:
                    return
                now = time.monotonic()
                due = [(key, visit) for key, (at, visit) in self._visits.items() if at <= now]
                soonest = min(at for at, _ in self._visits.values())
            pauses = [_visit(visit) for _, visit in due]
            took = time.monotonic() - now
            with self._changed:
                for (key, visit), wanted in zip(due, pauses, strict=True):
                    if key in self._visits:
                        seconds = self._seconds if wanted is None else wanted
                        later = time.monotonic() + max(seconds, took / _SHARE)
                        self._visits[key] = (later, visit)
                if not due:
                    self._changed.wait(soonest - now)


def _visit(visit: Visit) -> float | None:
    try:
        return visit()
    except Exception:
        log.exception("visit failed")
        return None
