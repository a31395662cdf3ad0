"""Results: what organizations compute for a task."""

from typing import Any

from falcon import Request, Response

from vantage6.api import lists
from vantage6.api.endpoint import CONTAINER, NODE, USER, Read, endpoint
from vantage6.api.permissions import Caller
from vantage6.api.resources.base import Resource
from vantage6.common.enums import Operation, Scope
from vantage6.common.schemas.tasks import (
    ClaimReply,
    Include,
    ResultFilter,
    ResultReply,
    ResultUpdate,
)
from vantage6.models.store import organizations, results


class Results(Resource):
    """All results."""

    @endpoint(
        USER,
        NODE,
        CONTAINER,
        query=ResultFilter,
        reply=list[ResultReply],
        permission="result VIEW",
    )
    def on_get(self, req: Request, resp: Response, caller: Caller, query: ResultFilter) -> Any:
        """List the results that the caller may see, newest first."""
        rows, total = results.page(
            caller.reach("result", Scope.ORGANIZATION),
            lists.wanted(query),
            task=query.task_id,
            organization=query.organization_id,
            node=query.node_id,
            open_only=query.state == "open",
            port=query.port,
            between={
                "assigned_at": (query.assigned_from, query.assigned_till),
                "started_at": (query.started_from, query.started_till),
                "finished_at": (query.finished_from, query.finished_till),
            },
        )
        items = self.replies.results(rows, with_task="task" in query.include, payload=query.payload)
        return lists.answer(req, resp, query, items, total)

    @endpoint(USER, NODE, CONTAINER, query=Include, reply=ResultReply, permission="result VIEW")
    def on_get_one(self, _: Request, __: Response, caller: Caller, id_: int, query: Include) -> Any:
        """Show a result; `include=task` puts its task in."""
        row = results.get(id_)
        caller.require("result", Operation.VIEW, collaboration=row.task.collaboration_id)
        return self.replies.results([row], with_task=query.include[:1] == ["task"])[0]

    @endpoint(NODE, body=ResultUpdate, reply=ResultReply)
    def on_patch_one(
        self, _: Request, __: Response, caller: Caller, id_: int, read: Read[ResultUpdate]
    ) -> Any:
        """Store what the node that computes a result reports; what is absent stays.

        The answer leaves input, result and log out: the node has just sent them.
        """
        row = results.of_node(id_, caller.calling_node)
        body = read()
        row = results.patch(
            row,
            status=body.status,
            started_at=body.started_at,
            finished_at=body.finished_at,
            reason=(body.reason.code, body.reason.msg) if body.reason else None,
            contents={
                kind: text
                for kind, text in (("result", body.result), ("log", body.log))
                if text is not None
            },
            lease_seconds=self.service.config.lease_seconds,
        )
        return self.replies.results([row], payload=False)[0]

    @endpoint(NODE, reply=ClaimReply, problems=(409,))
    def on_post_claim(self, _: Request, __: Response, caller: Caller, id_: int) -> Any:
        """Take a result, and get everything that is needed to compute it.

        Again by the same node it answers the same. Once the result has ended, for whatever
        reason, it answers 409 with code `result_finished`.
        """
        seconds = self.service.config.lease_seconds
        row = results.claim(id_, caller.calling_node, seconds)
        task = row.task
        return {
            "id": row.id,
            "status": row.status,
            "input": results.payloads([row.id])[row.id].get("input"),
            "lease_seconds": seconds,
            "task": {
                "id": task.id,
                "name": task.name,
                "image": task.image,
                "database": task.database,
                "run_id": task.run_id,
                "parent": self.replies.link("task", task.parent_id),
                "initiator": task.initiator_id,
                "init_user": task.init_user_id,
                "collaboration": self.replies.link("collaboration", task.collaboration_id),
            },
            "container_token": self.service.tokens.for_container(caller.calling_node, task),
            "initiator_public_key": organizations.get(task.initiator_id).public_key,
        }
