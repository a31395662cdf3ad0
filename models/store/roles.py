"""Roles and rules."""

from collections.abc import Collection, Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Any

from vantage6.common.enums import Operation, Scope
from vantage6.common.errors import Invalid, NotFound
from vantage6.models.database import db, transaction
from vantage6.models.rules import DEFAULT_ROLES, Grant
from vantage6.models.sql.prepared import Prepared
from vantage6.models.store import promotions
from vantage6.models.store.access import Reach
from vantage6.models.store.queries import Page, among, like, page_of
from vantage6.models.tables import Role, RoleRule, Rule, UserRole

#: Names that no role but the default one may have.
RESERVED = frozenset(name for name, _, _ in DEFAULT_ROLES)

_BY_ID = Prepared(lambda id_: Role.select().where(Role.id == id_))
_RULE = Prepared(lambda id_: Rule.select().where(Rule.id == id_))


def get(role_id: int) -> Role:
    """Return a role."""
    row = _BY_ID.first(role_id)
    if row is None:
        raise NotFound(f"There is no role {role_id}.")
    return row


def rule(rule_id: int) -> Rule:
    """Return a rule."""
    row = _RULE.first(rule_id)
    if row is None:
        raise NotFound(f"There is no rule {rule_id}.")
    return row


def rules(rule_ids: Collection[int]) -> list[Rule]:
    """Return the rules with these ids.

    Raises
    ------
    NotFound
        If one of them does not exist.
    """
    found = list(Rule.select().where(among(Rule.id, rule_ids)).order_by(Rule.id))
    if missing := sorted(set(rule_ids) - {row.id for row in found}):
        raise NotFound(f"There is no rule {', '.join(map(str, missing))}.")
    return found


def rules_of(role_id: int) -> list[Rule]:
    """Return the rules of a role."""
    query = Rule.select().join(RoleRule).where(RoleRule.role == role_id)
    return list(query.order_by(Rule.id))


def grants(found: Iterable[Rule]) -> frozenset[Grant]:
    """Return what rules grant."""
    return frozenset((row.name, row.operation, row.scope) for row in found)


def grants_of(role_ids: Sequence[int]) -> frozenset[Grant]:
    """Return everything that these roles grant."""
    return grants(
        Rule.select().join(RoleRule).where(among(RoleRule.role, role_ids)).distinct(),
    )


def check_editable(role: Role) -> None:
    """Refuse any change of a default role: the server relies on them.

    Raises
    ------
    Invalid
        If the role is one of them.
    """
    if role.organization_id is None and role.name in RESERVED:
        raise Invalid(
            f"{role.name} is a default role and stays as it is; make a role of your own instead.",
            code="default_role",
        )


def check_name(name: str) -> None:
    """Refuse the name of a default role.

    Raises
    ------
    Invalid
        If the name is one of them.
    """
    if name in RESERVED:
        raise Invalid(f"{name} is the name of a default role; take another.", code="name_reserved")


@transaction
def create(name: str, description: str, rule_ids: Iterable[int], organization_id: int) -> Role:
    """Add a role with rules, which exist, to an organization."""
    role = Role.create(name=name, description=description, organization=organization_id)
    put_in(role, rule_ids)
    return role


def update(
    role: Role, fields: dict[str, Any], more: Iterable[int] = (), fewer: Iterable[int] = ()
) -> Role:
    """Change fields of a role, put ``more`` rules in and take ``fewer`` out.

    Rules by what changes, not by what is left: what was checked is what happens, also where
    another user changes the role at the same moment.
    """
    with db.atomic():
        if fields:
            Role.update(**fields).where(Role.id == role.id).execute()
        put_in(role, more)
        RoleRule.delete().where((RoleRule.role == role.id) & among(RoleRule.rule, fewer)).execute()
    return get(role.id)


def put_in(role: Role, rule_ids: Iterable[int]) -> None:
    """Put rules, which exist, into a role; those that are in it stay.

    A user of the role who lacked one of them is logged out.
    """
    promotions.give(
        RoleRule, [{"role": role.id, "rule": rule_id} for rule_id in sorted(set(rule_ids))]
    )


def take_out(role: Role, rule_id: int) -> None:
    """Take a rule out of a role.

    Raises
    ------
    NotFound
        If it is not in it.
    """
    pair = (RoleRule.role == role.id) & (RoleRule.rule == rule_id)
    if not RoleRule.delete().where(pair).execute():
        raise NotFound(f"There is no rule {rule_id} in role {role.id}.")


def delete(role: Role) -> None:
    """Remove a role, also from the users that have it."""
    Role.delete().where(Role.id == role.id).execute()


def page(
    reach: Reach | None,
    page: Page,
    *,
    user: int | None = None,
    organizations: Sequence[int] = (),
    include_root: bool = False,
    names: Sequence[str] = (),
    descriptions: Sequence[str] = (),
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
            reach.organizations(Role.organization) | Role.organization.is_null() | mine
        )
    if organizations:
        wanted = among(Role.organization, organizations)
        query = query.where(wanted | Role.organization.is_null() if include_root else wanted)
    for column, patterns in ((Role.name, names), (Role.description, descriptions)):
        if patterns:
            query = query.where(reduce(or_, (like(column, pattern) for pattern in patterns)))
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
    operation: str | None = None,
    scope: str | None = None,
    role: int | None = None,
) -> tuple[list[Rule], int]:
    """Return the rules that fit the filters; no rule has an operation or a scope that is none."""
    if operation not in (None, *Operation) or scope not in (None, *Scope):
        return [], 0
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
