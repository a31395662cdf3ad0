"""Invitations: an organization joins a collaboration when one of its users accepts."""

from collections.abc import Sequence

from falcon import Request, Response

from vantage6.api.endpoint import USER, Read, endpoint
from vantage6.api.http import lists
from vantage6.api.identity.permissions import Caller
from vantage6.api.identity.rights import Rights
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.base import Message
from vantage6.api.schemas.organizations import (
    CollaborationReply,
    InvitationCreate,
    InvitationFilter,
    InvitationReply,
)
from vantage6.common.enums import Operation, Scope
from vantage6.common.logs import get
from vantage6.models.store import collaborations, invitations, organizations
from vantage6.models.tables import Invitation

log = get(__name__)


class Invitations(Resource):
    """All invitations that are open."""

    @endpoint(
        USER,
        query=InvitationFilter,
        reply=list[InvitationReply],
        permission=Rights(("collaboration", Operation.VIEW)),
    )
    def on_get(
        self, req: Request, resp: Response, caller: Caller, query: InvitationFilter
    ) -> lists.Listed[InvitationReply]:
        """List the open invitations of the own organization, and those to its collaborations."""
        rows, total = invitations.page(
            caller.reach("collaboration", Scope.ORGANIZATION),
            lists.requested_page(query),
            collaboration=query.collaboration_id,
            organization=query.organization_id,
        )
        return lists.answer(req, resp, query, self._show(rows), total)

    @endpoint(
        USER,
        body=InvitationCreate,
        creates=True,
        problems=(404,),
        reply=InvitationReply,
        status=201,
        permission=Rights(("collaboration", Operation.EDIT)),
    )
    def on_post(self, caller: Caller, read: Read[InvitationCreate]) -> InvitationReply:
        """Ask an organization to join a collaboration.

        It is a member once a user who may edit the organization accepts.
        """
        body = read()
        collaboration = collaborations.get(body.collaboration_id)
        caller.require("collaboration", Operation.EDIT, collaboration=collaboration.id)
        organization = organizations.get(body.organization_id)
        row = invitations.create(collaboration, organization, caller.id)
        return self._show([row])[0]

    @endpoint(
        USER,
        reply=Message,
        problems=(409,),
        permission=Rights(
            ("organization", Operation.EDIT),
            ("collaboration", Operation.EDIT),
            text="{}, or {} to take it back",
        ),
    )
    def on_delete_one(self, caller: Caller, id_: int) -> Message:
        """Decline an invitation, or take it back."""
        row = invitations.get(id_)
        if not caller.may("collaboration", Operation.EDIT, collaboration=row.collaboration_id):
            self._check_invited(caller, row)
        invitations.withdraw(row)
        _note("invitation closed", caller, row)
        return {"msg": f"Invitation {id_} is closed."}

    @endpoint(
        USER,
        reply=CollaborationReply,
        problems=(409,),
        permission=Rights(("organization", Operation.EDIT)),
    )
    def on_post_accept(self, caller: Caller, id_: int) -> CollaborationReply:
        """Accept an invitation: the organization is in the collaboration from then on."""
        row = invitations.get(id_)
        self._check_invited(caller, row)
        invitations.accept(row)
        _note("invitation accepted", caller, row)
        return self.replies.collaborations([row.collaboration])[0]

    def _show(self, rows: Sequence[Invitation]) -> list[InvitationReply]:
        """Return invitations, with the facts that an organization needs before it joins."""
        asking = invitations.asking(rows)
        members = invitations.members(list(asking))
        return [
            {
                "id": row.id,
                "collaboration": {
                    "id": row.collaboration_id,
                    "name": asking[row.collaboration_id].name,
                    "encrypted": asking[row.collaboration_id].encrypted,
                    "organizations": [
                        {"id": id_, "name": name} for id_, name in members[row.collaboration_id]
                    ],
                },
                "organization": self.replies.link("organization", row.organization_id),
                "created_at": row.created_at.isoformat(),
                "user": self.replies.link("user", row.user_id),
            }
            for row in rows
        ]

    @staticmethod
    def _check_invited(caller: Caller, row: Invitation) -> None:
        """Raise `Forbidden` unless the caller may answer for the organization that is invited.

        SECURITY: a member shares tasks with the others; only its own users agree to that.
        """
        caller.require("organization", Operation.EDIT, organization=row.organization_id)


def _note(event: str, caller: Caller, row: Invitation) -> None:
    log.info(
        event,
        invitation_id=row.id,
        collaboration_id=row.collaboration_id,
        organization_id=row.organization_id,
        user_id=caller.id,
    )
