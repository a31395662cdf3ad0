"""Wakes the requests that wait at one process of the API: one connection for all of them."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import redis

from vantage6.broker.connection import client
from vantage6.broker.queues import CHANGES_WORD, WAKEUPS
from vantage6.common import logs

log = logs.get(__name__)

#: How often the listener looks whether the process ends.
_LOOK_SECONDS = 0.5
#: How often it asks Redis for a sign of life, and after what silence it connects anew.
_PING_SECONDS = 10.0
_SILENCE_SECONDS = 25.0
#: Pause before it connects anew; doubles each time.
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
#: Without anybody who waits it ends after this time; the next one starts it again.
_IDLE_SECONDS = 60.0


class Waiter:
    """One request of a node that waits for a message, or of a client that waits for changes."""

    def __init__(self) -> None:
        self._woken = threading.Event()
        #: The same node came again: nobody reads what is answered here.
        self.is_lost = False

    def wait(self, seconds: float) -> None:
        """Wait until there is a reason to look."""
        self._woken.wait(seconds)

    def reset(self) -> None:
        """Forget earlier wake-ups; look afterwards, never before."""
        self._woken.clear()

    def wake(self) -> None:
        """Wake the request."""
        self._woken.set()


class Wakeups:
    """Wakes nodes whose inbox got a message, and clients when a task changed.

    A thread does it, which starts with the first request that waits.

    A lost notification only delays a node until its wait ends. After each connection to Redis all
    nodes look.

    Parameters
    ----------
    url
        Where Redis is, with a user that may subscribe.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._waiters: dict[int, Waiter] = {}
        self._watchers: set[Waiter] = set()
        self._thread: threading.Thread | None = None
        self._needed_at = 0.0
        self._is_serving: Callable[[], bool] = lambda: True

    def serve_while(self, is_serving: Callable[[], bool]) -> None:
        """Wake all waiters, and admit none, when this becomes false."""
        self._is_serving = is_serving

    @property
    def is_closing(self) -> bool:
        """The process ends: do not wait."""
        return not self._is_serving()

    @property
    def waiting(self) -> int:
        """How many nodes wait."""
        return len(self._waiters)

    @contextmanager
    def waiter(self, node_id: int) -> Iterator[Waiter]:
        """Let a node wait; its request before this one is lost."""
        waiter = Waiter()
        with self._lock:
            before = self._waiters.get(node_id)
            self._waiters[node_id] = waiter
            self._need_listener()
        if before is not None:
            before.is_lost = True
            before.wake()
        try:
            yield waiter
        finally:
            with self._lock:
                if self._waiters.get(node_id) is waiter:
                    del self._waiters[node_id]

    @contextmanager
    def watcher(self) -> Iterator[Waiter]:
        """Let a client wait for changes of tasks."""
        waiter = Waiter()
        with self._lock:
            self._watchers.add(waiter)
            self._need_listener()
        try:
            yield waiter
        finally:
            with self._lock:
                self._watchers.discard(waiter)

    def _need_listener(self) -> None:
        """Start the thread if there is none. The lock is held."""
        self._needed_at = time.monotonic()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._listen, name="wakeups", daemon=True)
            self._thread.start()

    def _listen(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not self._is_over():
            try:
                with client(self._url) as connected, connected.pubsub() as subscription:
                    subscription.subscribe(WAKEUPS)
                    pause = _FIRST_PAUSE_SECONDS
                    self._hear(subscription)
                    return
            except (redis.RedisError, OSError) as error:
                log.warning("wake-ups not heard", reason=repr(error), pause_seconds=pause)
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _hear(self, subscription: Any) -> None:
        """Pass notifications on until no node waits any more."""
        heard = asked = time.monotonic()
        while not self._is_over():
            message = subscription.get_message(timeout=_LOOK_SECONDS)
            moment = time.monotonic()
            if message is not None:
                heard = moment
                self._pass_on(message)
            elif moment - heard > _SILENCE_SECONDS:
                raise redis.ConnectionError("Redis is silent")
            if moment - asked > _PING_SECONDS:
                asked = moment
                subscription.ping()

    def _pass_on(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            # Notifications before the subscription were not heard.
            self._wake_all()
        elif message["type"] == "message":
            for word in message["data"].split():
                if word == CHANGES_WORD.encode():
                    self._wake_watchers()
                waiter = self._waiters.get(int(word)) if word.isdigit() else None
                if waiter is not None:
                    waiter.wake()

    def _wake_watchers(self) -> None:
        with self._lock:
            watchers = list(self._watchers)
        for waiter in watchers:
            waiter.wake()

    def _wake_all(self) -> None:
        with self._lock:
            waiters = list(self._waiters.values())
        for waiter in waiters:
            waiter.wake()
        self._wake_watchers()

    def _is_over(self) -> bool:
        """Tell whether there is nothing to listen for; who waits later starts it again."""
        if self.is_closing:
            self._wake_all()
            return True
        with self._lock:
            if self._waiters or self._watchers:
                self._needed_at = time.monotonic()
            elif time.monotonic() - self._needed_at > _IDLE_SECONDS:
                self._thread = None
                return True
        return False
