"""A kombu transport over Redis that cannot lose a message.

kombu's own Redis transport pops a message (``BRPOP``) and records it as unacknowledged afterwards;
a consumer that dies in between takes the message with it. This one moves it in one step (``BLMOVE
inbox inbox:inflight``) and removes it when it is acknowledged (``LREM``). There is one consumer for
a queue, so whatever is in flight when it starts is its own, and it takes that back: no visibility
timeout, no sweeping, no second delivery of work that merely takes long.

The price is a narrower promise, which is all that a node needs: one consumed queue per connection,
one unacknowledged message at a time, the default exchange, no priorities.

Built on `kombu.transport.virtual`, the part of kombu that is meant to be extended, and not on
`kombu.transport.redis`, whose poller, bindings and sweeping need commands that a node may not run.
Private names of kombu that are relied on: ``_get`` and ``_put`` (its documented hooks),
``Channel._active_queues`` (what is consumed) and ``Transport._deliver`` (by whom).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty
from typing import Any, cast

import kombu
import redis
from kombu.transport import virtual
from kombu.utils.json import dumps
from redis.client import Pipeline

from vantage6.broker.connection import client
from vantage6.broker.queues import inflight_of
from vantage6.common import logs

log = logs.get(__name__)

#: Longest single BLMOVE. Redis answers it in time even if no message comes, so a longer silence
#: means a dead line.
WAIT_SECONDS = 2.0
#: Silence after which a connection counts as dead. Must exceed `WAIT_SECONDS`.
READ_SECONDS = 5.0
#: How much of a foreign entry is worth a line in the log.
LOGGED_CHARACTERS = 200


class QoS(virtual.QoS):
    """Settles messages in Redis. What nobody settles stays in flight for the next consumer."""

    restore_at_shutdown = False
    channel: Channel

    def __init__(self, channel: Channel, prefetch_count: int = 0) -> None:  # noqa: ARG002
        super().__init__(channel, prefetch_count=1)

    def ack(self, delivery_tag: str) -> None:
        """Forget a message."""
        self.channel.settle(delivery_tag)
        super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Forget a message, or put it at the end of the queue."""
        self.channel.settle(delivery_tag, requeue=requeue)
        super().ack(delivery_tag)


class Channel(virtual.Channel):
    """Takes messages from one queue, one at a time."""

    QoS = QoS

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        # A BLMOVE must not be sent again by itself: the first one may have moved a message, which
        # would stay in flight unseen. After an error the next consumer takes it back.
        self.redis = client(connection.client.hostname, read_seconds=READ_SECONDS, retries=0)
        #: Delivery tag -> queue, and entry of the list exactly as it came.
        self._entries: dict[str, tuple[str, bytes]] = {}
        self._pipeline: Pipeline | None = None
        try:
            self.redis.ping()
        except redis.RedisError:
            self.redis.close()
            raise

    def basic_consume(self, queue: str, no_ack: bool = False, *args: Any, **kwargs: Any) -> Any:
        """Consume a queue, beginning with what an earlier consumer left unacknowledged."""
        if no_ack:
            raise NotImplementedError("Messages of this transport must be acknowledged.")
        if self._active_queues:
            raise NotImplementedError("A connection of this transport consumes one queue.")
        self._take_back(queue)
        return super().basic_consume(queue, no_ack, *args, **kwargs)

    def basic_qos(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: there is never more than one unacknowledged message."""

    def basic_recover(self, requeue: bool = False) -> None:  # noqa: ARG002
        """Put what is unacknowledged at the end of the queue."""
        for delivery_tag in [*self._entries]:
            self.basic_reject(delivery_tag, requeue=True)

    def drain_events(
        self, timeout: float | None = None, callback: Callable[..., Any] | None = None
    ) -> None:
        """Wait for one message and deliver it.

        Raises
        ------
        Empty
            If none came, or none may be taken before the last one is settled.
        """
        if not self._active_queues:
            raise Empty
        queue = self._active_queues[0]
        message = self._get(queue, WAIT_SECONDS if timeout is None else min(timeout, WAIT_SECONDS))
        (callback or self.connection._deliver)(message, queue)

    def settle(self, delivery_tag: str, *, requeue: bool = False) -> None:
        """Remove a message from flight, or move it to the end of its queue."""
        queue, entry = self._entries.pop(delivery_tag)
        if requeue:
            # The end, so that one message that cannot be handled does not hold up all others. It
            # is the only one in flight, so moving needs no search, and no right to add messages.
            self.redis.lmove(inflight_of(queue), queue, "LEFT", "LEFT")
        else:
            self.redis.lrem(inflight_of(queue), 1, cast("str", entry))

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

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        if not self.qos.can_consume():
            raise Empty
        entry = self._move(queue, timeout)
        if entry is None:
            raise Empty
        try:
            payload = _parse(entry)
            message = self.Message(payload, channel=self)
        # Whatever is wrong with an entry, it must neither stop the consumer nor come back for ever.
        except Exception as error:
            self.redis.lrem(inflight_of(queue), 1, cast("str", entry))
            log.error(
                "foreign entry dropped",
                queue=queue,
                reason=repr(error)[:LOGGED_CHARACTERS],
                entry=repr(entry[:LOGGED_CHARACTERS])[:LOGGED_CHARACTERS],
                size_bytes=len(entry),
            )
            raise Empty from error
        self._entries[cast("str", message.delivery_tag)] = queue, entry
        return payload

    def _move(self, queue: str, timeout: float | None) -> bytes | None:
        inflight = inflight_of(queue)
        moved: Any
        if timeout:
            moved = self.redis.blmove(queue, inflight, cast("int", timeout), "RIGHT", "LEFT")
        else:  # To BLMOVE zero seconds are an eternity.
            moved = self.redis.lmove(queue, inflight, "RIGHT", "LEFT")
        return cast("bytes | None", moved)

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:  # noqa: ARG002
        (self._pipeline or self.redis).lpush(queue, dumps(message))

    def _take_back(self, queue: str) -> None:
        taken = 0
        # Youngest first, to the end that is consumed: so the oldest is the next one again.
        while self.redis.lmove(inflight_of(queue), queue, "LEFT", "RIGHT") is not None:
            taken += 1
        if taken:
            log.info("messages taken back", queue=queue, count=taken)


def _parse(entry: bytes) -> dict[str, Any]:
    """Return the envelope in a list entry, checked for what kombu takes for granted."""
    payload = json.loads(entry)
    if not isinstance(payload["properties"]["delivery_tag"], str):
        raise TypeError("the delivery tag is not a text")
    if not isinstance(payload["properties"]["delivery_info"], dict):
        raise TypeError("the delivery information is not an object")
    return cast("dict[str, Any]", payload)


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


def connect(url: str) -> kombu.Connection:
    """Return a connection that fails at once where kombu would try again for ever.

    Its users know better what to do: get a new password, or try later.
    """
    return kombu.Connection(url, transport=Transport, transport_options={"max_retries": 0})
