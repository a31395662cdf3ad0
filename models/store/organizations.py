"""Organizations and what they belong to."""

from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from typing import Any

from vantage6.common.errors import NotFound
from vantage6.models.database import unique
from vantage6.models.sql.prepared import Prepared
from vantage6.models.store.access import Reach
from vantage6.models.store.queries import Page, among, like, page_of
from vantage6.models.tables import Membership, Organization

_BY_ID = Prepared(lambda id_: Organization.select().where(Organization.id == id_))
_COLLABORATIONS = Prepared(
    lambda id_: Membership.select(Membership.collaboration).where(Membership.organization == id_)
)
_MEMBERS = Prepared(
    lambda ids: (
        Membership.select(Membership.organization)
        .where(among(Membership.collaboration, ids))
        .distinct()
    )
)


def get(organization_id: int) -> Organization:
    """Return an organization."""
    row = find(organization_id)
    if row is None:
        raise NotFound(f"There is no organization {organization_id}.")
    return row


def find(organization_id: int) -> Organization | None:
    """Return an organization, or None."""
    return _BY_ID.first(organization_id)


def create(**fields: Any) -> Organization:
    """Add an organization.

    Raises
    ------
    Invalid
        If the name is taken.
    """
    with _own_name(fields):
        return Organization.create(**fields)


def update(organization: Organization, fields: dict[str, Any]) -> Organization:
    """Change the given fields of an organization; its name may be taken, as in `create`."""
    if fields:
        with _own_name(fields):
            Organization.update(**fields).where(Organization.id == organization.id).execute()
    return get(organization.id)


def publish_key(organization: Organization, public_key: str) -> bool:
    """Set the public key of an organization that has none; tell whether it had none.

    SECURITY: compared by the database, since two may ask at the same moment.
    """
    keyless = (Organization.id == organization.id) & (Organization.public_key == "")
    return bool(Organization.update(public_key=public_key).where(keyless).execute())


def _own_name(fields: dict[str, Any]) -> AbstractContextManager[None]:
    return unique(f"There is an organization named {fields.get('name')!r} already.", "name_taken")


def page(
    reach: Reach,
    page: Page,
    *,
    name: str | None = None,
    country: str | None = None,
    collaboration: int | None = None,
) -> tuple[list[Organization], int]:
    """Return the organizations within reach that fit the filters."""
    query = Organization.select().order_by(Organization.id)
    if not reach.everything:
        query = query.where(reach.organizations(Organization.id))
    if name is not None:
        query = query.where(like(Organization.name, name))
    if country is not None:
        query = query.where(Organization.country == country)
    if collaboration is not None:
        members = Membership.select(Membership.organization).where(
            Membership.collaboration == collaboration
        )
        query = query.where(Organization.id.in_(members))
    return page_of(query, page)


def check_exist(organization_ids: Collection[int]) -> None:
    """Refuse ids that belong to no organization.

    Raises
    ------
    NotFound
        If there is one.
    """
    query = Organization.select(Organization.id).where(among(Organization.id, organization_ids))
    if missing := sorted(set(organization_ids) - {row.id for row in query}):
        raise NotFound(f"There is no organization {', '.join(map(str, missing))}.")


def collaborations_of(organization_id: int | None) -> frozenset[int]:
    """Return the ids of the collaborations in which an organization is."""
    return frozenset(row.collaboration_id for row in _COLLABORATIONS(organization_id))


def members_of(collaboration_ids: Iterable[int]) -> frozenset[int]:
    """Return the ids of the organizations in any of these collaborations."""
    return frozenset(row.organization_id for row in _MEMBERS(collaboration_ids))
