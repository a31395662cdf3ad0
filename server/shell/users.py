"""Users, roles and rules in the shell."""

from datetime import timedelta
from typing import Any

from vantage6.api.identity import passwords
from vantage6.common.clock import now
from vantage6.common.enums import Operation, Scope
from vantage6.common.errors import Invalid, NotFound
from vantage6.models import seals, tables
from vantage6.models.store import roles, users
from vantage6.server.shell.entity import Entity
from vantage6.server.shell.relations import Column, Linked, One, Owned


class Rule(Entity):
    """The permission to do one operation on one kind of resource within one scope."""

    table = tables.Rule

    name = Column("the resource", fixed=True)
    operation = Column("VIEW, EDIT, CREATE or DELETE", fixed=True)
    scope = Column("OWN, ORGANIZATION, COLLABORATION or GLOBAL", fixed=True)
    description = Column(fixed=True)
    roles = Linked("Role", tables.RoleRule, "rule", "role", "roles that have it")
    users = Linked("User", tables.UserRule, "rule", "user", "who has it beside his roles")

    @classmethod
    def get_by_(cls, name: str, scope: Any = Scope, operation: Any = Operation) -> "Rule | None":
        """Return the rule of a resource, a scope and an operation, or None.

        The class `Scope` or `Operation` itself stands for any of them: of the rules that fit, the
        one that permits least is returned.
        """
        found = [
            rule
            for rule in cls.where(cls.table.name == name)
            if scope in (Scope, rule.scope) and operation in (Operation, rule.operation)
        ]
        found.sort(key=lambda rule: (list(Scope).index(rule.scope), rule.id))
        return next(iter(found), None)

    def _summary(self) -> str:
        return f"{self.name} {self.operation} {self.scope}"


class Role(Entity):
    """A named set of rules, of one organization or server-wide."""

    table = tables.Role

    name = Column()
    description = Column()
    organization = One("Organization", "its owner; None: shared by all organizations")
    rules = Linked("Rule", tables.RoleRule, "role", "rule", "what it permits")
    users = Linked("User", tables.UserRole, "role", "user", "who has it")

    @classmethod
    def get_by_name(cls, name: str) -> "Role | None":
        """Return the first one with a name, or None."""
        return cls.first(cls.table.name == name)

    def remove(self) -> None:
        """Delete it, also from the users that have it."""
        roles.check_editable(self.row)
        roles.delete(self.row)


class User(Entity):
    """A researcher or an administrator."""

    table = tables.User

    username = Column("unique")
    password = Column("hashed when it is assigned", given=passwords.hash_password)
    firstname = Column()
    lastname = Column()
    email = Column("unique", given=lambda text: text or None)
    failed_login_attempts = Column("wrong passwords and codes since the last right one")
    last_failed_login_at = Column()
    last_seen = Column("when it was last heard of")
    otp_secret = Column(
        "secret of the second factor, sealed when it is assigned; None removes it",
        given=lambda secret: secret and seals.seal(secret),
    )
    organization = One("Organization", "where the person works")
    roles = Linked("Role", tables.UserRole, "user", "role", "sets of rules")
    rules = Linked("Rule", tables.UserRule, "user", "rule", "rules beside those of the roles")
    created_tasks = Owned("Task", "init_user", "what the person asked for")

    @classmethod
    def get_by_username(cls, username: str) -> "User":
        """Return the user with this name; it is an error if there is none."""
        return cls._only("username", username)

    @classmethod
    def get_by_email(cls, email: str) -> "User":
        """Return the user with this e-mail address; it is an error if there is none."""
        return cls._only("email", email)

    @classmethod
    def username_exists(cls, username: str) -> bool:
        """Tell whether there is one with a name."""
        return cls.exists("username", username)

    @classmethod
    def exists(cls, field: str, value: Any) -> bool:
        """Tell whether there is one with a value in a property."""
        if not isinstance(getattr(cls, field, None), Column):
            raise Invalid(f"db.User has no property {field!r}.")
        return cls.first(getattr(cls.table, field) == value) is not None

    @classmethod
    def _only(cls, field: str, value: str) -> "User":
        found = cls.first(getattr(cls.table, field) == value)
        if found is None:
            raise NotFound(f"There is no user whose {field} is {value!r}.")
        return found

    def set_password(self, password: str) -> str | None:
        """Store a new password, or return what it lacks."""
        try:
            passwords.check_policy(password)
        except Invalid as error:
            return error.message
        self.password = password
        self.save()
        return None

    def check_password(self, password: str) -> bool:
        """Tell whether a password is the right one."""
        return passwords.matches(self.row.password, password)

    def is_blocked(self, max_failed_attempts: int, inactivation_minutes: int) -> tuple[bool, int]:
        """Tell whether so many logins failed, and for how many minutes that counts.

        No account is locked: the networks that the failures come from have to wait.
        """
        until = users.failures_until(self.row, max_failed_attempts, inactivation_minutes)
        return (False, 0) if until is None else (True, -((now() - until) // timedelta(minutes=1)))

    def can(self, resource: str, scope: Scope, operation: Operation) -> bool:
        """Tell whether a rule, through a role or directly, permits something."""
        wanted = (resource, Operation(operation), Scope(scope))
        return self.id is not None and wanted in users.rules_of(self.id)

    def update(self) -> None:
        """Write the changes; with a new password or factor all sessions end."""
        if {"password", "otp_secret"} & self.row._dirty:
            self.row.tokens_valid_from = now()
        if "email" in self.row._dirty:
            self.row.former_email = self.row.email_held_until = None
        if "otp_secret" in self.row._dirty:
            self.row.otp_last_step = None
        super().update()

    def remove(self) -> None:
        """Delete it; the tasks stay, without author."""
        users.delete(self.row)

    def _summary(self) -> str:
        return str(self.username or "")
