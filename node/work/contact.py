"""When the server answered last, for people at the station."""

import threading

from vantage6.common import clock


class Contact:
    """Notes how the last exchange with the server ended. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered_at: str | None = None
        self._failure: str | None = None

    def note_answer(self) -> None:
        """Note that the server answered."""
        with self._lock:
            self._answered_at, self._failure = clock.now().isoformat(), None

    def note_failure(self, why: str) -> None:
        """Note that it did not."""
        with self._lock:
            self._failure = why

    def describe(self) -> dict[str, str | None]:
        """Return when the server answered last, and why it does not now; None where it does."""
        with self._lock:
            return {"answered_at": self._answered_at, "failure": self._failure}
