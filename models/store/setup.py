"""The rows that a database needs before the first login."""

from vantage6.models.database import db
from vantage6.models.rules import DEFAULT_ROLES, RULES
from vantage6.models.tables import Organization, Role, RoleRule, Rule, User, UserRole

ROOT = "root"
#: Its password where none is configured; every user manual says it.
FIRST_PASSWORD = "root"  # noqa: S105


def ensure_rules() -> None:
    """Add the rules and default roles that are missing; complete those that are not for editing."""
    with db.atomic():
        known = {(rule.name, rule.operation, rule.scope): rule.id for rule in Rule.select()}
        for name, operation, scope, description in RULES:
            if (name, operation, scope) not in known:
                known[name, operation, scope] = Rule.create(
                    name=name, operation=operation, scope=scope, description=description
                ).id
        for name, description, grants in DEFAULT_ROLES:
            role, created = Role.get_or_create(  # type: ignore[no-untyped-call]
                name=name, organization=None, defaults={"description": description}
            )
            if created or name in ("Root", "node", "container"):
                RoleRule.insert_many(
                    [{"role": role.id, "rule": known[grant]} for grant in sorted(grants)]
                ).on_conflict_ignore().execute()


def has_users() -> bool:
    """Tell whether there is a user who may log in."""
    return bool(User.select().exists())


def ensure_root(password: str) -> bool:
    """Add the user ``root`` with a password hash to a database without users.

    One that was renamed or removed later does not come back.

    Returns
    -------
    bool
        Whether the user was added.
    """
    with db.atomic():
        if has_users():
            return False
        organization, _ = Organization.get_or_create(name=ROOT)  # type: ignore[no-untyped-call]
        user = User.create(
            username=ROOT,
            password=password,
            firstname=ROOT,
            lastname="",
            email="root@domain.ext",
            organization=organization,
        )
        UserRole.create(user=user, role=_root_role())
    return True


def _root_role() -> Role:
    return Role.get(Role.name == "Root", Role.organization.is_null())
