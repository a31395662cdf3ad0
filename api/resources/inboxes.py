"""The inbox of a node, for nodes that reach nothing but the API."""

import random
import time
from typing import Any
from uuid import UUID

from falcon import Request, Response

from vantage6.api.endpoint import NODE, endpoint
from vantage6.api.http import request_slots
from vantage6.api.identity.permissions import Caller
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.inboxes import Envelope, InboxQuery, SettleQuery
from vantage6.broker.connection import BrokerUnavailable
from vantage6.common.errors import Conflict, Forbidden, Unavailable
from vantage6.models import database


class Inboxes(Resource):
    """The messages of a node, one at a time: the same one again until it is acknowledged."""

    @endpoint(NODE, query=InboxQuery, reply=Envelope, may_be_empty=True, problems=(409,))
    def on_get(
        self, req: Request, resp: Response, caller: Caller, query: InboxQuery, id_: int
    ) -> Any:
        """Wait for a message of the own inbox; 204 if none came.

        The answer is the message in flight, if there is one: a lost answer is repeated by asking
        again. A node that asks counts as online for the time of the wait and half a minute.
        """
        _check(caller, id_)
        try:
            envelope = self.service.inboxes.take(id_, query.wait)
            if envelope is None and query.wait:
                envelope = self._wait(req, id_, query.wait)
        except BrokerUnavailable as error:
            error.retry_after = _soon()
            raise
        if envelope is None:
            resp.status = 204
        return envelope

    @endpoint(NODE, reply=None, status=204)
    def on_delete(self, caller: Caller, id_: int) -> None:
        """Say that the node stops to consume: it counts as offline from now on."""
        _check(caller, id_)
        self.service.inboxes.leave(id_)

    @endpoint(NODE, query=SettleQuery, reply=None, status=204)
    def on_delete_one(self, caller: Caller, query: SettleQuery, id_: int, tag_: UUID) -> None:
        """Acknowledge a message, or move it to the end of its queue; again changes nothing."""
        _check(caller, id_)
        self.service.inboxes.settle(id_, str(tag_), requeue=query.requeue)

    def _wait(self, req: Request, node_id: int, seconds: int) -> Any:
        """Return the first message that comes in time."""
        wakeups, deadline = self.service.wakeups, time.monotonic() + seconds
        if wakeups.waiting >= self.service.config.waiting_nodes:
            full = Unavailable("Too many nodes wait here; try again later.")
            full.retry_after = _soon()
            raise full
        # Others need the connection, and what follows needs none.
        database.release()
        with wakeups.waiter(node_id) as waiter:
            while True:
                waiter.reset()
                left = deadline - time.monotonic()
                envelope = self.service.inboxes.take(node_id, max(0, round(left)))
                if envelope is not None or left <= 0 or wakeups.is_closing:
                    return envelope
                with request_slots.without_slot(req.env):
                    waiter.wait(left)
                if waiter.is_lost:
                    raise Conflict("The node asked again, here or elsewhere.", code="asked_again")


def _check(caller: Caller, node_id: int) -> None:
    if caller.calling_node.id != node_id:
        raise Forbidden("This is the inbox of another node.")


def _soon() -> int:
    """Return after how many seconds to come back: not all in the same one."""
    return random.randint(3, 15)  # noqa: S311 (spreads load, hides nothing)
