"""Ending what runs."""

from typing import Any

from falcon import Request, Response

from vantage6.api.endpoint import USER, Read, endpoint
from vantage6.api.permissions import Caller
from vantage6.api.resources.base import Resource
from vantage6.common.enums import Operation
from vantage6.common.errors import Invalid
from vantage6.common.schemas.base import Message
from vantage6.common.schemas.tasks import Kill
from vantage6.models.store import results, tasks


class Killing(Resource):
    """Ends open results."""

    @endpoint(USER, body=Kill, reply=Message, permission="event CREATE")
    def on_post_task(self, _: Request, __: Response, caller: Caller, read: Read[Kill]) -> Any:
        """End every open result of a task and of its sub-tasks."""
        row = tasks.get(read().id)
        caller.require("event", Operation.CREATE, collaboration=row.collaboration_id)
        killed, message = results.kill(row.id)
        if not killed:
            raise Invalid(f"Task {row.id} has ended already.", code="task_ended")
        self.service.announce(message)
        return {"msg": f"{len(killed)} results of task {row.id} were killed."}
