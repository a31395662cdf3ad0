"""Collaborations and their members."""

from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from typing import Any

from vantage6.common.errors import Invalid, NotFound
from vantage6.models.database import for_update, transaction, unique
from vantage6.models.sql.prepared import Prepared
from vantage6.models.store import organizations, result_endings
from vantage6.models.store.access import Reach
from vantage6.models.store.queries import Page, among, like, page_of
from vantage6.models.tables import Collaboration, Invitation, Membership, Result, Task

_BY_ID = Prepared(lambda id_: Collaboration.select().where(Collaboration.id == id_))


def get(collaboration_id: int) -> Collaboration:
    """Return a collaboration."""
    row = _BY_ID.first(collaboration_id)
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
    with _own_name(name):
        _check_name(name)
        organizations.check_exist(wanted)
        collaboration = Collaboration.create(name=name, encrypted=encrypted)
        _add(collaboration, wanted)
    return collaboration


@transaction
def update(
    collaboration: Collaboration,
    fields: dict[str, Any],
    joining: Collection[int] = (),
    leaving: Collection[int] = (),
) -> tuple[Collaboration, int]:
    """Change the given fields of a collaboration, and which organizations are in it.

    By what changes, not by who is in it then: what was checked is what happens, also where
    another user changes it at the same moment. What an organization that leaves computes for it
    is ended, as in `remove_member`.

    Returns
    -------
    tuple
        The collaboration, and how many results were ended.

    Raises
    ------
    Invalid
        If the name is taken.
    NotFound
        If an organization does not exist.
    """
    name, ended = fields.get("name", collaboration.name), 0
    with _own_name(name):
        if name != collaboration.name:
            _check_name(name)
        if fields:
            Collaboration.update(**fields).where(Collaboration.id == collaboration.id).execute()
        organizations.check_exist(joining)
        _add(collaboration, joining)
        if leaving:
            ended = _remove(collaboration, leaving)
    return get(collaboration.id), ended


@transaction
def delete(collaboration: Collaboration) -> int:
    """Remove a collaboration with its tasks and their results; its nodes stay, without one.

    What its nodes compute is ended first, so that they are told. Returns how many results were.
    """
    there = Task.select(Task.id).where(Task.collaboration == collaboration.id)
    # Nobody creates a task in it from here on. Then as everybody: tasks, then results.
    list(for_update(Collaboration.select().where(Collaboration.id == collaboration.id)))
    list(for_update(there.order_by(Task.id)))
    ended = result_endings.end(
        Result.task.in_(there), reason_code="killed", reason="The collaboration was removed."
    )
    result_endings.hold(Result.task.in_(there))
    Collaboration.delete().where(Collaboration.id == collaboration.id).execute()
    return ended


def changes_of(
    collaboration: Collaboration, organization_ids: Collection[int]
) -> tuple[frozenset[int], frozenset[int]]:
    """Return which organizations join and which leave where these are to be in a collaboration.

    Raises
    ------
    NotFound
        If one of them does not exist.
    """
    organizations.check_exist(organization_ids)
    wanted, present = frozenset(organization_ids), organizations.members_of([collaboration.id])
    return wanted - present, present - wanted


@transaction
def add_member(collaboration: Collaboration, organization_id: int) -> None:
    """Put an organization, which exists, into a collaboration; it may be in it already."""
    _add(collaboration, [organization_id])


@transaction
def remove_member(collaboration: Collaboration, organization_id: int) -> int:
    """Take an organization out of a collaboration, and return how many results were ended.

    What it computes there is ended. The tasks that it created stay, and so does its node, which
    sees and does nothing there until its organization is back.

    Raises
    ------
    Invalid
        If it is not a member.
    """
    if organization_id not in organizations.members_of([collaboration.id]):
        raise Invalid(
            f"Organization {organization_id} is not in {collaboration.name}.", code="no_member"
        )
    return _remove(collaboration, [organization_id])


def _own_name(name: str) -> AbstractContextManager[None]:
    return unique(_say_taken(name), "name_taken")


def _check_name(name: str) -> None:
    if Collaboration.select().where(Collaboration.name == name).exists():
        raise Invalid(_say_taken(name), code="name_taken")


def _say_taken(name: str) -> str:
    return f"There is a collaboration named {name!r} already."


def _add(collaboration: Collaboration, organization_ids: Collection[int]) -> None:
    rows = [
        {"organization": organization, "collaboration": collaboration.id}
        for organization in sorted(organization_ids)
    ]
    if rows:
        # SECURITY: an invitation must not bring back one that joined otherwise and left since.
        Invitation.delete().where(
            (Invitation.collaboration == collaboration.id)
            & among(Invitation.organization, organization_ids)
        ).execute()
        Membership.insert_many(rows).on_conflict_ignore().execute()


def _remove(collaboration: Collaboration, organization_ids: Collection[int]) -> int:
    there = Task.select(Task.id).where(Task.collaboration == collaboration.id)
    # Who creates a task for one of them at this moment shares this row: wait, to end that one too.
    list(for_update(Collaboration.select().where(Collaboration.id == collaboration.id)))
    Membership.delete().where(
        (Membership.collaboration == collaboration.id)
        & among(Membership.organization, organization_ids)
    ).execute()
    return result_endings.end(
        Result.task.in_(there) & among(Result.organization, organization_ids),
        reason_code="left_collaboration",
        reason="The organization left the collaboration.",
    )


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
