"""Tasks."""

from collections.abc import Sequence
from functools import partial

from falcon import Request, Response

from vantage6.api.endpoint import CONTAINER, NODE, USER, Read, endpoint
from vantage6.api.http import lists
from vantage6.api.identity.permissions import Caller
from vantage6.api.identity.rights import Rights
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.base import Message, PageQuery
from vantage6.api.schemas.tasks import (
    Include,
    TaskCreate,
    TaskFilter,
    TaskReply,
    TaskResultReply,
    TaskStatusReply,
)
from vantage6.common.enums import Operation, Scope
from vantage6.common.errors import Forbidden, NotFound
from vantage6.common.logs import get
from vantage6.models.store import (
    collaborations,
    input_checks,
    lineage,
    result_lists,
    targets,
    tasks,
)
from vantage6.models.store.lineage import Kinship
from vantage6.models.tables import Task

log = get(__name__)


class Tasks(Resource):
    """All tasks."""

    @endpoint(
        USER,
        NODE,
        CONTAINER,
        query=TaskFilter,
        reply=list[TaskReply],
        permission=Rights(
            ("task", Operation.VIEW),
            ("result", Operation.VIEW),
            text="{}; {} for `include=results`",
        ),
    )
    def on_get(
        self, req: Request, resp: Response, caller: Caller, query: TaskFilter
    ) -> lists.LongList[TaskReply]:
        """List the tasks that the caller may see, newest first."""
        read = partial(
            tasks.page,
            caller.reach("task", Scope.ORGANIZATION),
            initiator=query.initiator_id,
            init_user=query.init_user_id,
            collaboration=query.collaboration_id,
            parent=query.parent_id,
            is_sub_task=query.is_sub_task,
            run=query.run_id,
            result=query.result_id,
            status=query.status,
            patterns=query.model_dump(
                include={"name", "image", "description", "database"}, exclude_none=True
            ),
        )
        with_results = "results" in query.include
        build = partial(self._show, caller, with_results=with_results)
        return lists.list_page(req, resp, query, read, build)

    @endpoint(
        USER,
        CONTAINER,
        body=TaskCreate,
        creates=True,
        is_large=True,
        weighs_first=True,
        problems=(404, 409),
        reply=TaskReply,
        status=201,
        permission=Rights(
            ("task", Operation.CREATE), text="{}; an algorithm: its own image and collaboration"
        ),
    )
    def on_post(self, caller: Caller, read: Read[TaskCreate]) -> TaskReply:
        """Send a task to organizations of a collaboration.

        Everything is checked before anything is written; then the answer comes at once, and the
        nodes are told in the background.
        """
        body = read()
        is_member = body.collaboration_id in caller.collaborations
        if not is_member:
            collaborations.get(body.collaboration_id)
        body.require_complete()
        parent = None
        if caller.task_id is not None:
            parent = self._parent(caller.task_id, caller, body)
        if caller.organization_id is None or not is_member:
            raise Forbidden(f"Your organization is not in collaboration {body.collaboration_id}.")
        if parent is None:
            caller.require("task", Operation.CREATE, collaboration=body.collaboration_id)
        # SECURITY: after the permission, as refusals name organizations and tell of nodes.
        if caller.user is not None:
            asked = [target.id for target in body.organizations]
            targets.check_welcome(body.collaboration_id, asked, caller.user)
        inputs = [(target.id, target.input) for target in body.organizations]
        input_checks.check(
            body.image, body.collaboration_id, inputs, is_sub_task=parent is not None
        )
        created = tasks.create(
            collaboration_id=body.collaboration_id,
            inputs=inputs,
            initiator_id=caller.organization_id,
            user_id=parent.init_user_id if parent else caller.id,
            parent=parent,
            name=body.name or "",
            description=body.description or "",
            image=body.image,
            database=body.database or "",
        )
        log.info(
            "task created",
            task_id=created.task.id,
            parent_id=created.task.parent_id,
            results=len(body.organizations),
        )
        self.service.note_change(created.task)
        return self.replies.new_task(created.task, created.results)

    @staticmethod
    def _parent(task_id: int, caller: Caller, body: TaskCreate) -> Task:
        """Return the task whose algorithm asks for a sub-task.

        SECURITY: an algorithm may start nothing but itself, where it runs already.
        """
        if body.image != caller.image:
            raise Forbidden(
                f"An algorithm may start sub-tasks of its own image only: {caller.image}.",
                code="other_image",
            )
        if body.collaboration_id != caller.collaboration_id:
            raise Forbidden("An algorithm may start sub-tasks in its own collaboration only.")
        return tasks.get(task_id)

    @endpoint(
        USER,
        NODE,
        CONTAINER,
        query=Include,
        reply=TaskReply,
        permission=Rights(
            ("task", Operation.VIEW),
            ("result", Operation.VIEW),
            text="{}; {} for `include=results`",
        ),
    )
    def on_get_one(self, caller: Caller, id_: int, query: Include) -> TaskReply:
        """Show a task; `include=results` puts its results in.

        An algorithm sees its own task and those that it made, and the names of those above.
        """
        if caller.kinship(id_) is Kinship.ABOVE:
            return self.replies.task_above(tasks.get(id_))
        row = self._visible(caller, id_, "task")
        return self._show(caller, [row], with_results=query.include[:1] == ["results"])[0]

    @endpoint(USER, reply=Message, permission=Rights(("task", Operation.DELETE)))
    def on_delete_one(self, caller: Caller, id_: int) -> Message:
        """Kill a task with its sub-tasks if it has not ended, then remove it and its results."""
        row = tasks.get(id_)
        caller.require("task", Operation.DELETE, collaboration=row.collaboration_id)
        ended = tasks.delete(row)
        self.service.count_killed(ended)
        self.service.note_change(row)
        return {"msg": f"Task {id_} was removed; {ended} results were ended before."}

    @endpoint(
        USER, NODE, CONTAINER, reply=TaskStatusReply, permission=Rights(("task", Operation.VIEW))
    )
    def on_get_status(self, caller: Caller, id_: int) -> TaskStatusReply:
        """Show how far a task is at each organization, without anything large."""
        return self.replies.task_progress(self._visible(caller, id_, "task"))

    @endpoint(
        USER,
        CONTAINER,
        query=PageQuery,
        reply=list[TaskResultReply],
        permission=Rights(("result", Operation.VIEW)),
    )
    def on_get_results(
        self, req: Request, resp: Response, caller: Caller, id_: int, query: PageQuery
    ) -> lists.LongList[TaskResultReply]:
        """List the results of a task."""
        self._visible(caller, id_, "result")
        reach = caller.reach("result", Scope.ORGANIZATION)
        read = partial(result_lists.page, reach, task=id_, newest_first=False)
        build = partial(self.replies.task_results, texts=caller.texts_of)
        return lists.list_page(req, resp, query, read, build)

    def _show(self, caller: Caller, rows: Sequence[Task], *, with_results: bool) -> list[TaskReply]:
        embeds = None
        if with_results:
            # SECURITY: what stands within something else asks for its own right.
            caller.reach("result", Scope.ORGANIZATION)
            embeds = caller.views_results_of
        found = self.replies.tasks(rows, embeds=embeds, texts=caller.texts_of)
        for reply in found:
            if caller.task_id is not None and reply["id"] == caller.task_id:
                # SECURITY: the same task has algorithms elsewhere, which make sub-tasks of it too.
                made = lineage.sub_tasks(caller.task_id, caller.organization_id)
                reply["children"] = self.replies.links("task", made)
        return found

    @staticmethod
    def _visible(caller: Caller, id_: int, resource: str) -> Task:
        row = tasks.get(id_)
        if not caller.sees(id_):
            raise NotFound(f"There is no task {id_}.")
        caller.require(resource, Operation.VIEW, collaboration=row.collaboration_id)
        return row
