"""Ids of related rows, for any number of rows at once, in one query each."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from vantage6.models.store.reach import among
from vantage6.models.tables import (
    AlgorithmPort,
    Membership,
    NodeConfig,
    Role,
    RoleRule,
    User,
    UserRole,
    UserRule,
)

Ids = dict[int, list[int]]
#: Users, each with his organization.
Holders = dict[int, list[tuple[int, int | None]]]


def _grouped(table: Any, key: Any, value: Any, keys: Sequence[int]) -> Ids:
    found: Ids = defaultdict(list)
    query = table.select(key, value).where(among(key, keys)).order_by(key, value)
    for one, other in query.tuples():
        found[one].append(other)
    return found


def collaborations_of(organization_ids: Sequence[int]) -> Ids:
    """Return the collaborations of organizations."""
    return _grouped(Membership, Membership.organization, Membership.collaboration, organization_ids)


def members_of(collaboration_ids: Sequence[int]) -> Ids:
    """Return the organizations in collaborations."""
    return _grouped(
        Membership, Membership.collaboration, Membership.organization, collaboration_ids
    )


def users_of(organization_ids: Sequence[int]) -> Ids:
    """Return the users of organizations."""
    return _grouped(User, User.organization, User.id, organization_ids)


def roles_of(organization_ids: Sequence[int]) -> Ids:
    """Return the roles of organizations."""
    return _grouped(Role, Role.organization, Role.id, organization_ids)


def roles_of_users(user_ids: Sequence[int]) -> Ids:
    """Return the roles of users."""
    return _grouped(UserRole, UserRole.user, UserRole.role, user_ids)


def rules_of_users(user_ids: Sequence[int]) -> Ids:
    """Return the rules that users hold beside their roles."""
    return _grouped(UserRule, UserRule.user, UserRule.rule, user_ids)


def rules_of_roles(role_ids: Sequence[int]) -> Ids:
    """Return the rules of roles."""
    return _grouped(RoleRule, RoleRule.role, RoleRule.rule, role_ids)


def users_of_roles(role_ids: Sequence[int]) -> Holders:
    """Return the users of roles, each with the organization of the user."""
    return _holders(UserRole, UserRole.role, role_ids)


def users_of_rules(rule_ids: Sequence[int]) -> Holders:
    """Return the users that hold rules beside their roles, each with the user's organization."""
    return _holders(UserRule, UserRule.rule, rule_ids)


def _holders(table: Any, key: Any, keys: Sequence[int]) -> Holders:
    found: Holders = defaultdict(list)
    query = (
        table.select(key, User.id, User.organization)
        .join(User)
        .where(among(key, keys))
        .order_by(key, User.id)
    )
    for one, user, organization in query.tuples():
        found[one].append((user, organization))
    return found


def config_of(node_ids: Sequence[int]) -> dict[int, list[NodeConfig]]:
    """Return what nodes tell about their configuration."""
    found: dict[int, list[NodeConfig]] = defaultdict(list)
    for row in NodeConfig.select().where(among(NodeConfig.node, node_ids)).order_by(NodeConfig.id):
        found[row.node_id].append(row)
    return found


def ports_of(result_ids: Sequence[int]) -> dict[int, list[AlgorithmPort]]:
    """Return the ports of results."""
    found: dict[int, list[AlgorithmPort]] = defaultdict(list)
    query = AlgorithmPort.select().where(among(AlgorithmPort.result, result_ids))
    for row in query.order_by(AlgorithmPort.id):
        found[row.result_id].append(row)
    return found
