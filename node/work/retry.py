"""Doing something until it succeeds, through failures that pass, for one result."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from vantage6.common import logs
from vantage6.common.backoff import delays
from vantage6.common.errors import ConfigurationError, TooMany, Unauthenticated, Unavailable
from vantage6.node.rules.audit import Audit
from vantage6.node.runtime.base import EngineUnavailable

log = logs.get(__name__)

T = TypeVar("T")

#: The server is away, about to renew a login, or asked too often: as by all nodes at once after
#: it came back.
SERVER_AWAY = (Unavailable, Unauthenticated, TooMany)


class InterruptedExecution(Exception):
    """The result was killed, or the node stops."""


class Retry:
    """Waits for server, engine and disk on behalf of one result, until it is interrupted.

    Parameters
    ----------
    result_id
        The result.
    audit
        Where `record` writes.
    """

    def __init__(self, result_id: int, audit: Audit) -> None:
        self._result_id = result_id
        self._audit = audit
        self.interrupted = threading.Event()
        self._lock = threading.Lock()
        #: The last part of an upload was sent at least once: the server may have all of it.
        self.has_sent_all = False

    def interrupt(self) -> None:
        """Work no more on the result; an upload that is under way is broken off."""
        with self._lock:
            self.interrupted.set()

    def before_part(self, left: int) -> None:
        """Let a part of an upload go, unless the result is not worked on any more.

        SECURITY: under one lock with `interrupt`, so that the last part is either kept back or
        known to have left.

        Parameters
        ----------
        left
            Bytes of the upload that come after this part.
        """
        with self._lock:
            self.check()
            if not left:
                self.has_sent_all = True

    def check(self) -> None:
        """Raise `InterruptedExecution` if the result is not worked on any more."""
        if self.interrupted.is_set():
            raise InterruptedExecution

    def server(self, call: Callable[[], T]) -> T:
        """Return what a call to the server returns, as soon as the server is there."""
        return self._until_done(call, SERVER_AWAY)

    def engine(self, call: Callable[[], T]) -> T:
        """Return what a call to the engine returns, as soon as the engine is there."""
        return self._until_done(call, (EngineUnavailable,))

    def disk(self, call: Callable[[], T]) -> T:
        """Return the value of a call that writes; with a full disk, wait until there is room."""
        return self._until_done(call, (OSError,))

    def station(self, call: Callable[[], T]) -> T:
        """Return what a call returns, as soon as files, memory and settings allow it."""
        return self._until_done(call, (OSError, MemoryError, ConfigurationError))

    def record(self, event: str, **facts: Any) -> None:
        """Write down an event; what it announces must not happen before this returns."""
        self.disk(lambda: self._audit.record(event, result_id=self._result_id, **facts))

    def _until_done(self, call: Callable[[], T], passing: tuple[type[Exception], ...]) -> T:
        for pause in delays():
            try:
                return call()
            except passing as error:
                log.warning("trying again", result_id=self._result_id, reason=str(error))
                self.interrupted.wait(pause)
                self.check()
        raise AssertionError("delays never end")
