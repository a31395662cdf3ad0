"""Rules and the roles that bundle them."""

from peewee import CharField, CompositeKey, ForeignKeyField, TextField
from playhouse.fields import EnumField

from vantage6.common.enums import Operation, Scope
from vantage6.models.fields import IdField
from vantage6.models.tables.base import Table
from vantage6.models.tables.organization import Organization


class Rule(Table):
    """The permission to do one operation on one kind of resource within one scope."""

    id = IdField()
    #: The resource.
    name = CharField(max_length=32)
    operation = EnumField(Operation, max_length=16)
    scope = EnumField(Scope, max_length=16)
    description = CharField()

    class Meta:
        """Each rule once."""

        indexes = ((("name", "operation", "scope"), True),)


class Role(Table):
    """A named set of rules, of one organization or server-wide."""

    id = IdField()
    name = CharField(index=True)
    description = TextField(default="")
    organization = ForeignKeyField(Organization, null=True, backref="roles", on_delete="CASCADE")
    organization_id: int | None


class RoleRule(Table):
    """A rule is in a role."""

    role = ForeignKeyField(Role, backref="role_rules", on_delete="CASCADE")
    rule = ForeignKeyField(Rule, backref="role_rules", on_delete="CASCADE")

    class Meta:
        """Each pair once."""

        primary_key = CompositeKey("role", "rule")
