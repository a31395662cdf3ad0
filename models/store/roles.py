"""Roles and rules."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from vantage6.common.enums import Operation, Scope
from vantage6.common.errors import NotFound
from vantage6.models.rules import Grant
from vantage6.models.store.reach import Page, Reach, like, page_of
from vantage6.models.tables import Role, RoleRule, Rule, UserRole


def get(role_id: int) -> Role:
    """Return a role."""
    row = Role.get_or_none(Role.id == role_id)
    if row is None:
        raise NotFound(f"There is no role {role_id}.")
    return row


def rule(rule_id: int) -> Rule:
    """Return a rule."""
    row = Rule.get_or_none(Rule.id == rule_id)
    if row is None:
        raise NotFound(f"There is no rule {rule_id}.")
    return row


def rules(rule_ids: Sequence[int]) -> list[Rule]:
    """Return the rules with these ids; unknown ids are left out."""
    return list(Rule.select().where(Rule.id << list(rule_ids)))


def grants_of(role_ids: Sequence[int]) -> frozenset[Grant]:
    """Return everything that these roles grant."""
    query = Rule.select().join(RoleRule).where(RoleRule.role << list(role_ids)).distinct()
    return frozenset((row.name, row.operation, row.scope) for row in query)


def page(
    reach: Reach | None,
    page: Page,
    *,
    user: int | None = None,
    organizations: Sequence[int] = (),
    include_root: bool = False,
    names: Sequence[str] = (),
    having_user: int | None = None,
    rule: int | None = None,
) -> tuple[list[Role], int]:
    """Return the roles within reach that fit the filters.

    Without a reach only those of ``user``; with less than everything also the server-wide ones.
    """
    query = Role.select().order_by(Role.id)
    mine = Role.id.in_(UserRole.select(UserRole.role).where(UserRole.user == user))
    if reach is None:
        query = query.where(mine)
    elif not reach.everything:
        query = query.where(
            (Role.organization == reach.organization) | Role.organization.is_null() | mine
        )
    if organizations:
        wanted = Role.organization << list(organizations)
        query = query.where(wanted | Role.organization.is_null() if include_root else wanted)
    if names:
        query = query.where(reduce(or_, (like(Role.name, name) for name in names)))
    if having_user is not None:
        query = query.where(
            Role.id.in_(UserRole.select(UserRole.role).where(UserRole.user == having_user))
        )
    if rule is not None:
        query = query.where(
            Role.id.in_(RoleRule.select(RoleRule.role).where(RoleRule.rule == rule))
        )
    return page_of(query, page)


def rule_page(
    page: Page,
    *,
    name: str | None = None,
    operation: Operation | None = None,
    scope: Scope | None = None,
    role: int | None = None,
) -> tuple[list[Rule], int]:
    """Return the rules that fit the filters."""
    query = Rule.select().order_by(Rule.id)
    if name is not None:
        query = query.where(Rule.name == name)
    if operation is not None:
        query = query.where(Rule.operation == operation)
    if scope is not None:
        query = query.where(Rule.scope == scope)
    if role is not None:
        query = query.where(
            Rule.id.in_(RoleRule.select(RoleRule.rule).where(RoleRule.role == role))
        )
    return page_of(query, page)


def has(user_id: int, role_id: int) -> bool:
    """Tell whether a user has a role."""
    return bool(
        UserRole.select().where((UserRole.user == user_id) & (UserRole.role == role_id)).exists()
    )
