"""Who is logged in."""

from peewee import CharField, ForeignKeyField, IntegerField

from vantage6.models.fields import IdField, UtcDateTimeField
from vantage6.models.tables.base import Table
from vantage6.models.tables.node import Node
from vantage6.models.tables.user import User


class Session(Table):
    """All tokens that follow from one login. They are void without it."""

    id = IdField()
    #: Either a user or a node.
    user = ForeignKeyField(User, null=True, backref="sessions", on_delete="CASCADE")
    user_id: int | None
    node = ForeignKeyField(Node, null=True, backref="sessions", on_delete="CASCADE")
    node_id: int | None
    #: How often the refresh token was replaced; it says so too.
    generation = IntegerField(default=0)
    began_at = UtcDateTimeField()
    renewed_at = UtcDateTimeField()
    #: When the last of its tokens expires.
    expires_at = UtcDateTimeField()
    #: Where the login came from, and what the client called itself.
    address = CharField(max_length=64)
    agent = CharField(null=True)
    #: Of a node that computes: its data folder, and its process.
    instance = CharField(max_length=64, null=True)
    process = CharField(max_length=64, null=True)
