"""Collaborations."""

from collections.abc import Iterable
from functools import partial

from falcon import Request, Response

from vantage6.api.endpoint import CONTAINER, NODE, USER, Read, endpoint
from vantage6.api.http import lists
from vantage6.api.identity.permissions import Caller
from vantage6.api.identity.rights import Rights
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.base import Message, PageQuery
from vantage6.api.schemas.nodes import NodeShortReply
from vantage6.api.schemas.organizations import (
    CollaborationCreate,
    CollaborationFilter,
    CollaborationReply,
    CollaborationUpdate,
    Member,
    OrganizationReply,
)
from vantage6.api.schemas.tasks import TaskReply
from vantage6.common.enums import Operation, Scope
from vantage6.common.errors import Forbidden, Invalid
from vantage6.models.store import collaborations, nodes, organizations, tasks
from vantage6.models.store.access import Reach
from vantage6.models.store.queries import Page
from vantage6.models.tables import Collaboration

_EVERYTHING = Reach(Scope.GLOBAL)


class Collaborations(Resource):
    """All collaborations."""

    @endpoint(
        USER,
        query=CollaborationFilter,
        reply=list[CollaborationReply],
        permission=Rights(("collaboration", Operation.VIEW)),
    )
    def on_get(
        self, req: Request, resp: Response, caller: Caller, query: CollaborationFilter
    ) -> lists.Listed[CollaborationReply]:
        """List the collaborations that the caller may see."""
        reach = caller.reach("collaboration", Scope.ORGANIZATION)
        if reach.scope is Scope.ORGANIZATION and query.organization_id not in (
            None,
            caller.organization_id,
        ):
            raise Forbidden("You may list the collaborations of your own organization only.")
        rows, total = collaborations.page(
            reach,
            lists.requested_page(query),
            name=query.name,
            encrypted=query.encrypted,
            organization=query.organization_id,
        )
        return lists.answer(req, resp, query, self.replies.collaborations(rows), total)

    @endpoint(
        USER,
        body=CollaborationCreate,
        creates=True,
        problems=(404,),
        reply=CollaborationReply,
        permission=Rights(
            ("collaboration", Operation.CREATE),
            ("organization", Operation.EDIT),
            text="{}, and {} of each member",
        ),
    )
    def on_post(self, caller: Caller, read: Read[CollaborationCreate]) -> CollaborationReply:
        """Add a collaboration of organizations."""
        caller.require("collaboration", Operation.CREATE)
        body = read()
        organizations.check_exist(body.organization_ids)
        self._check_agreed(caller, body.organization_ids)
        row = collaborations.create(
            body.name, body.organization_ids, encrypted=bool(body.encrypted)
        )
        return self.replies.collaborations([row])[0]

    @endpoint(
        USER,
        NODE,
        CONTAINER,
        reply=CollaborationReply,
        permission=Rights(("collaboration", Operation.VIEW)),
    )
    def on_get_one(self, caller: Caller, id_: int) -> CollaborationReply:
        """Show a collaboration."""
        row = collaborations.get(id_)
        caller.require("collaboration", Operation.VIEW, collaboration=id_)
        return self.replies.collaborations([row])[0]

    @endpoint(
        USER,
        body=CollaborationUpdate,
        reply=CollaborationReply,
        permission=Rights(
            ("collaboration", Operation.EDIT),
            ("collaboration", Operation.DELETE),
            ("organization", Operation.EDIT),
            text="{}; {} where one leaves; {} of each that joins",
        ),
    )
    def on_patch_one(
        self, caller: Caller, id_: int, read: Read[CollaborationUpdate]
    ) -> CollaborationReply:
        """Change a collaboration; null leaves a field as it is.

        What an organization that is left out computes for it is ended; that needs the rule
        collaboration DELETE. One that is new has to be invited first, unless the caller may edit
        it. Only the holder of every rule changes the encryption for organizations beside its own.
        """
        row = collaborations.get(id_)
        caller.require("collaboration", Operation.EDIT, collaboration=id_)
        body = read()
        joining: frozenset[int] = frozenset()
        leaving: frozenset[int] = frozenset()
        if body.organization_ids is not None:
            joining, leaving = collaborations.changes_of(row, body.organization_ids)
        self._check_agreed(caller, joining)
        if leaving:
            caller.require("collaboration", Operation.DELETE, collaboration=id_)
        if body.encrypted not in (None, row.encrypted):
            self._check_own(caller, row)
        fields = body.model_dump(include={"name", "encrypted"}, exclude_none=True)
        row, ended = collaborations.update(row, fields, joining, leaving)
        self.service.count_killed(ended)
        return self.replies.collaborations([row])[0]

    @endpoint(USER, reply=Message, permission=Rights(("collaboration", Operation.DELETE)))
    def on_delete_one(self, caller: Caller, id_: int) -> Message:
        """Remove a collaboration with its tasks and results; its nodes stay, without one."""
        row = collaborations.get(id_)
        caller.require("collaboration", Operation.DELETE, collaboration=id_)
        ended = collaborations.delete(row)
        self.service.count_killed(ended)
        return {"msg": f"Collaboration {row.name} was removed; {ended} results were ended before."}

    @endpoint(
        USER,
        NODE,
        CONTAINER,
        query=PageQuery,
        reply=list[OrganizationReply],
        permission=Rights(("collaboration", Operation.VIEW), ("organization", Operation.VIEW)),
    )
    def on_get_organizations(
        self, req: Request, resp: Response, caller: Caller, id_: int, query: PageQuery
    ) -> lists.Listed[OrganizationReply]:
        """List the organizations in a collaboration."""
        collaborations.get(id_)
        caller.require("collaboration", Operation.VIEW, collaboration=id_)
        # SECURITY: what stands below something else asks for its own right.
        reach = caller.reach("organization", Scope.COLLABORATION, Scope.ORGANIZATION)
        rows, total = organizations.page(reach, lists.requested_page(query), collaboration=id_)
        return lists.answer(req, resp, query, self.replies.organizations(rows, caller), total)

    @endpoint(
        USER,
        body=Member,
        reply=list[OrganizationReply],
        permission=Rights(("collaboration", Operation.EDIT), ("organization", Operation.EDIT)),
    )
    def on_post_organizations(
        self, caller: Caller, id_: int, read: Read[Member]
    ) -> list[OrganizationReply]:
        """Put an organization into a collaboration; the answer lists all that are in it.

        The caller may edit the organization; where not, it is invited first.
        """
        row = collaborations.get(id_)
        caller.require("collaboration", Operation.EDIT, collaboration=id_)
        organization_id = organizations.get(read().id).id
        if organization_id not in organizations.members_of([id_]):
            self._check_agreed(caller, [organization_id])
            collaborations.add_member(row, organization_id)
        return self._members(caller, id_)

    @endpoint(
        USER,
        body=Member,
        reply=list[OrganizationReply],
        permission=Rights(("collaboration", Operation.DELETE)),
    )
    def on_delete_organizations(
        self, caller: Caller, id_: int, read: Read[Member]
    ) -> list[OrganizationReply]:
        """Take an organization out of a collaboration; the answer lists those that are left.

        What it computes there is ended. Its node stays, but sees and does nothing there.
        """
        row = collaborations.get(id_)
        caller.require("collaboration", Operation.DELETE, collaboration=id_)
        ended = collaborations.remove_member(row, organizations.get(read().id).id)
        self.service.count_killed(ended)
        return self._members(caller, id_)

    @staticmethod
    def _check_agreed(caller: Caller, joining: Iterable[int]) -> None:
        """Raise `Forbidden` unless the caller may agree for each organization that is to join.

        SECURITY: a member shows its tasks and results to the others, and its station works for
        them: that is for the organization to say.
        """
        for id_ in sorted(joining):
            caller.require(
                "organization",
                Operation.EDIT,
                f"Organization {id_} has not agreed to join. Invite it (POST /invitation, or "
                "client.collaboration.invite); one of its administrators accepts.",
                organization=id_,
            )

    @staticmethod
    def _check_own(caller: Caller, row: Collaboration) -> None:
        """Raise `Forbidden` if a collaboration has members that the caller does not speak for.

        SECURITY: they joined because what they send and compute there is encrypted. Where it is
        not, their stations have no keys, and could not deliver what they compute.
        """
        others = organizations.members_of([row.id]) - {caller.organization_id}
        if others and not caller.reaches_everything("collaboration", Operation.EDIT):
            raise Forbidden(
                f"Encryption stays {'on' if row.encrypted else 'off'} while other organizations "
                f"are members. Begin a collaboration {'without' if row.encrypted else 'with'} "
                "encryption and invite them, or ask the holder of the role Root."
            )

    def _members(self, caller: Caller, id_: int) -> list[OrganizationReply]:
        if not caller.holds_some("organization", Operation.VIEW):
            return []
        rows, _total = organizations.page(_EVERYTHING, Page(), collaboration=id_)
        return self.replies.organizations(rows, caller)

    @endpoint(
        USER,
        query=PageQuery,
        reply=list[NodeShortReply],
        permission=Rights(("collaboration", Operation.VIEW), ("node", Operation.VIEW)),
    )
    def on_get_nodes(
        self, req: Request, resp: Response, caller: Caller, id_: int, query: PageQuery
    ) -> lists.Listed[NodeShortReply]:
        """List the nodes in a collaboration."""
        collaborations.get(id_)
        caller.require("collaboration", Operation.VIEW, collaboration=id_)
        # SECURITY: what stands below something else asks for its own right.
        caller.reach("node", Scope.ORGANIZATION)
        rows, total = nodes.page(_EVERYTHING, lists.requested_page(query), collaboration=id_)
        return lists.answer(req, resp, query, self.replies.nodes_short(rows), total)

    @endpoint(
        USER,
        body=Member,
        reply=list[NodeShortReply],
        status=201,
        permission=Rights(("collaboration", Operation.EDIT), ("node", Operation.EDIT)),
    )
    def on_post_nodes(self, caller: Caller, id_: int, read: Read[Member]) -> list[NodeShortReply]:
        """Move a node of a member here; the answer lists all nodes that are here then.

        What it computes elsewhere is offered to the next node there. The caller may edit the node.
        """
        row = collaborations.get(id_)
        caller.require("collaboration", Operation.EDIT, collaboration=id_)
        node = nodes.get(read().id)
        # SECURITY: it stops working where it is, which its own organization decides.
        caller.require("node", Operation.EDIT, organization=node.organization_id)
        if node.collaboration_id == id_:
            raise Invalid(f"Node {node.id} is in {row.name} already.", code="node_exists")
        nodes.move(node, organizations.get(node.organization_id), row)
        if not caller.holds_some("node", Operation.VIEW):
            return []
        found, _total = nodes.page(_EVERYTHING, Page(), collaboration=id_)
        return self.replies.nodes_short(found)

    @endpoint(
        USER,
        body=Member,
        reply=Message,
        permission=Rights(("collaboration", Operation.EDIT), ("node", Operation.EDIT)),
    )
    def on_delete_nodes(self, caller: Caller, id_: int, read: Read[Member]) -> Message:
        """Take a node, which the caller may edit, out of a collaboration; it stays, without one."""
        row = collaborations.get(id_)
        caller.require("collaboration", Operation.EDIT, collaboration=id_)
        node = nodes.get(read().id)
        # SECURITY: it stops working there, which its own organization decides.
        caller.require("node", Operation.EDIT, organization=node.organization_id)
        if node.collaboration_id != id_:
            raise Invalid(f"Node {node.id} is not in {row.name}.", code="not_there")
        nodes.move(node, organizations.get(node.organization_id), None)
        return {"msg": f"Node {node.id} was taken out of {row.name}."}

    @endpoint(
        USER,
        NODE,
        query=PageQuery,
        reply=list[TaskReply],
        permission=Rights(("task", Operation.VIEW)),
    )
    def on_get_tasks(
        self, req: Request, resp: Response, caller: Caller, id_: int, query: PageQuery
    ) -> lists.LongList[TaskReply]:
        """List the tasks in a collaboration, oldest first."""
        collaborations.get(id_)
        caller.require("task", Operation.VIEW, collaboration=id_)
        read = partial(tasks.page, _EVERYTHING, collaboration=id_, newest_first=False)
        return lists.list_page(req, resp, query, read, self.replies.tasks)
