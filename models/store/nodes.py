"""Data stations."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from peewee import JOIN

from vantage6.common.clock import now
from vantage6.common.enums import Scope
from vantage6.common.errors import Invalid, NotFound, Unauthenticated
from vantage6.common.secret_files import hash_secret
from vantage6.models.database import db, transaction, unique
from vantage6.models.sql.prepared import Prepared
from vantage6.models.store import result_endings, sessions
from vantage6.models.store.access import Reach
from vantage6.models.store.queries import Page, among, like, page_of
from vantage6.models.tables import (
    Collaboration,
    Membership,
    Node,
    NodeConfig,
    Organization,
    Session,
)

_BY_ID = Prepared(lambda id_: Node.select().where(Node.id == id_))
_BY_KEY = Prepared(lambda key: Node.select().where(Node.api_key == key))
_NAMES: Prepared[Any] = Prepared(
    lambda ids: Node.select(Node.id, Node.name).where(among(Node.id, ids)).tuples()
)
_OF = Prepared(
    lambda organizations, collaborations: (
        Node.select()
        .where(among(Node.organization, organizations) | among(Node.collaboration, collaborations))
        .order_by(Node.id)
    )
)
_ACTING = Prepared(
    lambda id_, session: (
        Node.select(
            Node,
            Membership.collaboration.alias("works_in"),
            Session.id.alias("session_id"),
        )
        .join(
            Membership,
            JOIN.LEFT_OUTER,
            on=(Membership.organization == Node.organization)
            & (Membership.collaboration == Node.collaboration),
        )
        .switch(Node)
        .join(Session, JOIN.LEFT_OUTER, on=(Session.node == Node.id) & (Session.id == session))
        .where(Node.id == id_)
        .objects()
    )
)


def get(node_id: int) -> Node:
    """Return a node."""
    row = find(node_id)
    if row is None:
        raise NotFound(f"There is no node {node_id}.")
    return row


def find(node_id: int) -> Node | None:
    """Return a node, or None."""
    return _BY_ID.first(node_id)


def names() -> dict[int, str]:
    """Return the names of all nodes by their ids."""
    rows: Any = Node.select(Node.id, Node.name).tuples()
    return {id_: name or "" for id_, name in rows}


def names_of(node_ids: Iterable[int]) -> dict[int, str]:
    """Return the names of some nodes by their ids."""
    return {id_: name or "" for id_, name in _NAMES(node_ids)}


def acting(node_id: int, session_id: int) -> tuple[Node, bool] | None:
    """Return a node as it may act, and whether this is a session of it which has not ended.

    SECURITY: without its collaboration, where its organization is not a member any more.

    Returns
    -------
    tuple or None
        None if there is no such node.
    """
    row: Any = _ACTING.first(node_id, session_id)
    if row is None:
        return None
    row.collaboration_id = row.works_in
    return cast("Node", row), row.session_id is not None


def with_key(api_key: str) -> Node:
    """Return the node that an API key belongs to.

    Raises
    ------
    Unauthenticated
        If no node has the key.
    """
    row = _BY_KEY.first(hash_secret(api_key))
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
    key = _random_key()
    with unique(_say_taken(organization.name, collaboration.name), "node_exists"):
        _check_member(organization, collaboration)
        node = Node.create(
            name=name or f"{organization.name} - {collaboration.name} Node",
            api_key=hash_secret(key),
            organization=organization,
            collaboration=collaboration,
        )
    return node, key


@transaction
def replace_key(node: Node) -> str:
    """Give a node another API key, and return it; it is not kept.

    SECURITY: sessions that began with the old one end, and the tokens of what
    it computes are void.
    """
    key = _random_key()
    update(node, {"api_key": hash_secret(key), "tokens_valid_from": now(), "working_session": None})
    sessions.end_all(node)
    return key


def _random_key() -> str:
    return str(uuid.uuid4())


def update(node: Node, fields: dict[str, Any]) -> Node:
    """Change the given fields of a node."""
    if fields:
        Node.update(**fields).where(Node.id == node.id).execute()
    return get(node.id)


@transaction
def change(
    node: Node,
    fields: dict[str, Any],
    *,
    place: tuple[Organization, Collaboration | None] | None = None,
    config: Sequence[tuple[str, str]] | None = None,
) -> Node:
    """Change fields of a node and, where they are given, its place and what it tells; or nothing.

    Raises
    ------
    Invalid
        As `move`.
    """
    node = move(node, *place, fields) if place else update(node, fields)
    if config is not None:
        tell_config(node, config)
    return node


@transaction
def move(
    node: Node,
    organization: Organization,
    collaboration: Collaboration | None,
    fields: dict[str, Any] | None = None,
) -> Node:
    """Give a node another place, and change fields of it.

    What it has taken at its old place is offered to the next node there; the node itself is told
    to stop when it compares next, since results of a place are for the node of that place only.

    Raises
    ------
    Invalid
        If the organization is not in the collaboration or has a node there.
    """
    there = collaboration.name if collaboration else ""
    with unique(_say_taken(organization.name, there), "node_exists"):
        if collaboration is not None:
            _check_member(organization, collaboration)
        result_endings.release(node.organization_id, node.collaboration_id)
        pair = {"organization": organization, "collaboration": collaboration}
        return update(node, {**(fields or {}), **pair})


def _say_taken(organization: str, collaboration: str) -> str:
    return f"{organization} has a node in {collaboration} already."


def _check_member(organization: Organization, collaboration: Collaboration) -> None:
    pair = (Membership.organization == organization) & (Membership.collaboration == collaboration)
    if not Membership.select().where(pair).exists():
        raise Invalid(
            f"{organization.name} is not a member of {collaboration.name}.", code="no_member"
        )


def tell_config(node: Node, items: Sequence[tuple[str, str]]) -> None:
    """Replace what a node tells about its configuration by these keys and values."""
    with db.atomic():
        NodeConfig.delete().where(NodeConfig.node == node.id).execute()
        if items:
            NodeConfig.insert_many(
                [{"node": node.id, "key": key, "value": value} for key, value in items]
            ).execute()


def read_config(node: Node) -> list[tuple[str, str]]:
    """Return the keys and values that a node tells about its configuration."""
    found = NodeConfig.select(NodeConfig.key, NodeConfig.value).where(NodeConfig.node == node.id)
    return [*found.tuples()]


@transaction
def delete(node: Node) -> None:
    """Remove a node; what it has taken is offered to the next one at its place."""
    result_endings.release(node.organization_id, node.collaboration_id)
    Node.delete().where(Node.id == node.id).execute()


def page(
    reach: Reach,
    page: Page,
    *,
    organization: int | None = None,
    collaboration: int | None = None,
    name: str | None = None,
    ip: str | None = None,
    seen: tuple[datetime | None, datetime | None] = (None, None),
    ids: Iterable[int] | None = None,
    seen_except: Iterable[int] | None = None,
) -> tuple[list[Node], int]:
    """Return the nodes within reach that fit the filters.

    ``seen`` are bounds of when they were last heard of; ``ids`` are the only ones;
    ``seen_except`` leaves these and those out that never came.
    """
    query = Node.select().order_by(Node.id)
    if not reach.everything:
        within = Node.organization == reach.organization
        if reach.scope is Scope.COLLABORATION:
            within |= Node.collaboration.in_(reach.collaborations())
        query = query.where(within)
    for column, value in (
        (Node.organization, organization),
        (Node.collaboration, collaboration),
        (Node.ip, ip),
    ):
        if value is not None:
            query = query.where(column == value)
    if name is not None:
        query = query.where(like(Node.name, name))
    earliest, latest = seen
    if earliest is not None:
        query = query.where(Node.last_seen >= earliest)
    if latest is not None:
        query = query.where(Node.last_seen <= latest)
    if ids is not None:
        query = query.where(among(Node.id, ids))
    if seen_except is not None:
        query = query.where(Node.last_seen.is_null(False) & ~among(Node.id, seen_except))
    return page_of(query, page)


def ids() -> list[int]:
    """Return the ids of all nodes."""
    return [row.id for row in Node.select(Node.id).order_by(Node.id)]


def of(organization_ids: Iterable[int] = (), collaboration_ids: Iterable[int] = ()) -> list[Node]:
    """Return the nodes of any of these organizations or collaborations."""
    return _OF(organization_ids, collaboration_ids)
