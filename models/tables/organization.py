"""Organizations, the collaborations between them, and who belongs to which."""

from peewee import BooleanField, CharField, CompositeKey, ForeignKeyField, TextField

from vantage6.models.fields import IdField
from vantage6.models.tables.base import Table


class Organization(Table):
    """A hospital, a registry, a company."""

    id = IdField()
    name = CharField(unique=True)
    domain = CharField(null=True)
    address1 = CharField(null=True)
    address2 = CharField(null=True)
    zipcode = CharField(null=True)
    country = CharField(null=True)
    #: PEM text; empty where the organization does not encrypt.
    public_key = TextField(default="")


class Collaboration(Table):
    """Organizations that compute together."""

    id = IdField()
    name = CharField(unique=True)
    encrypted = BooleanField(default=False)


class Membership(Table):
    """An organization is in a collaboration."""

    organization = ForeignKeyField(Organization, backref="memberships", on_delete="CASCADE")
    organization_id: int
    collaboration = ForeignKeyField(Collaboration, backref="memberships", on_delete="CASCADE")
    collaboration_id: int

    class Meta:
        """Each pair once."""

        primary_key = CompositeKey("organization", "collaboration")
