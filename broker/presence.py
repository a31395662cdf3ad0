"""Who is online: a node that consumes its queue keeps a key alive.

An open socket proves nothing, a loop that comes round does.
"""

from collections.abc import Iterable
from typing import cast

import redis

from vantage6.broker import queues
from vantage6.broker.connection import answering
from vantage6.common import __version__

#: A node counts as online this long after its consuming loop last came round.
EXPIRES_SECONDS = 60
#: The loop refreshes the key this often: three may fail before a node seems to be gone.
REFRESH_SECONDS = 15


def announce(redis_client: redis.Redis, alive_key: str, seconds: int = EXPIRES_SECONDS) -> None:
    """Say that the owner of a key is consuming; it counts for some seconds."""
    redis_client.set(alive_key, __version__, ex=seconds)


def withdraw(redis_client: redis.Redis, alive_key: str) -> None:
    """Say that the owner of a key stopped."""
    # An expiry of a millisecond is a deletion that needs no permission beyond SET.
    redis_client.set(alive_key, __version__, px=1)


def online(redis_client: redis.Redis, node_ids: Iterable[int]) -> set[int]:
    """Return which of the nodes are consuming, in one round trip.

    Raises
    ------
    BrokerUnavailable
        If the broker does not answer.
    """
    asked = list(node_ids)
    if not asked:
        return set()
    with answering():
        answers = cast("list[bytes | None]", redis_client.mget(map(queues.alive, asked)))
    return {node_id for node_id, answer in zip(asked, answers, strict=True) if answer is not None}


def workers_online(redis_client: redis.Redis) -> bool:
    """Return whether a worker works off its queues.

    Raises
    ------
    BrokerUnavailable
        If the broker does not answer.
    """
    with answering():
        return bool(redis_client.exists(queues.WORKERS_ALIVE))
