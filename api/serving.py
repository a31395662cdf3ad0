"""How requests share a process: few work at a time, and many may wait.

gunicorn gives each request a thread. Threads that wait cost little, but requests that work need
memory and connections to the database: so each works in its turn, and one that waits for something
to happen gives its turn back meanwhile.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from vantage6.broker.bells import Bells

_TURN = "vantage6.turn"

#: A WSGI application.
App = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Turns:
    """An application of which a limited number of requests works at once.

    Parameters
    ----------
    app
        The application.
    bells
        At which requests wait.
    at_once
        How many work.
    """

    def __init__(self, app: App, bells: Bells, at_once: int) -> None:
        self._app = app
        self._bells = bells
        self._turns = threading.BoundedSemaphore(at_once)

    def serve_while(self, is_serving: Callable[[], bool]) -> None:
        """Let nobody wait any more when this becomes false."""
        self._bells.serve_while(is_serving)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve a request in its turn."""
        self._turns.acquire()
        try:
            environ[_TURN] = self._turns
            parts = self._app(environ, start_response)
        except BaseException:
            self._turns.release()
            raise
        return _Answer(parts, self._turns)


class _Answer:
    """What is sent. The turn ends when all of it is, as it is in memory until then."""

    def __init__(self, parts: Iterable[bytes], turns: threading.Semaphore) -> None:
        self._parts = parts
        self._turns = turns

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._parts)

    def close(self) -> None:
        """End the turn; called once by who sends."""
        try:
            close = getattr(self._parts, "close", None)
            if close is not None:
                close()
        finally:
            self._turns.release()


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
