"""What changed, for clients that show it."""

import time

from falcon import Request

from vantage6.api.endpoint import USER, endpoint
from vantage6.api.http import request_slots
from vantage6.api.identity.permissions import Caller
from vantage6.api.identity.rights import Rights
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.changes import ChangeReply, ChangesQuery, ChangesReply
from vantage6.broker.changes import Seen, look
from vantage6.broker.wakeups import Waiter
from vantage6.common.enums import Operation, Scope
from vantage6.models import database


class Changes(Resource):
    """The tasks that changed lately."""

    @endpoint(
        USER,
        query=ChangesQuery,
        reply=ChangesReply,
        problems=(503,),
        permission=Rights(("task", Operation.VIEW)),
    )
    def on_get(self, req: Request, caller: Caller, query: ChangesQuery) -> ChangesReply:
        """Wait until a task or one of its results changes, and tell which.

        A client that shows tasks asks again and again, each time from the `place` of the last
        answer, and reads anew what changed. The answer comes with the first change, or without
        any when the time is over.
        """
        reach = caller.reach("task", Scope.ORGANIZATION)
        within = None if reach.everything else caller.collaborations
        end = self.service.watching.begin(f"user {caller.id}")
        try:
            # Others need the connection, and what follows needs none.
            database.release()
            with self.service.wakeups.watcher() as waiter, request_slots.without_slot(req.env):
                seen = self._wait(waiter, query, within)
        finally:
            end()
        return ChangesReply(
            place=seen.place,
            is_gap=seen.is_gap,
            data=[
                ChangeReply(
                    collaboration_id=one.collaboration,
                    task_id=one.task or None,
                    run_id=one.run or None,
                )
                for one in seen.changes
            ],
        )

    def _wait(self, waiter: Waiter, query: ChangesQuery, within: frozenset[int] | None) -> Seen:
        """Return what is seen with the first change within reach, or at the end of the time."""
        deadline, place = time.monotonic() + query.wait, query.after
        while True:
            waiter.reset()
            found = look(self.service.broker, place)
            # SECURITY: of other collaborations not even numbers are told.
            changes = [
                one for one in found.changes if within is None or one.collaboration in within
            ]
            left = deadline - time.monotonic()
            is_over = left <= 0 or self.service.wakeups.is_closing
            if place is None or found.is_gap or changes or is_over:
                return Seen(found.place, found.is_gap, list(dict.fromkeys(changes)))
            place = found.place
            waiter.wait(left)
