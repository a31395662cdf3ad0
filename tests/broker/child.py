"""A node in a process of its own, which writes down what it receives.

Arguments: a file, how many seconds it takes to handle a message, and what
`tests.broker.conftest.Station` says of itself.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

import kombu

from vantage6.broker import queues
from vantage6.broker.consumer import NodeConsumer
from vantage6.broker.messages import Message
from vantage6.broker.transports import https, redis
from vantage6.client.node_client import NodeClient


def main() -> None:
    """Consume until killed."""
    record, seconds, way, address, secret = sys.argv[1:]
    file = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def handle(message: Message) -> None:
        time.sleep(float(seconds))
        os.write(file, b"%d\n" % message.result_id)

    connect: Callable[[], kombu.Connection]
    if way == "redis":
        node_id = int(secret)
        connect = partial(redis.connect, address, queues.alive(node_id))
    else:
        client = NodeClient(address)
        client.authenticate(secret)
        assert client.whoami is not None
        node_id = client.whoami.id_
        connect = partial(https.connect, client.inbox())
    NodeConsumer(connect, queues.inbox(node_id), handle).run(threading.Event())


if __name__ == "__main__":
    main()
