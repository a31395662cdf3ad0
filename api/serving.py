"""How requests share a process: few work at a time, and many may wait.

gunicorn gives each request a thread. Threads that wait cost little, but requests that work need
memory and connections to the database: so each works in its turn. One that waits for something to
happen, or for its client, gives its turn back meanwhile.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from vantage6.broker.wakeups import Wakeups
from vantage6.models import database

_TURN = "vantage6.turn"

#: A WSGI application.
App = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Turns:
    """An application of which a limited number of requests works at once.

    SECURITY: a turn begins when the head of a request and a small body are here (see
    `vantage6.api.worker`), and ends before the answer is sent. A large answer is in a file by then
    (see `vantage6.api.answers`). So no client holds one by being slow.

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
        self._turns = threading.BoundedSemaphore(at_once)

    def serve_while(self, is_serving: Callable[[], bool]) -> None:
        """Let nobody wait any more when this becomes false."""
        self._wakeups.serve_while(is_serving)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve a request in its turn."""
        with self._turns:
            environ[_TURN] = self._turns
            return self._app(environ, start_response)


@contextmanager
def pausing(environ: dict[str, Any]) -> Iterator[None]:
    """Give the turn of a request back while it waits."""
    turns: threading.Semaphore | None = environ.get(_TURN)
    if turns is None:  # in tests, without a server
        yield
        return
    turns.release()
    try:
        yield
    finally:
        turns.acquire()


@contextmanager
def resting(environ: dict[str, Any]) -> Iterator[None]:
    """Give the turn and the connection to the database back while a request waits.

    At its end the database may be gone. So what is taken inside and kept for longer, such as a
    lock, is on a stack outside of it, which gives it back.

    Raises
    ------
    Unavailable
        If the database does not answer at the end.
    """
    database.release()
    with pausing(environ):
        yield
    database.connect()
