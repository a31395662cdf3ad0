"""What has been decided and must still be said."""

from peewee import CharField, IntegerField, TextField

from vantage6.common.clock import now
from vantage6.models.fields import IdField, UtcDateTimeField
from vantage6.models.tables.base import Table


class Outbox(Table):
    """A message that is written in the transaction it tells of, and deleted once it is sent."""

    id = IdField()
    #: What happened; one of `vantage6.models.store.outbox.Topic`.
    topic = CharField(max_length=32)
    #: JSON.
    content = TextField()
    attempts = IntegerField(default=0)
    available_at = UtcDateTimeField(default=now, index=True)
    error = TextField(null=True)
    #: None in rows of older versions.
    written_at = UtcDateTimeField(null=True, default=now)
    #: The request that wrote it, where it was one.
    request_id = CharField(max_length=64, null=True)
