"""The loop of a node over its inbox."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import kombu

from vantage6.broker import messages, presence
from vantage6.broker.connection import answering
from vantage6.broker.envelopes import LOGGED_CHARACTERS
from vantage6.broker.messages import DecodeError, Message
from vantage6.broker.transports.base import Channel
from vantage6.common import logs
from vantage6.common.errors import V6Error

log = logs.get(__name__)

#: Longest wait for a message, and so for a stop to be noticed.
WAIT_SECONDS = 1.0
#: Rest after a message that could not be handled; doubles with each one in a row.
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 15.0


class NodeConsumer:
    """Hands the messages of one queue to a function, one at a time, and acknowledges them.

    A message is acknowledged when the function returns. When it raises, the message goes to the end
    of the queue, and the loop rests for a moment. What is not a message is logged and dropped.

    Parameters
    ----------
    connect
        Returns a new connection of one of our transports: `vantage6.broker.transports.https` or
        `vantage6.broker.transports.redis`.
    queue
        The queue. No other consumer may take from it.
    on_message
        Handles a message in a few seconds, without renewal of the presence. It may be called
        again with the same message and must bear that.
    """

    def __init__(
        self,
        connect: Callable[[], kombu.Connection],
        queue: str,
        on_message: Callable[[Message], None],
    ) -> None:
        #: The other side has answered since this consumer was made.
        self.answered = False
        self._connect = connect
        self._queue = queue
        self._on_message = on_message
        self._connection: kombu.Connection | None = None
        self._channel: Channel | None = None
        self._announce_at = 0.0
        self._pause_seconds = 0.0

    def run(self, stop: threading.Event) -> None:
        """Consume until the event is set, which is noticed within about a second.

        Raises
        ------
        V6Error
            If the connection broke or the login is no longer valid: log in again.
        """
        try:
            while not stop.is_set():
                self.run_once()
                if self._pause_seconds:
                    stop.wait(self._pause_seconds)
            if self._channel is not None:
                with suppress(V6Error), answering():
                    self._channel.withdraw()
        finally:
            self.close()

    def run_once(self) -> bool:
        """Handle at most one message; return whether one came within a second.

        Raises
        ------
        V6Error
            If the connection broke or the login is no longer valid. The next call connects anew.
        """
        try:
            with answering():
                return self._drain()
        except V6Error:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection. A message that is being handled stays in flight."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            connection.release()

    def _drain(self) -> bool:
        connection, channel = self._open()
        if time.monotonic() >= self._announce_at:
            channel.announce()
            self._announce_at = time.monotonic() + presence.REFRESH_SECONDS
        try:
            connection.drain_events(timeout=WAIT_SECONDS)
        # The built-in one: nothing came. A dead line is `redis.TimeoutError`, which is no relative.
        except TimeoutError:
            return False
        finally:
            self.answered = self.answered or channel.answered
        return True

    def _open(self) -> tuple[kombu.Connection, Channel]:
        if self._connection is None or self._channel is None:
            self._connection = self._connect()
            self._channel = cast("Channel", self._connection.default_channel)
            self._announce_at = 0.0
            kombu.Consumer(
                self._channel,
                # On the default exchange a queue needs no declaration: its name is its address.
                [kombu.Queue(self._queue, exchange="", routing_key=self._queue, no_declare=True)],
                callbacks=[self._handle],
                on_decode_error=self._drop,
                accept=["json"],
            ).consume()
            log.info("consuming", queue=self._queue)
        return self._connection, self._channel

    def _handle(self, body: object, message: kombu.Message) -> None:
        try:
            decoded = messages.decode(body)
            if len(message.body or "") > messages.MAX_BYTES:
                raise DecodeError(f"The message is longer than {messages.MAX_BYTES} bytes.")
        except DecodeError as error:
            self._drop(message, error)
            return
        try:
            self._on_message(decoded)
        # Any failure of the handler is the same to the queue: not done, so not acknowledged.
        except Exception:
            self._pause_seconds = min(
                max(2 * self._pause_seconds, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS
            )
            log.exception("message put back", content=decoded, pause_seconds=self._pause_seconds)
            message.requeue()
        else:
            self._pause_seconds = 0.0
            message.ack()

    def _drop(self, message: kombu.Message, error: Exception) -> None:
        log.error(
            "message dropped",
            queue=self._queue,
            reason=repr(error)[:LOGGED_CHARACTERS],
            body=repr(message.body)[:LOGGED_CHARACTERS],
        )
        message.ack()
