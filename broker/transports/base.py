"""What the transports of a node share: one queue, one message at a time, nothing lost.

Both are narrower than kombu's own, which is all that a node needs: one consumed queue per
connection, one unacknowledged message at a time, the default exchange, no priorities.

Built on `kombu.transport.virtual`, the part of kombu that is meant to be extended. Private names of
kombu that are relied on: ``_get`` and ``_put`` (its documented hooks), ``Channel._active_queues``
(what is consumed), ``QoS._delivered`` (unacknowledged ones), ``Transport._deliver`` (the consumer).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from queue import Empty
from typing import Any, cast

from kombu.transport import virtual

from vantage6.broker import envelopes

#: Longest wait of one call. A longer one would keep kombu from noticing that it should end.
WAIT_SECONDS = 2.0


class QoS(virtual.QoS):
    """Settles messages where they are kept. Unsettled messages stay in flight."""

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

    def unsettled(self) -> list[str]:
        """Return the tags of what was delivered and is neither acknowledged nor rejected."""
        return list(self._delivered or ())


class Channel(virtual.Channel):
    """Takes messages from one queue, one at a time."""

    QoS = QoS

    #: The other side has answered: the connection works.
    answered = False

    def basic_consume(self, queue: str, no_ack: bool = False, *args: Any, **kwargs: Any) -> Any:
        """Consume a queue, beginning with what an earlier consumer left unacknowledged."""
        if no_ack:
            raise NotImplementedError("Messages of this transport must be acknowledged.")
        if self._active_queues:
            raise NotImplementedError("A connection of this transport consumes one queue.")
        self.take_back(queue)
        return super().basic_consume(queue, no_ack, *args, **kwargs)

    def basic_qos(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: there is never more than one unacknowledged message."""

    def basic_recover(self, requeue: bool = False) -> None:  # noqa: ARG002
        """Put what is unacknowledged at the end of the queue."""
        for delivery_tag in cast("QoS", self.qos).unsettled():
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

    @abstractmethod
    def announce(self) -> None:
        """Say that this consumer is there, for about a minute."""

    @abstractmethod
    def withdraw(self) -> None:
        """Say that this consumer stops."""

    @abstractmethod
    def settle(self, delivery_tag: str, *, requeue: bool = False) -> None:
        """Remove a message from flight, or move it to the end of its queue."""

    @abstractmethod
    def take_back(self, queue: str) -> None:
        """See to it that what an earlier consumer left in flight comes first."""

    @abstractmethod
    def take(self, queue: str, timeout: float | None) -> dict[str, Any] | None:
        """Return the envelope of the next message, which is in flight from now on.

        Parameters
        ----------
        queue
            Where from.
        timeout
            Longest wait for one, in seconds; None: do not wait.
        """

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        if not self.qos.can_consume():
            raise Empty
        envelope = self.take(queue, timeout)
        if envelope is None:
            raise Empty
        try:
            self.Message(envelope, channel=self)
        # Whatever is wrong with an entry, it must neither stop the consumer nor come back for ever.
        except Exception as error:
            self.settle(envelopes.tag(envelope))
            envelopes.report_foreign(queue, repr(envelope), error)
            raise Empty from error
        return envelope
