"""Nodes, and the comparison of the results that they hold with those of the server."""

from typing import Any

from falcon import Request, Response

from vantage6.api.endpoint import CONTAINER, NODE, USER, Read, endpoint
from vantage6.api.http import lists
from vantage6.api.identity.permissions import Caller
from vantage6.api.identity.rights import Rights
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.base import Message
from vantage6.api.schemas.nodes import (
    NodeCreate,
    NodeFilter,
    NodeReply,
    NodeUpdate,
    Reconcile,
    ReconcileReply,
    RefusedLogin,
)
from vantage6.common.enums import Operation, Scope
from vantage6.common.errors import Forbidden, Invalid, NotFound
from vantage6.common.told_settings import digest_settings
from vantage6.models.store import collaborations, last_seen, nodes, organizations, results
from vantage6.models.tables import Collaboration, Node, Organization


class Nodes(Resource):
    """All nodes."""

    @endpoint(
        USER,
        NODE,
        query=NodeFilter,
        reply=list[NodeReply],
        permission=Rights(("node", Operation.VIEW)),
    )
    def on_get(
        self, req: Request, resp: Response, caller: Caller, query: NodeFilter
    ) -> lists.Listed[NodeReply]:
        """List the nodes that the caller may see."""
        reach = caller.reach("node", Scope.ORGANIZATION)
        online = self.service.online_ids() if query.status else set()
        rows, total = nodes.page(
            reach,
            lists.requested_page(query),
            organization=query.organization_id,
            collaboration=query.collaboration_id,
            name=query.name,
            ip=query.ip,
            seen=(query.last_seen_from, query.last_seen_till),
            ids=online if query.status == "online" else None,
            seen_except=online if query.status == "offline" else None,
        )
        return lists.answer(req, resp, query, self.replies.nodes(rows), total)

    @endpoint(
        USER,
        body=NodeCreate,
        weighs_first=True,
        problems=(404,),
        reply=NodeReply,
        status=201,
        permission=Rights(("node", Operation.CREATE)),
    )
    def on_post(self, caller: Caller, read: Read[NodeCreate]) -> NodeReply:
        """Register a node; the answer holds the only copy of its API key."""
        body = read()
        collaboration = collaborations.get(body.collaboration_id)
        organization_id = body.organization_id or caller.organization_id
        caller.require("node", Operation.CREATE, organization=organization_id)
        if organization_id is None:
            raise Forbidden("You belong to no organization; name one.")
        organization = organizations.find(organization_id)
        if organization is None:
            raise Invalid(f"There is no organization {organization_id}.", code="no_member")
        node, key = nodes.create(organization, collaboration, body.name)
        return {**self.replies.nodes([node])[0], "api_key": key}

    @endpoint(USER, NODE, CONTAINER, reply=NodeReply, permission=Rights(("node", Operation.VIEW)))
    def on_get_one(self, caller: Caller, id_: int) -> NodeReply:
        """Show a node; to an algorithm, the one that it runs at."""
        # SECURITY: the organization has others, in collaborations that the algorithm is not in.
        if caller.kind is CONTAINER and id_ != caller.id:
            raise NotFound(f"There is no node {id_}.")
        node = nodes.get(id_)
        home = node.organization_id
        partner = home if node.collaboration_id in caller.collaborations else None
        caller.require("node", Operation.VIEW, organization=home, partner=partner)
        return self.replies.nodes([node])[0]

    @endpoint(
        USER, NODE, body=NodeUpdate, reply=NodeReply, permission=Rights(("node", Operation.EDIT))
    )
    def on_patch_one(self, caller: Caller, id_: int, read: Read[NodeUpdate]) -> NodeReply:
        """Change a node, and move it; null leaves a field as it is.

        Only who may edit all nodes gives it to another organization. What it computes at its old
        place is offered to the next node there. A node changes itself alone, and not its place.
        """
        node = nodes.get(id_)
        caller.require("node", Operation.EDIT, organization=node.organization_id)
        # SECURITY: one station must not stop, redirect or rename another of its organization.
        if caller.kind is NODE and caller.id != id_:
            raise Forbidden("A node changes itself only.")
        body = read()
        fields: dict[str, Any] = body.model_dump(include={"name", "ip"}, exclude_none=True)
        if "ip" not in fields and body.clear_ip:
            fields["ip"] = None
        if body.config is not None and (caller.kind, caller.id) != (NODE, id_):
            raise Forbidden("Only the node itself tells what its configuration is.")
        config = None
        if body.config is not None:
            config = [(item.key, item.value) for item in body.config]
        node = nodes.change(node, fields, place=self._place(caller, node, body), config=config)
        return self.replies.nodes([node])[0]

    @staticmethod
    def _place(
        caller: Caller, node: Node, body: NodeUpdate
    ) -> tuple[Organization, Collaboration | None] | None:
        """Return where a node is to move, or None if it stays."""
        organization_id = body.organization_id or node.organization_id
        collaboration_id = body.collaboration_id or node.collaboration_id
        if (organization_id, collaboration_id) == (node.organization_id, node.collaboration_id):
            return None
        if caller.kind is NODE:
            raise Forbidden("A node does not move itself; a user of its organization does.")
        if organization_id != node.organization_id:
            caller.require("node", Operation.EDIT)
        organization = organizations.get(organization_id)
        return organization, collaborations.get(collaboration_id) if collaboration_id else None

    @endpoint(USER, reply=Message, permission=Rights(("node", Operation.DELETE)))
    def on_delete_one(self, caller: Caller, id_: int) -> Message:
        """Remove a node and its queue; its open results are offered to the next node there."""
        node = nodes.get(id_)
        caller.require("node", Operation.DELETE, organization=node.organization_id)
        nodes.delete(node)
        self.service.forget_node(node)
        return {"msg": f"Node {id_} was removed."}

    @endpoint(NODE, body=Reconcile, reply=ReconcileReply)
    def on_post_reconcile(self, caller: Caller, read: Read[Reconcile]) -> ReconcileReply:
        """Tell a node which results to start, stop and forget; renew the leases of the others."""
        body, node = read(), caller.calling_node
        # An older note would leave too little time until the node counts as silent.
        last_seen.note(node, last_seen.OF_COMPARISON)
        seconds = self.service.config.lease_seconds
        orders = results.reconcile(node, body.running, body.finished, seconds)
        refused: RefusedLogin | None = None
        if node.refused_at is not None:
            address = node.refused_address or ""
            refused = {"at": node.refused_at.isoformat(), "address": address}
        return {
            **orders,
            "lease_seconds": seconds,
            "refused_login": refused,
            "shown": digest_settings(nodes.read_config(node), node.ip),
        }
