"""Data stations."""

from peewee import CharField, ForeignKeyField, IntegerField

from vantage6.models.fields import IdField, UtcDateTimeField
from vantage6.models.tables.base import Table
from vantage6.models.tables.organization import Collaboration, Organization


class Node(Table):
    """The agent of one organization in one collaboration."""

    id = IdField()
    name = CharField(null=True)
    #: SHA-256 of the API key in hex. The keys are random, so a fast hash is enough and can be
    #: looked up.
    api_key = CharField(max_length=64, null=True, unique=True)
    organization = ForeignKeyField(Organization, backref="nodes", on_delete="RESTRICT")
    organization_id: int
    collaboration = ForeignKeyField(Collaboration, null=True, backref="nodes", on_delete="SET NULL")
    collaboration_id: int | None
    #: Address within the VPN.
    ip = CharField(null=True)
    last_seen = UtcDateTimeField(null=True)
    #: Tokens that were signed before are void, those of its algorithms too.
    tokens_valid_from = UtcDateTimeField(null=True)
    #: The session of the one process that computes for it; None while none does.
    working_session = IntegerField(null=True)
    #: When and from where another process was refused that logged in with the same key.
    refused_at = UtcDateTimeField(null=True)
    refused_address = CharField(max_length=64, null=True)

    class Meta:
        """An organization has at most one node in a collaboration."""

        indexes = ((("organization", "collaboration"), True),)


class NodeConfig(Table):
    """Something that a node tells about its configuration; a key may have several values."""

    id = IdField()
    node = ForeignKeyField(Node, backref="config", on_delete="CASCADE")
    node_id: int
    key = CharField(max_length=64)
    value = CharField()
