"""Giving roles to users and rules to users and roles; who may do more has to log in again."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from vantage6.models.database import db, for_update
from vantage6.models.store.queries import among
from vantage6.models.tables import Role, RoleRule, Session, UserRole, UserRule

#: The tables whose rows let users do something.
TABLES = (UserRole, UserRule, RoleRule)


def give(table: Any, pairs: Sequence[dict[str, int]]) -> None:
    """Write rows of one of the tables; those that are there already stay.

    SECURITY: a session from before may be in the wrong hands. Each user who gets a rule that he
    lacked loses his sessions, so that only a new login has the rule.

    Parameters
    ----------
    table
        One of `TABLES`.
    pairs
        The rows. What they name exists.
    """
    if not pairs:
        return
    with db.atomic():
        concerned = _find_users(table, pairs)
        before = _rules_by_user(concerned)
        table.insert_many(pairs).on_conflict_ignore().execute()
        after = _rules_by_user(concerned)
        promoted = [user for user, rules in after.items() if rules - before[user]]
        Session.delete().where(among(Session.user, promoted)).execute()


def _find_users(table: Any, pairs: Sequence[dict[str, int]]) -> list[int]:
    """Return the users who may be able to do more."""
    if table is not RoleRule:
        return sorted({pair["user"] for pair in pairs})
    roles = sorted({pair["role"] for pair in pairs})
    # SECURITY: whoever gives such a role to a user at this moment waits, and then sees the rules.
    list(for_update(Role.select(Role.id).where(among(Role.id, roles)).order_by(Role.id)))
    holders: Any = UserRole.select(UserRole.user).where(among(UserRole.role, roles)).distinct()
    return [user for (user,) in holders.tuples()]


def _rules_by_user(users: Sequence[int]) -> dict[int, set[int]]:
    through_roles: Any = (
        UserRole.select(UserRole.user, RoleRule.rule)
        .join(RoleRule, on=(RoleRule.role == UserRole.role))
        .where(among(UserRole.user, users))
    )
    directly: Any = UserRule.select(UserRule.user, UserRule.rule).where(among(UserRule.user, users))
    found: dict[int, set[int]] = defaultdict(set)
    for query in (through_roles, directly):
        for user, rule in query.tuples():
            found[user].add(rule)
    return found
