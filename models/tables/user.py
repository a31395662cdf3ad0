"""People who may log in, and what they may do."""

from peewee import CharField, CompositeKey, ForeignKeyField, IntegerField, TextField

from vantage6.models.fields import IdField, UtcDateTimeField
from vantage6.models.tables.base import Table
from vantage6.models.tables.organization import Organization
from vantage6.models.tables.role import Role, Rule


class User(Table):
    """A researcher or an administrator."""

    id = IdField()
    username = CharField(unique=True)
    #: argon2 hash.
    password = TextField()
    firstname = CharField(null=True)
    lastname = CharField(null=True)
    email = CharField(null=True, unique=True)
    organization = ForeignKeyField(Organization, null=True, backref="users", on_delete="RESTRICT")
    organization_id: int | None
    failed_login_attempts = IntegerField(default=0)
    last_failed_login_at = UtcDateTimeField(null=True)
    last_seen = UtcDateTimeField(null=True)

    class Meta:
        """`user` is a reserved word of SQL."""

        table_name = "account"


class UserRole(Table):
    """A user has a role."""

    user = ForeignKeyField(User, backref="user_roles", on_delete="CASCADE")
    role = ForeignKeyField(Role, backref="user_roles", on_delete="CASCADE")

    class Meta:
        """Each pair once."""

        primary_key = CompositeKey("user", "role")


class UserRule(Table):
    """A user has a rule beside those of the roles."""

    user = ForeignKeyField(User, backref="user_rules", on_delete="CASCADE")
    rule = ForeignKeyField(Rule, backref="user_rules", on_delete="CASCADE")

    class Meta:
        """Each pair once."""

        primary_key = CompositeKey("user", "rule")
