"""What was answered to requests that may come again."""

from peewee import CharField, SmallIntegerField, TextField

from vantage6.common.clock import now
from vantage6.models.fields import UtcDateTimeField
from vantage6.models.tables.base import Table


class IdempotencyKey(Table):
    """A key that a client gave to a request, with the answer to it."""

    #: SHA-256 of caller and key.
    digest = CharField(max_length=64, primary_key=True)
    #: SHA-256 of method, path and body.
    request = CharField(max_length=64)
    status = SmallIntegerField()
    #: JSON.
    answer = TextField()
    created_at = UtcDateTimeField(default=now, index=True)
