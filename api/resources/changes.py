"""What changed, for clients that show it."""

import time

from falcon import Request

from vantage6.api.endpoint import USER, endpoint
from vantage6.api.http import request_slots
from vantage6.api.identity.callers import identify
from vantage6.api.identity.permissions import Caller
from vantage6.api.identity.rights import Rights
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.changes import ChangeReply, ChangesQuery, ChangesReply
from vantage6.broker.changes import MOST_AT_ONCE, Change, Seen, look
from vantage6.broker.wakeups import Waiter
from vantage6.common.enums import Operation, Scope


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
        within = _reach(caller)
        end = self.service.watching.begin(f"user {caller.id}")
        try:
            with (
                request_slots.without_slot_or_connection(req.env),
                self.service.wakeups.watcher() as waiter,
            ):
                seen = self._wait(waiter, query, within)
        finally:
            end()
        if seen.changes:
            # SECURITY: the session or the rights may have ended while the request waited.
            within = _reach(identify(req, self.service.tokens, (USER,)))
        return ChangesReply(
            place=seen.place,
            is_gap=seen.is_gap,
            data=[
                ChangeReply(
                    collaboration_id=one.collaboration,
                    task_id=one.task or None,
                    run_id=one.run or None,
                )
                for one in _within(within, seen.changes)
            ],
        )

    def _wait(self, waiter: Waiter, query: ChangesQuery, within: frozenset[int] | None) -> Seen:
        """Return what is seen with the first change within reach, or at the end of the time."""
        deadline, place = time.monotonic() + query.wait, query.after
        while True:
            waiter.reset()
            found = look(self.service.broker, place)
            changes = _within(within, found.changes)
            left = deadline - time.monotonic()
            is_over = left <= 0 or self.service.wakeups.is_closing
            if place is None or found.is_gap or changes or is_over:
                return Seen(found.place, found.is_gap, list(dict.fromkeys(changes)))
            place = found.place
            if len(found.changes) < MOST_AT_ONCE:
                waiter.wait(left)


def _reach(caller: Caller) -> frozenset[int] | None:
    """Return the collaborations whose changes a caller may hear of; None for all."""
    reach = caller.reach("task", Scope.ORGANIZATION)
    return None if reach.everything else caller.collaborations


def _within(collaborations: frozenset[int] | None, changes: list[Change]) -> list[Change]:
    # SECURITY: of other collaborations not even numbers are told.
    return [one for one in changes if collaborations is None or one.collaboration in collaborations]
