"""Organizations."""

from typing import Any

from falcon import Request, Response

from vantage6.api import lists
from vantage6.api.endpoint import CONTAINER, NODE, USER, Read, endpoint
from vantage6.api.permissions import Caller
from vantage6.api.resources.base import Resource
from vantage6.common.enums import Operation, Scope
from vantage6.common.schemas.nodes import NodeReply
from vantage6.common.schemas.organizations import (
    CollaborationReply,
    OrganizationCreate,
    OrganizationFilter,
    OrganizationReply,
    OrganizationUpdate,
)
from vantage6.models.store import collaborations, nodes, organizations
from vantage6.models.store.reach import Page, Reach


class Organizations(Resource):
    """All organizations."""

    @endpoint(
        USER,
        NODE,
        CONTAINER,
        query=OrganizationFilter,
        reply=list[OrganizationReply],
        permission="organization VIEW",
    )
    def on_get(
        self, req: Request, resp: Response, caller: Caller, query: OrganizationFilter
    ) -> Any:
        """List the organizations that the caller may see."""
        rows, total = organizations.page(
            caller.reach("organization", Scope.COLLABORATION, Scope.ORGANIZATION),
            lists.wanted(query),
            name=query.name,
            country=query.country,
            collaboration=query.collaboration_id,
        )
        return lists.answer(req, resp, query, self.replies.organizations(rows), total)

    @endpoint(
        USER,
        body=OrganizationCreate,
        reply=OrganizationReply,
        status=201,
        permission="organization CREATE",
    )
    def on_post(
        self, _: Request, __: Response, caller: Caller, read: Read[OrganizationCreate]
    ) -> Any:
        """Add an organization."""
        caller.require("organization", Operation.CREATE)
        fields = read().model_dump()
        row = organizations.create(**fields | {"public_key": fields["public_key"] or ""})
        return self.replies.organizations([row])[0]

    @endpoint(USER, NODE, CONTAINER, reply=OrganizationReply, permission="organization VIEW")
    def on_get_one(self, _: Request, __: Response, caller: Caller, id_: int) -> Any:
        """Show an organization."""
        row = organizations.get(id_)
        caller.require("organization", Operation.VIEW, organization=id_, partner=id_)
        return self.replies.organizations([row])[0]

    @endpoint(
        USER,
        NODE,
        body=OrganizationUpdate,
        reply=OrganizationReply,
        permission="organization EDIT",
    )
    def on_patch_one(
        self, _: Request, __: Response, caller: Caller, id_: int, read: Read[OrganizationUpdate]
    ) -> Any:
        """Change an organization; null leaves a field as it is."""
        row = organizations.get(id_)
        caller.require("organization", Operation.EDIT, organization=id_)
        row = organizations.update(row, read().model_dump(exclude_none=True))
        return self.replies.organizations([row])[0]

    @endpoint(USER, NODE, reply=list[CollaborationReply], permission="collaboration VIEW")
    def on_get_collaborations(self, _: Request, __: Response, caller: Caller, id_: int) -> Any:
        """List the collaborations of an organization."""
        organizations.get(id_)
        caller.require("collaboration", Operation.VIEW, organization=id_)
        rows, _total = collaborations.page(Reach(Scope.ORGANIZATION, id_), Page())
        return self.replies.collaborations(rows)

    @endpoint(USER, NODE, reply=list[NodeReply], permission="node VIEW")
    def on_get_nodes(self, _: Request, __: Response, caller: Caller, id_: int) -> Any:
        """List the nodes of an organization."""
        organizations.get(id_)
        caller.require("node", Operation.VIEW, organization=id_)
        rows, _total = nodes.page(Reach(Scope.ORGANIZATION, id_), Page())
        return self.replies.nodes(rows)
