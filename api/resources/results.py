"""Results: the executions of a task at its organizations."""

from collections.abc import Callable
from functools import partial

from falcon import Request, Response

from vantage6.api.endpoint import CONTAINER, NODE, USER, Read, endpoint
from vantage6.api.http import lists
from vantage6.api.identity.permissions import Caller
from vantage6.api.identity.rights import Rights
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.tasks import (
    ClaimReply,
    Include,
    RequesterReply,
    ResultFilter,
    ResultReply,
    ResultUpdate,
)
from vantage6.broker import metrics
from vantage6.broker.flower import Work
from vantage6.common.clock import now
from vantage6.common.enums import Operation, Scope
from vantage6.common.errors import NotFound
from vantage6.common.logs import get
from vantage6.common.task_status import TaskStatus
from vantage6.models.store import (
    organizations,
    payloads,
    requesters,
    result_endings,
    result_lists,
    results,
)
from vantage6.models.tables import Node, Organization, Result, Task

log = get(__name__)


class Results(Resource):
    """All results."""

    @endpoint(
        USER,
        NODE,
        CONTAINER,
        query=ResultFilter,
        reply=list[ResultReply],
        permission=Rights(
            ("result", Operation.VIEW), ("task", Operation.VIEW), text="{}; {} for `include=task`"
        ),
    )
    def on_get(
        self, req: Request, resp: Response, caller: Caller, query: ResultFilter
    ) -> lists.LongList[ResultReply]:
        """List the results that the caller may see, newest first."""
        with_task = "task" in query.include
        read = partial(
            result_lists.page,
            caller.reach("result", Scope.ORGANIZATION),
            open_only=query.state == "open",
            with_tasks=with_task,
            task=query.task_id,
            run=query.run_id,
            organization=query.organization_id,
            node=query.node_id,
            port=query.port,
            assigned_from=query.assigned_from,
            assigned_till=query.assigned_till,
            started_from=query.started_from,
            started_till=query.started_till,
            finished_from=query.finished_from,
            finished_till=query.finished_till,
        )
        texts = caller.texts_of if query.payload else None
        embeds = self._embedding(caller) if with_task else None
        build = partial(self.replies.results, texts=texts, embeds=embeds)
        return lists.list_page(req, resp, query, read, build)

    @endpoint(
        USER,
        NODE,
        CONTAINER,
        query=Include,
        reply=ResultReply,
        permission=Rights(
            ("result", Operation.VIEW), ("task", Operation.VIEW), text="{}; {} for `include=task`"
        ),
    )
    def on_get_one(self, caller: Caller, id_: int, query: Include) -> ResultReply:
        """Show a result; `include=task` puts its task in."""
        row = results.get(id_)
        if not caller.sees(row.task_id):
            raise NotFound(f"There is no result {id_}.")
        caller.require("result", Operation.VIEW, collaboration=row.task.collaboration_id)
        embeds = self._embedding(caller) if query.include[:1] == ["task"] else None
        return self.replies.results([row], texts=caller.texts_of, embeds=embeds)[0]

    @staticmethod
    def _embedding(caller: Caller) -> Callable[[Task], bool]:
        """Tell which tasks may stand within their results.

        SECURITY: what stands within something else asks for its own right.
        """
        caller.reach("task", Scope.ORGANIZATION)
        return caller.views_task

    @endpoint(NODE, body=ResultUpdate, is_large=True, reply=ResultReply)
    def on_patch_one(self, caller: Caller, id_: int, read: Read[ResultUpdate]) -> ResultReply:
        """Store the report of the node that computes a result; absent fields stay as they are.

        The answer leaves input, result and log out: the node has just sent them.
        """
        row = results.of_node(id_, caller.calling_node)
        body = read()
        was_open = row.finished_at is None
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
        self.service.note_change(row.task)
        if was_open and row.finished_at is not None:
            self._note_end(row, caller.calling_node)
        return self.replies.results([row], texts=None, node=caller.calling_node)[0]

    def _note_end(self, row: Result, node: Node) -> None:
        """Tell operators how a result ended."""
        status = TaskStatus(row.status)
        log.info("result ended", result_id=row.id, task_id=row.task_id, status=str(status))
        self.service.telemetry.count(metrics.ENDED, str(status))
        took = row.finished_at - row.started_at if row.finished_at and row.started_at else None
        self.service.flower.ended(_work(row, node), status, took.total_seconds() if took else 0)

    def _note_claim(self, row: Result, node: Node) -> None:
        """Tell operators that a node took a result, and after which time."""
        log.info("result claimed", result_id=row.id, task_id=row.task_id, node_id=node.id)
        self.service.flower.started(_work(row, node))
        if row.attempt == 1:
            waited = (now() - row.assigned_at).total_seconds()
            self.service.telemetry.observe(metrics.CLAIMS, waited)

    @endpoint(NODE, reply=ClaimReply, problems=(409,))
    def on_post_claim(self, caller: Caller, id_: int) -> ClaimReply:
        """Take a result, and get everything that is needed to compute it.

        Again by the same node it answers the same. Once the result has ended, for any
        reason, it answers 409 with code `result_finished`.
        """
        seconds = self.service.config.lease_seconds
        row, is_new = results.claim(id_, caller.calling_node, seconds)
        if is_new:
            self._note_claim(row, caller.calling_node)
            self.service.note_change(row.task)
        task = row.task
        initiator = organizations.get(task.initiator_id)
        return {
            "id": row.id,
            "status": row.status,
            "input": payloads.outlines([row.id])[row.id].get("input"),
            "lease_seconds": seconds,
            "task": {
                "id": task.id,
                "name": task.name,
                "image": task.image,
                "database": task.database,
                "run_id": task.run_id,
                "parent": self.replies.link("task", task.parent_id),
                "initiator": task.initiator_id,
                "initiator_name": initiator.name,
                "init_user": task.init_user_id,
                "init_username": task.init_user.username if task.init_user else None,
                "collaboration": self.replies.link("collaboration", task.collaboration_id),
                "requesters": [_requester(one) for one in _requesters(task, initiator)],
                "organizations": results.parties(task.id),
            },
            "container_token": self.service.tokens.for_container(caller.calling_node, task),
            "initiator_public_key": initiator.public_key,
        }

    @endpoint(NODE, reply=ResultReply)
    def on_delete_claim(self, caller: Caller, id_: int) -> ResultReply:
        """Give up a result of which the server refused every report; it ends as failed.

        A result that has ended stays as it is.
        """
        node = caller.calling_node
        row = results.of_node(id_, node)
        if result_endings.give_up(row.id):
            row = results.get(id_)
            log.error("result given up", result_id=row.id, node_id=node.id)
            self._note_end(row, node)
            self.service.note_change(row.task)
        return self.replies.results([row], texts=None, node=node)[0]


def _requesters(task: Task, initiator: Organization) -> list[requesters.Requester]:
    """Return in whose names a task was sent; only a sub-task has to be looked up."""
    if task.parent_id is not None:
        return requesters.of(task)
    name = task.init_user.username if task.init_user else None
    own = task.id, initiator.id, initiator.name, task.init_user_id, name, task.image
    return [requesters.Requester(*own)]


def _requester(requester: requesters.Requester) -> RequesterReply:
    return {
        "task": requester.task_id,
        "organization": requester.organization_id,
        "organization_name": requester.organization,
        "user": requester.user_id,
        "user_name": requester.user,
        "image": requester.image,
    }


def _work(row: Result, node: Node) -> Work:
    return Work(row.id, row.task_id, node.id, node.name or "", row.task.image)
