"""How requests share a process: few work at a time, and many may wait.

gunicorn gives each request a thread. Threads that wait cost little, but requests that work need
memory and connections to the database: so each works in a slot. One that waits for something to
happen, or for its client, gives its slot back meanwhile.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from vantage6.broker.wakeups import Wakeups
from vantage6.models import database

_SLOT = "vantage6.slot"

#: A WSGI application.
App = Callable[[dict[str, Any], Any], Iterable[bytes]]


class RequestSlots:
    """An application of which a limited number of requests works at once.

    SECURITY: a slot is taken when the head of a request and a small body are here (see
    `vantage6.api.http.gunicorn_worker`), and given back before the answer is sent. A large answer
    is in a file by then (see `vantage6.api.http.answers`). So no client holds one by being slow.

    Parameters
    ----------
    app
        The application.
    wakeups
        At which requests wait.
    at_once
        How many work.
    """

    def __init__(self, app: App, wakeups: Wakeups, at_once: int) -> None:
        self._app = app
        self._wakeups = wakeups
        self._slots = threading.BoundedSemaphore(at_once)

    def serve_while(self, is_serving: Callable[[], bool]) -> None:
        """Give waiting requests up when this becomes false."""
        self._wakeups.serve_while(is_serving)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve a request in a slot."""
        with self._slots:
            environ[_SLOT] = self._slots
            return self._app(environ, start_response)


@contextmanager
def without_slot(environ: dict[str, Any]) -> Iterator[None]:
    """Give the slot of a request back while it waits."""
    slots: threading.Semaphore | None = environ.get(_SLOT)
    if slots is None:  # in tests, without a server
        yield
        return
    slots.release()
    try:
        yield
    finally:
        slots.acquire()


@contextmanager
def without_slot_or_connection(environ: dict[str, Any]) -> Iterator[None]:
    """Give the slot and the connection to the database back while a request waits.

    At its end the database may be gone. So what is taken inside and kept for longer, such as a
    lock, is on a stack outside of it, which gives it back.

    Raises
    ------
    Unavailable
        If the database does not answer at the end.
    """
    database.release()
    with without_slot(environ):
        yield
    database.connect()
