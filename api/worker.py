"""gunicorn's worker with threads, stopping without turning anybody away."""

import time
from contextlib import suppress
from typing import Any

import gunicorn.glogging  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

#: For how long callers that the kernel has let in already can complete their connection.
_LAST_CALL_SECONDS = 0.05


class Logger(gunicorn.glogging.Logger):  # type: ignore[misc]
    """Writes no line for a request, as ours is written, and spends no time on one either."""

    def access(self, *_: Any) -> None:
        """Write nothing."""


class Worker(ThreadWorker):  # type: ignore[misc]
    """Leaves nobody in the queue of a door that closes.

    gunicorn stops to accept, finishes what it has begun, and closes its listening sockets in the
    end. Whoever connected meanwhile would lose the connection after sending a request, which a
    proxy may not send again unless it changes nothing. So here the queue is emptied and the door
    closed before anything else: later callers are refused, and a proxy tries another replica.
    """

    def set_accept_enabled(self, enabled: Any) -> None:
        """Accept or not; a worker that stops accepts who waits, and closes the door."""
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        deadline = time.monotonic() + _LAST_CALL_SECONDS
        for listener in self.sockets:
            listener.setblocking(False)
        while True:
            is_over = time.monotonic() > deadline
            for listener in self.sockets:
                self._empty(listener)
            if is_over:
                break
            time.sleep(0.001)
        for listener in self.sockets:
            with suppress(OSError):
                listener.close()

    def _empty(self, listener: Any) -> None:
        accepted = -1
        while accepted != self.nr_conns:
            accepted = self.nr_conns
            self.accept(listener)
