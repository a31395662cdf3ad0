"""The bells of the nodes that wait at one process of the API: one connection for all of them."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import redis

from vantage6.broker.connection import client
from vantage6.broker.queues import RINGS
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


class Place:
    """Where one node waits."""

    def __init__(self) -> None:
        self._rung = threading.Event()
        #: The same node came again: nobody reads what is answered here.
        self.is_lost = False

    def wait(self, seconds: float) -> None:
        """Wait until the bell rings, or there is another reason to look."""
        self._rung.wait(seconds)

    def reset(self) -> None:
        """Forget the ring; look afterwards, never before."""
        self._rung.clear()

    def ring(self) -> None:
        """Wake who waits."""
        self._rung.set()


class Bells:
    """Wakes nodes whose inbox got a message, in a thread that starts with the first who waits.

    A ring that is lost costs a node the rest of its wait and nothing else; after each connection to
    Redis all look for themselves.

    Parameters
    ----------
    url
        Where Redis is, with a user that may subscribe.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._places: dict[int, Place] = {}
        self._thread: threading.Thread | None = None
        self._needed_at = 0.0
        self._is_serving: Callable[[], bool] = lambda: True

    def serve_while(self, is_serving: Callable[[], bool]) -> None:
        """Wake everybody, and let nobody wait any more, when this becomes false."""
        self._is_serving = is_serving

    @property
    def is_closing(self) -> bool:
        """The process ends: do not wait."""
        return not self._is_serving()

    @property
    def waiting(self) -> int:
        """How many nodes wait."""
        return len(self._places)

    @contextmanager
    def place(self, node_id: int) -> Iterator[Place]:
        """Give a place to a node; the one it had before is lost."""
        place = Place()
        with self._lock:
            before = self._places.get(node_id)
            self._places[node_id] = place
            self._needed_at = time.monotonic()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._listen, name="bells", daemon=True)
                self._thread.start()
        if before is not None:
            before.is_lost = True
            before.ring()
        try:
            yield place
        finally:
            with self._lock:
                if self._places.get(node_id) is place:
                    del self._places[node_id]

    def _listen(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not self._is_over():
            try:
                with client(self._url) as connected, connected.pubsub() as subscription:
                    subscription.subscribe(RINGS)
                    pause = _FIRST_PAUSE_SECONDS
                    self._hear(subscription)
                    return
            except (redis.RedisError, OSError) as error:
                log.warning("bells not heard", reason=repr(error), pause_seconds=pause)
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _hear(self, subscription: Any) -> None:
        """Pass on what is rung, until nobody needs it any more."""
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
            # What was rung before nobody heard.
            self._ring_all()
        elif message["type"] == "message":
            for word in message["data"].split():
                place = self._places.get(int(word)) if word.isdigit() else None
                if place is not None:
                    place.ring()

    def _ring_all(self) -> None:
        with self._lock:
            places = list(self._places.values())
        for place in places:
            place.ring()

    def _is_over(self) -> bool:
        """Tell whether there is nothing to listen for; who waits later starts it again."""
        if self.is_closing:
            self._ring_all()
            return True
        with self._lock:
            if self._places:
                self._needed_at = time.monotonic()
            elif time.monotonic() - self._needed_at > _IDLE_SECONDS:
                self._thread = None
                return True
        return False
