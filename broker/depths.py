"""How much waits in Redis, each in one round trip."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import cast

import redis

from vantage6.broker import presence
from vantage6.broker.connection import answering
from vantage6.broker.queues import CELERY_PREFIX, inbox

#: Sum and maximum, made where the lists are. A node can make something else of its own inbox.
_DEPTHS = """
local total, most = 0, 0
for _, key in ipairs(KEYS) do
    local depth = redis.pcall('LLEN', key)
    if type(depth) == 'number' then
        total = total + depth
        if depth > most then most = depth end
    end
end
return {total, most}
"""


@dataclass(frozen=True)
class Inboxes:
    """The inboxes of all nodes."""

    total: int
    most: int
    #: The nodes that consume theirs.
    online: set[int]


def of_queues(redis_client: redis.Redis, names: Iterable[str]) -> dict[str, int]:
    """Return how many messages wait in queues of Celery.

    Raises
    ------
    BrokerUnavailable
        If the broker does not answer.
    """
    asked = list(names)
    with answering(), redis_client.pipeline(transaction=False) as pipeline:
        for name in asked:
            pipeline.llen(CELERY_PREFIX + name)
        return dict(zip(asked, pipeline.execute(), strict=True))


def of_inboxes(redis_client: redis.Redis, node_ids: Collection[int]) -> Inboxes:
    """Return how full inboxes are.

    Raises
    ------
    BrokerUnavailable
        If the broker does not answer.
    """
    keys = [inbox(node_id) for node_id in node_ids]
    with answering():
        found = redis_client.eval(_DEPTHS, len(keys), *keys)
    total, most = cast("tuple[int, int]", found)
    return Inboxes(total, most, presence.online(redis_client, node_ids))
