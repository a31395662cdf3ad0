"""Invitations: a collaboration asks an organization, whose administrator answers."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from vantage6.common.clock import now
from vantage6.common.errors import Conflict, Invalid, NotFound
from vantage6.models.database import transaction, unique
from vantage6.models.store import collaborations, organizations
from vantage6.models.store.access import Reach
from vantage6.models.store.queries import Page, among, page_of
from vantage6.models.tables import Collaboration, Invitation, Membership, Organization


def get(invitation_id: int) -> Invitation:
    """Return an open invitation."""
    row = Invitation.get_or_none(Invitation.id == invitation_id)
    if row is None:
        raise NotFound(f"There is no open invitation {invitation_id}.")
    return row


def create(
    collaboration: Collaboration, organization: Organization, user_id: int | None
) -> Invitation:
    """Ask an organization to join a collaboration.

    Raises
    ------
    Invalid
        If it is a member, or was asked already and did not answer yet.
    """
    asked = f"{organization.name} is invited to {collaboration.name} already."
    with unique(asked, "invited"):
        if organization.id in organizations.members_of([collaboration.id]):
            raise Invalid(f"{organization.name} is in {collaboration.name} already.", code="member")
        return Invitation.create(
            collaboration=collaboration, organization=organization, user=user_id, created_at=now()
        )


@transaction
def accept(invitation: Invitation) -> None:
    """Put the organization into the collaboration.

    Raises
    ------
    Conflict
        If the invitation was answered or taken back meanwhile.
    """
    # SECURITY: only while it is open; one that was taken back lets nobody in.
    withdraw(invitation)
    collaborations.add_member(invitation.collaboration, invitation.organization_id)


def withdraw(invitation: Invitation) -> None:
    """Remove an invitation, declined or taken back.

    Raises
    ------
    Conflict
        If it was answered or taken back meanwhile.
    """
    if not Invitation.delete().where(Invitation.id == invitation.id).execute():
        raise Conflict("This invitation was answered or taken back.", code="invitation_closed")


def page(
    reach: Reach, page: Page, *, collaboration: int | None = None, organization: int | None = None
) -> tuple[list[Invitation], int]:
    """Return the open invitations that fit the filters.

    Within reach are those of the own organization, and those to its collaborations.
    """
    query = Invitation.select().order_by(Invitation.id)
    if not reach.everything:
        query = query.where(
            (Invitation.organization == reach.organization)
            | Invitation.collaboration.in_(reach.collaborations())
        )
    if collaboration is not None:
        query = query.where(Invitation.collaboration == collaboration)
    if organization is not None:
        query = query.where(Invitation.organization == organization)
    return page_of(query, page)


def asking(rows: Sequence[Invitation]) -> dict[int, Collaboration]:
    """Return the collaborations that invite, by their ids."""
    wanted = [row.collaboration_id for row in rows]
    found = Collaboration.select().where(among(Collaboration.id, wanted))
    return {row.id: row for row in found}


def members(collaboration_ids: Sequence[int]) -> dict[int, list[tuple[int, str]]]:
    """Return id and name of the members of collaborations."""
    query: Any = (
        Membership.select(Membership.collaboration, Organization.id, Organization.name)
        .join(Organization)
        .where(among(Membership.collaboration, collaboration_ids))
        .order_by(Organization.id)
        .tuples()
    )
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for collaboration, organization, name in query:
        found[collaboration].append((organization, name))
    return found
