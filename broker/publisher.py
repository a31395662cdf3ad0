"""The server's side of the inboxes of the nodes."""

from collections.abc import Iterable
from typing import Any, cast

import kombu
from redis.exceptions import ResponseError

from vantage6.broker.connection import answering
from vantage6.broker.messages import Message, encode
from vantage6.broker.queues import WAKEUPS, inbox
from vantage6.broker.transports.redis import Channel, connect

#: Messages that may wait in one inbox. A node that stays away for months must not fill the broker:
#: the oldest go first, and the node learns of what it missed when it reconciles.
MAX_WAITING = 10_000

#: The node a message goes to, and its body.
_Delivery = tuple[int, dict[str, Any]]


class Publisher:
    """Puts doorbells into the inboxes of nodes.

    It holds no connection between two calls, and may be shared by threads and forked processes.

    Parameters
    ----------
    url
        Where the broker is, with a user that may write to all inboxes.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def publish(self, deliveries: Iterable[tuple[int, Message]]) -> int:
        """Put messages into the inboxes of nodes, in one round trip, and return how many.

        Parameters
        ----------
        deliveries
            Pairs of the id of a node and a message for it; give many at once.

        Raises
        ------
        BrokerUnavailable
            If not all of them arrived for certain. To publish again is harmless.
        """
        doorbells = [(node_id, encode(message)) for node_id, message in deliveries]
        if not doorbells:
            return 0
        with answering(), connect(self._url) as connection:
            channel = cast("Channel", connection.default_channel)
            spoiled = _send(channel, doorbells)
            if spoiled:
                # SECURITY: a node can write any value to its inbox. It must not get, by that, all
                # others into a delivery that always fails.
                channel.redis.delete(*{inbox(node_id) for node_id, _ in spoiled})
                _send(channel, spoiled)
        return len(doorbells)


def _send(channel: Channel, doorbells: list[_Delivery]) -> list[_Delivery]:
    """Send messages and return those whose queue turned out to be no list."""
    producer = kombu.Producer(channel, serializer="json")
    with channel.batch() as pipeline:
        for node_id, body in doorbells:
            producer.publish(body, exchange="", routing_key=inbox(node_id))
        nodes = {node_id for node_id, _ in doorbells}
        for node_id in nodes:
            pipeline.ltrim(inbox(node_id), 0, MAX_WAITING - 1)
        # For the API processes at which nodes wait; one message wakes them all.
        pipeline.publish(WAKEUPS, " ".join(map(str, nodes)))
        replies = pipeline.execute(raise_on_error=False)
    for reply in replies:
        if isinstance(reply, Exception) and not _is_wrong_type(reply):
            raise reply
    return [
        doorbell
        for doorbell, reply in zip(doorbells, replies, strict=False)
        if _is_wrong_type(reply)
    ]


def _is_wrong_type(reply: object) -> bool:
    return isinstance(reply, ResponseError) and str(reply).startswith("WRONGTYPE")
