"""A kombu transport over Redis that cannot lose a message.

kombu's own Redis transport pops a message (``BRPOP``) and records it as unacknowledged afterwards;
a consumer that dies in between takes the message with it. This one moves it in one step (``BLMOVE
inbox inbox:inflight``) and removes it when it is acknowledged (``LREM``). There is one consumer for
a queue, so all messages in flight at its start are its own, and it takes them back: no visibility
timeout, no sweeping, no second delivery of work that merely takes long.

It is not built on `kombu.transport.redis`, whose poller, bindings and sweeping need commands that a
node may not run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import kombu
import redis
from kombu.transport import virtual
from kombu.utils.json import dumps
from redis.client import Pipeline

from vantage6.broker import envelopes, presence
from vantage6.broker.connection import client
from vantage6.broker.queues import inflight_of
from vantage6.broker.transports import base
from vantage6.common import logs

log = logs.get(__name__)

#: Silence after which a connection counts as dead. Redis answers a BLMOVE in time even if no
#: message comes, so this must exceed `base.WAIT_SECONDS`.
READ_SECONDS = 5.0
#: The option of the transport that names the key which its consumer keeps alive.
_ALIVE_KEY = "alive_key"


class Channel(base.Channel):
    """Takes messages from a list in Redis, and can publish."""

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        # A BLMOVE must not be sent again by itself: the first one may have moved a message, which
        # would stay in flight unseen. After an error the next consumer takes it back.
        self.redis = client(connection.client.hostname, read_seconds=READ_SECONDS, retries=0)
        self._alive_key = connection.client.transport_options.get(_ALIVE_KEY)
        #: Delivery tag -> queue, and entry of the list exactly as it came.
        self._entries: dict[str, tuple[str, bytes]] = {}
        self._pipeline: Pipeline | None = None
        try:
            self.redis.ping()
        except redis.RedisError:
            self.redis.close()
            raise
        self.answered = True

    def announce(self) -> None:
        """Say that this consumer is there, for about a minute."""
        if self._alive_key:
            presence.announce(self.redis, self._alive_key)

    def withdraw(self) -> None:
        """Say that this consumer stops."""
        if self._alive_key:
            presence.withdraw(self.redis, self._alive_key)

    def settle(self, delivery_tag: str, *, requeue: bool = False) -> None:
        """Remove a message from flight, or move it to the end of its queue."""
        queue, entry = self._entries.pop(delivery_tag)
        if requeue:
            # The end, so that one message that cannot be handled does not hold up all others. It
            # is the only one in flight, so moving needs no search, and no right to add messages.
            self.redis.lmove(inflight_of(queue), queue, "LEFT", "LEFT")
        else:
            self._remove(queue, entry)

    def take_back(self, queue: str) -> None:
        """Put what an earlier consumer left in flight back to where it came from."""
        taken = 0
        # Youngest first, to the end that is consumed: so the oldest is the next one again.
        while self.redis.lmove(inflight_of(queue), queue, "LEFT", "RIGHT") is not None:
            taken += 1
        if taken:
            log.info("messages taken back", queue=queue, count=taken)

    def take(self, queue: str, timeout: float | None) -> dict[str, Any] | None:
        """Return the envelope of the next message, which is in flight from now on."""
        entry = self._move(queue, timeout)
        if entry is None:
            return None
        try:
            envelope = envelopes.parse(entry)
        except Exception as error:
            self._remove(queue, entry)
            envelopes.report_foreign(queue, entry, error)
            return None
        self._entries[envelopes.tag(envelope)] = queue, entry
        return envelope

    @contextmanager
    def batch(self) -> Iterator[Pipeline]:
        """Collect what is published in a pipeline, which is the caller's to execute."""
        with self.redis.pipeline(transaction=False) as pipeline:
            self._pipeline = pipeline
            try:
                yield pipeline
            finally:
                self._pipeline = None

    def close(self) -> None:
        """Close the channel and its connection; what is unacknowledged stays in flight."""
        super().close()
        self.redis.close()

    def _move(self, queue: str, timeout: float | None) -> bytes | None:
        inflight = inflight_of(queue)
        moved: Any
        if timeout:
            moved = self.redis.blmove(queue, inflight, cast("int", timeout), "RIGHT", "LEFT")
        else:  # To BLMOVE zero seconds are an eternity.
            moved = self.redis.lmove(queue, inflight, "RIGHT", "LEFT")
        return cast("bytes | None", moved)

    def _remove(self, queue: str, entry: bytes) -> None:
        self.redis.lrem(inflight_of(queue), 1, cast("str", entry))

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:  # noqa: ARG002
        (self._pipeline or self.redis).lpush(queue, dumps(message))


class Transport(virtual.Transport):
    """Use as ``kombu.Connection(url, transport=Transport)``."""

    Channel = Channel

    #: The URL goes to redis-py as it is, with its options for TLS.
    can_parse_url = True
    driver_type = "redis"
    driver_name = "redis"
    #: Pause after a wait that brought nothing; the waiting itself is done by BLMOVE.
    polling_interval = 0.01

    connection_errors = (
        *virtual.Transport.connection_errors,
        redis.ConnectionError,
        redis.TimeoutError,
    )
    channel_errors = (*virtual.Transport.channel_errors, redis.ResponseError)

    def driver_version(self) -> str:
        """Return the version of redis-py."""
        return redis.__version__


def connect(url: str, alive_key: str | None = None) -> kombu.Connection:
    """Return a connection that fails at once where kombu would try again for ever.

    Its users know better what to do: get a new password, or try later.

    Parameters
    ----------
    url
        Where Redis is, with user and password.
    alive_key
        The key that a consumer keeps alive.
    """
    options = {"max_retries": 0, _ALIVE_KEY: alive_key}
    return kombu.Connection(url, transport=Transport, transport_options=options)
