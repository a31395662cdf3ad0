"""The organizations that a task is for: whether their nodes could and would compute it."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from peewee import JOIN

from vantage6.common.errors import Invalid
from vantage6.models.sql.prepared import Prepared
from vantage6.models.store.queries import among
from vantage6.models.tables import Membership, Node, NodeConfig, Organization, User

#: The members of a collaboration, each with its node.
_MEMBERS: Prepared[Any] = Prepared(
    lambda id_: (
        Membership.select(Membership.organization, Node.id)
        .join(
            Node,
            JOIN.LEFT_OUTER,
            on=(Node.organization == Membership.organization)
            & (Node.collaboration == Membership.collaboration),
        )
        .where(Membership.collaboration == id_)
        .tuples()
    )
)
#: What the nodes of organizations tell of whose tasks they compute.
_WELCOME: Prepared[Any] = Prepared(
    lambda collaboration, organizations: (
        NodeConfig.select(Node.organization, NodeConfig.key, NodeConfig.value)
        .join(Node)
        .where(
            (Node.collaboration == collaboration)
            & among(Node.organization, organizations)
            & NodeConfig.key.in_(["allowed_users", "allowed_orgs"])
        )
        .tuples()
    )
)


def check(collaboration_id: int, organization_ids: Sequence[int]) -> None:
    """Refuse a task that some of its organizations could never compute.

    Raises
    ------
    Invalid
        If an organization is named twice, is not in the collaboration or has no node there.
    """
    if twice := sorted(i for i, count in Counter(organization_ids).items() if count > 1):
        raise Invalid(f"Organization {_list(twice)} is named more than once.", code="named_twice")
    nodes = dict(_MEMBERS(collaboration_id))
    if strangers := sorted(set(organization_ids) - set(nodes)):
        raise Invalid(
            f"Organization {_list(strangers)} is not in collaboration {collaboration_id}.",
            code="no_member",
        )
    if missing := sorted(id_ for id_ in organization_ids if nodes[id_] is None):
        raise Invalid(
            f"No node is registered in collaboration {collaboration_id} for {names_of(missing)}. "
            "Register one with client.node.create, or leave the organization out.",
            code="no_node",
        )


def check_welcome(collaboration_id: int, organization_ids: Collection[int], user: User) -> None:
    """Refuse a user's task that a node says it would refuse.

    What a node tells of its policy are ids of users, and ids or names of organizations; one that
    fits is enough.

    Raises
    ------
    Invalid
        If none fits at one of the organizations.
    """
    wanted: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for organization, key, value in _WELCOME(collaboration_id, organization_ids):
        wanted[organization].add((key, value))
    if not wanted:
        return
    home = Organization.get_by_id(user.organization_id)
    welcome = {("allowed_users", str(user.id)), ("allowed_orgs", str(home.id))}
    # A name of digits alone would be taken for somebody else's id.
    if not home.name.isdecimal():
        welcome.add(("allowed_orgs", home.name))
    if not user.username.isdecimal():
        welcome.add(("allowed_users", user.username))
    if closed := [
        organization for organization, entries in wanted.items() if not entries & welcome
    ]:
        raise Invalid(
            f"The node of {names_of(closed)} allows no tasks of you or of {home.name}. Ask its "
            "administrator, or leave the organization out.",
            code="initiator_not_allowed",
        )


def names_of(organization_ids: Collection[int]) -> str:
    """Return names of organizations, each with its id, for a sentence."""
    rows = Organization.select().where(among(Organization.id, organization_ids))
    return ", ".join(f"{row.name} ({row.id})" for row in rows.order_by(Organization.id))


def _list(ids: Sequence[int]) -> str:
    return ", ".join(map(str, ids))
