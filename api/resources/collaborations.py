"""Collaborations."""

from typing import Any

from falcon import Request, Response

from vantage6.api import lists
from vantage6.api.endpoint import CONTAINER, NODE, USER, Read, endpoint
from vantage6.api.permissions import Caller
from vantage6.api.resources.base import Resource
from vantage6.common.enums import Operation, Scope
from vantage6.common.errors import Forbidden
from vantage6.common.schemas.base import PageQuery
from vantage6.common.schemas.nodes import NodeShortReply
from vantage6.common.schemas.organizations import (
    CollaborationCreate,
    CollaborationFilter,
    CollaborationReply,
    OrganizationReply,
)
from vantage6.common.schemas.tasks import TaskReply
from vantage6.models.store import collaborations, nodes, organizations, tasks
from vantage6.models.store.reach import Reach

_EVERYTHING = Reach(Scope.GLOBAL)


class Collaborations(Resource):
    """All collaborations."""

    @endpoint(
        USER,
        query=CollaborationFilter,
        reply=list[CollaborationReply],
        permission="collaboration VIEW",
    )
    def on_get(
        self, req: Request, resp: Response, caller: Caller, query: CollaborationFilter
    ) -> Any:
        """List the collaborations that the caller may see."""
        reach = caller.reach("collaboration", Scope.ORGANIZATION)
        if query.organization_id not in (None, caller.organization_id) and not reach.everything:
            raise Forbidden("You may list the collaborations of your own organization only.")
        rows, total = collaborations.page(
            reach,
            lists.wanted(query),
            name=query.name,
            encrypted=query.encrypted,
            organization=query.organization_id,
        )
        return lists.answer(req, resp, query, self.replies.collaborations(rows), total)

    @endpoint(
        USER,
        body=CollaborationCreate,
        reply=CollaborationReply,
        permission="collaboration CREATE",
    )
    def on_post(
        self, _: Request, __: Response, caller: Caller, read: Read[CollaborationCreate]
    ) -> Any:
        """Add a collaboration of organizations."""
        caller.require("collaboration", Operation.CREATE)
        body = read()
        row = collaborations.create(
            body.name, body.organization_ids, encrypted=bool(body.encrypted)
        )
        return self.replies.collaborations([row])[0]

    @endpoint(USER, NODE, CONTAINER, reply=CollaborationReply, permission="collaboration VIEW")
    def on_get_one(self, _: Request, __: Response, caller: Caller, id_: int) -> Any:
        """Show a collaboration."""
        row = collaborations.get(id_)
        caller.require("collaboration", Operation.VIEW, collaboration=id_)
        return self.replies.collaborations([row])[0]

    @endpoint(
        USER,
        NODE,
        CONTAINER,
        query=PageQuery,
        reply=list[OrganizationReply],
        permission="collaboration VIEW",
    )
    def on_get_organizations(
        self, req: Request, resp: Response, caller: Caller, id_: int, query: PageQuery
    ) -> Any:
        """List the organizations in a collaboration."""
        collaborations.get(id_)
        caller.require("collaboration", Operation.VIEW, collaboration=id_)
        rows, total = organizations.page(_EVERYTHING, lists.wanted(query), collaboration=id_)
        return lists.answer(req, resp, query, self.replies.organizations(rows), total)

    @endpoint(USER, query=PageQuery, reply=list[NodeShortReply], permission="collaboration VIEW")
    def on_get_nodes(
        self, req: Request, resp: Response, caller: Caller, id_: int, query: PageQuery
    ) -> Any:
        """List the nodes in a collaboration."""
        collaborations.get(id_)
        caller.require("collaboration", Operation.VIEW, collaboration=id_)
        rows, total = nodes.page(_EVERYTHING, lists.wanted(query), collaboration=id_)
        return lists.answer(req, resp, query, self.replies.nodes_short(rows), total)

    @endpoint(USER, NODE, query=PageQuery, reply=list[TaskReply], permission="task VIEW")
    def on_get_tasks(
        self, req: Request, resp: Response, caller: Caller, id_: int, query: PageQuery
    ) -> Any:
        """List the tasks in a collaboration."""
        collaborations.get(id_)
        caller.require("task", Operation.VIEW, collaboration=id_)
        rows, total = tasks.page(_EVERYTHING, lists.wanted(query), collaboration=id_)
        return lists.answer(req, resp, query, self.replies.tasks(rows), total)
