"""Ending results that run."""

from vantage6.api.endpoint import USER, Read, endpoint
from vantage6.api.identity.permissions import Caller
from vantage6.api.identity.rights import Rights
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.base import Message
from vantage6.api.schemas.tasks import Kill
from vantage6.broker.changes import Change
from vantage6.common.enums import Operation, Scope
from vantage6.common.errors import Invalid
from vantage6.models.store import nodes, result_endings, tasks


class Killing(Resource):
    """Ends open results."""

    @endpoint(
        USER,
        body=Kill,
        weighs_first=True,
        reply=Message,
        problems=(404,),
        permission=Rights(("event", Operation.CREATE)),
    )
    def on_post_task(self, caller: Caller, read: Read[Kill]) -> Message:
        """End every open result of a task and of its sub-tasks.

        In scope ORGANIZATION, of a task that the own organization sent or is asked by.
        """
        row = tasks.get(read().id)
        is_near = row.collaboration_id in caller.collaborations
        if not (is_near and caller.holds("event", Operation.CREATE, Scope.COLLABORATION)):
            # SECURITY: what is for others only is not ended by a rule for the own organization.
            own = caller.organization_id
            takes_part = is_near and own is not None and tasks.is_part_of(own, row)
            caller.require("event", Operation.CREATE, organization=own if takes_part else None)
        ended = tasks.kill(row.id)
        if not ended:
            raise Invalid(f"Task {row.id} has ended already.", code="task_ended")
        self.service.count_killed(ended)
        self.service.note_change(row)
        return {"msg": f"{ended} results of task {row.id} were killed."}

    @endpoint(
        USER,
        body=Kill,
        weighs_first=True,
        reply=Message,
        problems=(404,),
        permission=Rights(("event", Operation.CREATE)),
    )
    def on_post_node_tasks(self, caller: Caller, read: Read[Kill]) -> Message:
        """End everything that a node computes.

        A node that is offline learns of it when it comes back.
        """
        node = nodes.get(read().id)
        everywhere = caller.holds("event", Operation.CREATE, Scope.COLLABORATION)
        if not (everywhere and node.collaboration_id in caller.collaborations):
            caller.require("event", Operation.CREATE, organization=node.organization_id)
        ended = result_endings.kill_at(node)
        self.service.count_killed(ended)
        if ended and node.collaboration_id is not None:
            self.service.telemetry.note(Change(node.collaboration_id))
        return {"msg": f"{ended} results of node {node.id} were killed."}
