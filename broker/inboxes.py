"""The inboxes of nodes, as the server hands them out and settles them in the nodes' name.

Scripts, because each step must be one: two requests of a node may arrive side by side, and a
request that is repeated after its answer was lost must find what the first one left.
"""

from typing import Any, cast

import redis

from vantage6.broker import envelopes, presence
from vantage6.broker.connection import BrokerUnavailable, Cooldown, answering
from vantage6.broker.queues import alive, inbox, inflight
from vantage6.common import __version__

#: What is in flight comes first, the oldest first of all.
_TAKE = """
redis.call('SET', KEYS[3], ARGV[1], 'EX', ARGV[2])
return redis.call('LINDEX', KEYS[2], -1)
    or redis.call('LMOVE', KEYS[1], KEYS[2], 'RIGHT', 'LEFT')
"""
_SETTLE = """
for _, entry in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
    local _, tag = pcall(function() return cjson.decode(entry).properties.delivery_tag end)
    if tag == ARGV[1] then
        redis.call('LREM', KEYS[2], 1, entry)
        if ARGV[2] == 'requeue' then redis.call('LPUSH', KEYS[1], entry) end
    end
end
"""
#: A node counts as online this long after its last request ended: it may be handling a message.
_MARGIN_SECONDS = 30
#: Foreign entries that one call drops.
_MOST_FOREIGN = 100


class Inboxes:
    """All inboxes. For a while after Redis did not answer, requests do not wait for it.

    Parameters
    ----------
    redis_client
        Has the right to write to all inboxes, and does not wait for long.
    """

    def __init__(self, redis_client: redis.Redis) -> None:
        self._redis = redis_client
        self._cooldown = Cooldown()

    def take(self, node_id: int, wait: int) -> dict[str, Any] | None:
        """Return the envelope in flight, or else the next one, which is in flight from now on.

        Parameters
        ----------
        node_id
            Whose inbox.
        wait
            Seconds for which the node may wait for another one: it counts as online meanwhile.

        Raises
        ------
        BrokerUnavailable
            If Redis does not answer.
        """
        for _ in range(_MOST_FOREIGN):
            present = str(wait + _MARGIN_SECONDS)
            entry = cast("bytes | None", self._run(_TAKE, node_id, __version__, present))
            if entry is None:
                return None
            try:
                return envelopes.parse(entry)
            # Whatever is wrong with it, it must not come back for ever.
            except Exception as error:
                envelopes.report_foreign(inbox(node_id), entry, error)
                with answering():
                    self._redis.lrem(inflight(node_id), 1, cast("str", entry))
        return None

    def settle(self, node_id: int, delivery_tag: str, *, requeue: bool) -> None:
        """Remove a message from flight, or move it to the end of its queue; once only.

        Raises
        ------
        BrokerUnavailable
            If Redis does not answer.
        """
        what = "requeue" if requeue else "forget"
        self._run(_SETTLE, node_id, delivery_tag, what)

    def leave(self, node_id: int) -> None:
        """Say that a node stopped to consume.

        Raises
        ------
        BrokerUnavailable
            If Redis does not answer.
        """
        with answering():
            presence.withdraw(self._redis, alive(node_id))

    def _run(self, script: str, node_id: int, *values: str) -> object:
        """Run a script on the keys of a node."""
        if self._cooldown.is_active:
            raise BrokerUnavailable
        try:
            with answering():
                return self._eval(script, node_id, *values)
        except BrokerUnavailable as error:
            # SECURITY: a node that spoils its own keys must not start the cooldown for all nodes.
            if not isinstance(error.__cause__, redis.ResponseError):
                self._cooldown.begin()
            raise

    def _eval(self, script: str, node_id: int, *values: str) -> object:
        keys = (inbox(node_id), inflight(node_id), alive(node_id))
        try:
            return self._redis.eval(script, len(keys), *keys, *values)
        except redis.ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            # A node with a login at Redis can write any value to its own keys.
            self._redis.delete(*keys)
            return None
