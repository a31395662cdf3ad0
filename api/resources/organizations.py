"""Organizations."""

from typing import Any

from falcon import Request, Response

from vantage6.api.endpoint import CONTAINER, NODE, USER, Read, endpoint
from vantage6.api.http import lists
from vantage6.api.identity.permissions import Caller
from vantage6.api.identity.rights import Rights
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.nodes import NodeReply
from vantage6.api.schemas.organizations import (
    CollaborationReply,
    OrganizationCreate,
    OrganizationFilter,
    OrganizationReply,
    OrganizationUpdate,
)
from vantage6.common.encryption import one_public_key
from vantage6.common.enums import Operation, Scope
from vantage6.common.errors import Forbidden, Invalid
from vantage6.common.logs import get
from vantage6.models.store import collaborations, nodes, organizations
from vantage6.models.store.access import Reach
from vantage6.models.store.queries import Page
from vantage6.models.tables import Organization

log = get(__name__)


class Organizations(Resource):
    """All organizations."""

    @endpoint(
        USER,
        NODE,
        CONTAINER,
        query=OrganizationFilter,
        reply=list[OrganizationReply],
        permission=Rights(("organization", Operation.VIEW)),
    )
    def on_get(
        self, req: Request, resp: Response, caller: Caller, query: OrganizationFilter
    ) -> lists.Listed[OrganizationReply]:
        """List the organizations that the caller may see."""
        reach = caller.reach("organization", Scope.COLLABORATION, Scope.ORGANIZATION)
        asked = query.collaboration_id
        # SECURITY: who is in it, is for its members to know. Names of organizations are for more.
        if not (
            asked is None
            or asked in caller.collaborations
            or caller.reaches_everything("collaboration", Operation.VIEW)
        ):
            return lists.answer(req, resp, query, [], 0)
        rows, total = organizations.page(
            reach,
            lists.requested_page(query),
            name=query.name,
            country=query.country,
            collaboration=asked,
        )
        return lists.answer(req, resp, query, self.replies.organizations(rows, caller), total)

    @endpoint(
        USER,
        body=OrganizationCreate,
        creates=True,
        reply=OrganizationReply,
        status=201,
        permission=Rights(("organization", Operation.CREATE)),
    )
    def on_post(self, caller: Caller, read: Read[OrganizationCreate]) -> OrganizationReply:
        """Add an organization."""
        caller.require("organization", Operation.CREATE)
        fields = read().model_dump()
        row = organizations.create(**fields | {"public_key": _usable(fields["public_key"])})
        return self.replies.organizations([row], caller)[0]

    @endpoint(
        USER,
        NODE,
        CONTAINER,
        reply=OrganizationReply,
        permission=Rights(("organization", Operation.VIEW)),
    )
    def on_get_one(self, caller: Caller, id_: int) -> OrganizationReply:
        """Show an organization."""
        row = organizations.get(id_)
        caller.require("organization", Operation.VIEW, organization=id_, partner=id_)
        return self.replies.organizations([row], caller)[0]

    @endpoint(
        USER,
        NODE,
        body=OrganizationUpdate,
        reply=OrganizationReply,
        permission=Rights(("organization", Operation.EDIT)),
    )
    def on_patch_one(
        self, caller: Caller, id_: int, read: Read[OrganizationUpdate]
    ) -> OrganizationReply:
        """Change an organization; null leaves a field as it is.

        Its public key is set by its own users. It is an RSA key of 2,048 to 16,384 bits; an empty
        text removes it. A node changes nothing but a public key that is missing.
        """
        row = organizations.get(id_)
        caller.require("organization", Operation.EDIT, organization=id_)
        fields = read().model_dump(exclude_none=True)
        if fields.get("public_key") == row.public_key:
            del fields["public_key"]
        if "public_key" in fields:
            self._check_key(caller, row)
            fields["public_key"] = _usable(fields["public_key"])
            log.info("public key set", organization_id=id_, caller=caller.kind, caller_id=caller.id)
        if caller.kind is USER:
            row = organizations.update(row, fields)
        elif fields:
            row = self._change_by_node(row, fields)
        return self.replies.organizations([row], caller)[0]

    @staticmethod
    def _check_key(caller: Caller, row: Organization) -> None:
        """Raise `Forbidden` where the public key is not that of the caller's organization.

        SECURITY: who sets the key of an organization reads what is encrypted for it from then on.
        """
        if caller.organization_id != row.id:
            raise Forbidden(
                f"The public key of {row.name} is set by its own users: one who may change the "
                "organization calls client.setup_encryption. On the machine of the server `vserver "
                "shell` sets it."
            )

    @staticmethod
    def _change_by_node(row: Organization, fields: dict[str, Any]) -> Organization:
        """Set a public key that is missing, and nothing else.

        SECURITY: a station that was taken over must not rename its organization, whose name the
        policies of other stations hold, or turn the results for it to a key of its own.
        """
        if set(fields) != {"public_key"}:
            raise Forbidden("A node sets the public key that its organization lacks, nothing else.")
        if not organizations.publish_key(row, fields["public_key"]):
            raise Forbidden(
                f"{row.name} has another public key. One of its users who may change the "
                "organization replaces it: `vnode create-private-key --force`."
            )
        return organizations.get(row.id)

    @endpoint(
        USER,
        NODE,
        reply=list[CollaborationReply],
        permission=Rights(("collaboration", Operation.VIEW)),
    )
    def on_get_collaborations(self, caller: Caller, id_: int) -> list[CollaborationReply]:
        """List the collaborations of an organization."""
        organizations.get(id_)
        caller.require("collaboration", Operation.VIEW, organization=id_)
        rows, _total = collaborations.page(Reach(Scope.ORGANIZATION, id_), Page())
        return self.replies.collaborations(rows)

    @endpoint(USER, NODE, reply=list[NodeReply], permission=Rights(("node", Operation.VIEW)))
    def on_get_nodes(self, caller: Caller, id_: int) -> list[NodeReply]:
        """List the nodes of an organization."""
        organizations.get(id_)
        caller.require("node", Operation.VIEW, organization=id_)
        rows, _total = nodes.page(Reach(Scope.ORGANIZATION, id_), Page())
        return self.replies.nodes(rows)


def _usable(public_key: str | None) -> str:
    """Return a public key as it is stored; raise `Invalid` if nothing can be encrypted with it.

    SECURITY: with such a key an organization asks for results that no station can deliver.
    """
    if not public_key:
        return ""
    try:
        return one_public_key(public_key)
    except ValueError as error:
        raise Invalid(f"{error} `public_key` is base64 of its PEM text.") from error
