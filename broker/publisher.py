"""The server's side of the inboxes of the nodes."""

from collections.abc import Iterable
from typing import Any

import kombu
from vantage6.broker.connection import CONNECT_SECONDS, READ_SECONDS, answering, client, tls
from vantage6.broker.messages import Message, encode
from vantage6.broker.queues import inbox

#: Messages that may wait in one inbox. A node that stays away for months must not fill the broker:
#: the oldest go first, and the node learns of what it missed when it reconciles.
MAX_WAITING = 10_000


class Publisher:
    """Rings the bells of nodes.

    It holds no connection between two calls, and may be shared by threads and forked processes.

    Parameters
    ----------
    url
        Where the broker is, with a user that may write to all inboxes.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def ring(self, deliveries: Iterable[tuple[int, Message]]) -> int:
        """Put messages into the inboxes of nodes and return how many.

        Parameters
        ----------
        deliveries
            Pairs of the id of a node and a message for it. A few hundred travel in one round trip,
            so give many at once.

        Raises
        ------
        BrokerUnavailable
            If not all of them arrived for certain. Ringing again is harmless.
        """
        bells = [(inbox(node_id), encode(message)) for node_id, message in deliveries]
        if not bells:
            return 0
        with answering(), self._connection() as connection:
            producer: Any = connection.Producer(serializer="json")
            with producer.batch():
                for queue, body in bells:
                    producer.publish(body, exchange="", routing_key=queue)
            self._trim({queue for queue, _ in bells})
        return len(bells)

    def _connection(self) -> kombu.Connection:
        return kombu.Connection(
            self._url,
            ssl=tls(self._url) or False,
            transport_options={
                "socket_connect_timeout": CONNECT_SECONDS,
                "socket_timeout": READ_SECONDS,
                # kombu tries to connect for ever unless told otherwise.
                "max_retries": 0,
            },
        )

    def _trim(self, queues: set[str]) -> None:
        with (
            client(self._url) as redis_client,
            redis_client.pipeline(transaction=False) as pipeline,
        ):
            for queue in queues:
                pipeline.ltrim(queue, 0, MAX_WAITING - 1)
            pipeline.execute()
