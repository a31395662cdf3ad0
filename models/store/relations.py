"""Ids of related rows, for any number of rows at once, in one query each."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from vantage6.models.tables import Membership, Role, RoleRule, User, UserRole, UserRule

Ids = dict[int, list[int]]


def _grouped(table: Any, key: Any, value: Any, keys: Sequence[int]) -> Ids:
    found: Ids = defaultdict(list)
    query = table.select(key, value).where(key << list(keys)).order_by(key, value)
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


def users_of_roles(role_ids: Sequence[int]) -> dict[int, list[tuple[int, int | None]]]:
    """Return the users of roles, each with the organization of the user."""
    found: dict[int, list[tuple[int, int | None]]] = defaultdict(list)
    query: Any = (
        UserRole.select(UserRole.role, User.id, User.organization)
        .join(User)
        .where(UserRole.role << list(role_ids))
        .order_by(UserRole.role, User.id)
    )
    for role, user, organization in query.tuples():
        found[role].append((user, organization))
    return found
