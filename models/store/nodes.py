"""Data stations."""

import hashlib
import uuid
from collections.abc import Iterable
from typing import Any

from vantage6.common.errors import Invalid, NotFound, Unauthenticated
from vantage6.models.database import unique
from vantage6.models.store.reach import Page, Reach, like, page_of
from vantage6.models.tables import Collaboration, Membership, Node, Organization


def hashed(api_key: str) -> str:
    """Return the form in which a key is kept."""
    return hashlib.sha256(api_key.encode()).hexdigest()


def get(node_id: int) -> Node:
    """Return a node."""
    row = find(node_id)
    if row is None:
        raise NotFound(f"There is no node {node_id}.")
    return row


def find(node_id: int) -> Node | None:
    """Return a node, or None."""
    return Node.get_or_none(Node.id == node_id)


def with_key(api_key: str) -> Node:
    """Return the node that an API key belongs to.

    Raises
    ------
    Unauthenticated
        If no node has the key.
    """
    row = Node.get_or_none(Node.api_key == hashed(api_key))
    if row is None:
        raise Unauthenticated("This API key belongs to no node.", code="wrong_api_key")
    return row


def create(
    organization: Organization, collaboration: Collaboration, name: str | None = None
) -> tuple[Node, str]:
    """Add a node, and return it with its API key, which is not kept.

    Raises
    ------
    Invalid
        If the organization is not in the collaboration or has a node there.
    """
    key = str(uuid.uuid4())
    with unique(f"{organization.name} has a node in {collaboration.name} already.", "node_exists"):
        pair = (Membership.organization == organization) & (
            Membership.collaboration == collaboration
        )
        if not Membership.select().where(pair).exists():
            raise Invalid(
                f"{organization.name} is not a member of {collaboration.name}.", code="no_member"
            )
        node = Node.create(
            name=name or f"{organization.name} - {collaboration.name} Node",
            api_key=hashed(key),
            organization=organization,
            collaboration=collaboration,
        )
    return node, key


def update(node: Node, fields: dict[str, Any]) -> Node:
    """Change the given fields of a node."""
    if fields:
        Node.update(**fields).where(Node.id == node.id).execute()
    return get(node.id)


def delete(node: Node) -> None:
    """Remove a node."""
    Node.delete().where(Node.id == node.id).execute()


def page(
    reach: Reach,
    page: Page,
    *,
    organization: int | None = None,
    collaboration: int | None = None,
    name: str | None = None,
    ip: str | None = None,
    ids: Iterable[int] | None = None,
    seen_except: Iterable[int] | None = None,
) -> tuple[list[Node], int]:
    """Return the nodes within reach that fit the filters.

    ``ids`` are the only ones; ``seen_except`` leaves these and those out that never came.
    """
    query = Node.select().order_by(Node.id)
    if not reach.everything:
        query = query.where(Node.organization == reach.organization)
    for column, value in (
        (Node.organization, organization),
        (Node.collaboration, collaboration),
        (Node.ip, ip),
    ):
        if value is not None:
            query = query.where(column == value)
    if name is not None:
        query = query.where(like(Node.name, name))
    if ids is not None:
        query = query.where(Node.id.in_(list(ids)))
    if seen_except is not None:
        query = query.where(Node.last_seen.is_null(False) & Node.id.not_in(list(seen_except)))
    return page_of(query, page)


def ids() -> list[int]:
    """Return the ids of all nodes."""
    return [row.id for row in Node.select(Node.id).order_by(Node.id)]


def of(organization_ids: Iterable[int] = (), collaboration_ids: Iterable[int] = ()) -> list[Node]:
    """Return the nodes of any of these organizations or collaborations."""
    condition = (Node.organization << list(organization_ids)) | (
        Node.collaboration << list(collaboration_ids)
    )
    return list(Node.select().where(condition).order_by(Node.id))
