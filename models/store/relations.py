"""Ids of related rows, for any number of rows at once, in one query each."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from vantage6.models.sql.prepared import Prepared
from vantage6.models.store.queries import among
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


def _pairs(key: Any, value: Any) -> Prepared[Any]:
    return Prepared(
        lambda keys: (
            key.model.select(key, value).where(among(key, keys)).order_by(key, value).tuples()
        )
    )


def _holders(key: Any) -> Prepared[Any]:
    return Prepared(
        lambda keys: (
            key.model.select(key, User.id, User.organization)
            .join(User)
            .where(among(key, keys))
            .order_by(key, User.id)
            .tuples()
        )
    )


_COLLABORATIONS = _pairs(Membership.organization, Membership.collaboration)
_MEMBERS = _pairs(Membership.collaboration, Membership.organization)
_USERS = _pairs(User.organization, User.id)
_ROLES = _pairs(Role.organization, Role.id)
_ROLES_OF_USERS = _pairs(UserRole.user, UserRole.role)
_RULES_OF_USERS = _pairs(UserRule.user, UserRule.rule)
_RULES_OF_ROLES = _pairs(RoleRule.role, RoleRule.rule)
_USERS_OF_ROLES = _holders(UserRole.role)
_USERS_OF_RULES = _holders(UserRule.rule)
_CONFIG = Prepared(
    lambda ids: NodeConfig.select().where(among(NodeConfig.node, ids)).order_by(NodeConfig.id)
)
_PORTS = Prepared(
    lambda ids: (
        AlgorithmPort.select().where(among(AlgorithmPort.result, ids)).order_by(AlgorithmPort.id)
    )
)


def _group(pairs: Prepared[Any], keys: Sequence[int]) -> Ids:
    found: Ids = defaultdict(list)
    for one, other in pairs(keys):
        found[one].append(other)
    return found


def collaborations_of(organization_ids: Sequence[int]) -> Ids:
    """Return the collaborations of organizations."""
    return _group(_COLLABORATIONS, organization_ids)


def members_of(collaboration_ids: Sequence[int]) -> Ids:
    """Return the organizations in collaborations."""
    return _group(_MEMBERS, collaboration_ids)


def users_of(organization_ids: Sequence[int]) -> Ids:
    """Return the users of organizations."""
    return _group(_USERS, organization_ids)


def roles_of(organization_ids: Sequence[int]) -> Ids:
    """Return the roles of organizations."""
    return _group(_ROLES, organization_ids)


def roles_of_users(user_ids: Sequence[int]) -> Ids:
    """Return the roles of users."""
    return _group(_ROLES_OF_USERS, user_ids)


def rules_of_users(user_ids: Sequence[int]) -> Ids:
    """Return the rules that users hold beside their roles."""
    return _group(_RULES_OF_USERS, user_ids)


def rules_of_roles(role_ids: Sequence[int]) -> Ids:
    """Return the rules of roles."""
    return _group(_RULES_OF_ROLES, role_ids)


def users_of_roles(role_ids: Sequence[int]) -> Holders:
    """Return the users of roles, each with the organization of the user."""
    return _group_holders(_USERS_OF_ROLES, role_ids)


def users_of_rules(rule_ids: Sequence[int]) -> Holders:
    """Return the users that hold rules beside their roles, each with the user's organization."""
    return _group_holders(_USERS_OF_RULES, rule_ids)


def _group_holders(holders: Prepared[Any], keys: Sequence[int]) -> Holders:
    found: Holders = defaultdict(list)
    for one, user, organization in holders(keys):
        found[one].append((user, organization))
    return found


def config_of(node_ids: Sequence[int]) -> dict[int, list[NodeConfig]]:
    """Return what nodes tell about their configuration."""
    found: dict[int, list[NodeConfig]] = defaultdict(list)
    for row in _CONFIG(node_ids):
        found[row.node_id].append(row)
    return found


def ports_of(result_ids: Sequence[int]) -> dict[int, list[AlgorithmPort]]:
    """Return the ports of results."""
    found: dict[int, list[AlgorithmPort]] = defaultdict(list)
    for row in _PORTS(result_ids):
        found[row.result_id].append(row)
    return found
