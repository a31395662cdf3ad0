"""Collaborations and their members."""

from collections.abc import Iterable

from vantage6.common.errors import Invalid, NotFound
from vantage6.models.database import unique
from vantage6.models.store.reach import Page, Reach, like, page_of
from vantage6.models.tables import Collaboration, Membership, Organization


def get(collaboration_id: int) -> Collaboration:
    """Return a collaboration."""
    row = Collaboration.get_or_none(Collaboration.id == collaboration_id)
    if row is None:
        raise NotFound(f"There is no collaboration {collaboration_id}.")
    return row


def create(name: str, organization_ids: Iterable[int], *, encrypted: bool) -> Collaboration:
    """Add a collaboration of organizations.

    Raises
    ------
    Invalid
        If the name is taken.
    NotFound
        If an organization does not exist.
    """
    wanted = sorted(set(organization_ids))
    taken = f"There is a collaboration named {name!r} already."
    with unique(taken, "name_taken"):
        if Collaboration.select().where(Collaboration.name == name).exists():
            raise Invalid(taken, code="name_taken")
        known = {
            row.id for row in Organization.select(Organization.id).where(Organization.id << wanted)
        }
        if missing := sorted(set(wanted) - known):
            raise NotFound(f"There is no organization {', '.join(map(str, missing))}.")
        collaboration = Collaboration.create(name=name, encrypted=encrypted)
        Membership.insert_many(
            [
                {"organization": organization, "collaboration": collaboration.id}
                for organization in wanted
            ]
        ).execute()
    return collaboration


def page(
    reach: Reach,
    page: Page,
    *,
    name: str | None = None,
    encrypted: bool | None = None,
    organization: int | None = None,
) -> tuple[list[Collaboration], int]:
    """Return the collaborations within reach that fit the filters."""
    query = Collaboration.select().order_by(Collaboration.id)
    if not reach.everything:
        query = query.where(Collaboration.id.in_(reach.collaborations()))
    if name is not None:
        query = query.where(like(Collaboration.name, name))
    if encrypted is not None:
        query = query.where(Collaboration.encrypted == encrypted)
    if organization is not None:
        query = query.where(
            Collaboration.id.in_(
                Membership.select(Membership.collaboration).where(
                    Membership.organization == organization
                )
            )
        )
    return page_of(query, page)
