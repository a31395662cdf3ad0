"""A kombu transport over HTTPS: a node's inbox as the API hands it out.

The same promise as that of `vantage6.broker.transports.redis`, kept by the server: it moves a
message into flight when it hands it out, and hands out the same one again until it is acknowledged.
A reply that is lost, a connection that is cut and a server that dies therefore cost a repetition
and no message.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any, Protocol

import kombu
from kombu.transport import virtual

from vantage6.broker.transports import base

#: Longest wait of one request. Proxies on the way often close what is silent for a minute.
WAIT_SECONDS = 25
_INBOX = "inbox"


class Inbox(Protocol):
    """A queue behind requests. Every failure is one of `vantage6.common.errors`."""

    def take(self, wait: int) -> dict[str, Any] | None:
        """Return the envelope in flight, or of the next message that comes within some seconds."""

    def settle(self, delivery_tag: str, *, requeue: bool = False) -> None:
        """Acknowledge a message, or move it to the end of the queue; again is harmless."""

    def leave(self) -> None:
        """Say that the node consumes no longer."""


class Channel(base.Channel):
    """Takes messages from an inbox that is reached by requests."""

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        self._inbox: Inbox = connection.client.transport_options[_INBOX]
        self._request: Future[dict[str, Any] | None] | None = None

    def announce(self) -> None:
        """Do nothing: each request for a message says that the node is there."""

    def withdraw(self) -> None:
        """Say that this consumer stops."""
        self._inbox.leave()

    def settle(self, delivery_tag: str, *, requeue: bool = False) -> None:
        """Remove a message from flight, or move it to the end of its queue."""
        self._inbox.settle(delivery_tag, requeue=requeue)

    def take_back(self, queue: str) -> None:
        """Do nothing: the server hands out first what is in flight."""

    def take(self, queue: str, timeout: float | None) -> dict[str, Any] | None:  # noqa: ARG002
        """Return the envelope of the next message.

        The request waits longer than one call, in a thread, and the next call goes on with it. So
        the consumer is never held up. A message that comes after the last call stays
        in flight.
        """
        if self._request is None:
            self._request = _in_a_thread(self._inbox, WAIT_SECONDS if timeout else 0)
        try:
            envelope = self._request.result(timeout)
        except TimeoutError:
            return None
        except BaseException:
            self._request = None
            raise
        self._request = None
        self.answered = True
        return envelope

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        raise NotImplementedError("A node does not send messages.")


def _in_a_thread(inbox: Inbox, wait: int) -> Future[dict[str, Any] | None]:
    """Begin to take a message."""
    begun: Future[dict[str, Any] | None] = Future()

    def take() -> None:
        try:
            begun.set_result(inbox.take(wait))
        # Raised again by who asks for the result.
        except BaseException as error:
            begun.set_exception(error)

    # Of its own: the threads of a pool would keep the process from ending before they do.
    threading.Thread(target=take, name="inbox", daemon=True).start()
    return begun


class Transport(virtual.Transport):
    """Use through `connect`."""

    Channel = Channel

    driver_type = "https"
    driver_name = "https"
    #: Pause after a wait that brought nothing; the waiting itself is done by the server.
    polling_interval = 0.01

    def driver_version(self) -> str:
        """Return the version of the inbox protocol, which kombu shows."""
        return "1"


def connect(inbox: Inbox) -> kombu.Connection:
    """Return a connection to an inbox; nothing is sent before messages are consumed."""
    return kombu.Connection(
        "https://", transport=Transport, transport_options={"max_retries": 0, _INBOX: inbox}
    )
