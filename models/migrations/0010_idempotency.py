"""Requests that are sent again get their first answer."""

from typing import Any

from peewee import CharField, Model, SmallIntegerField, TextField

from vantage6.models.fields import UtcDateTimeField


def up(migrator: Any, db: Any) -> None:
    class IdempotencyKey(Model):
        digest = CharField(max_length=64, primary_key=True)
        request = CharField(max_length=64)
        status = SmallIntegerField()
        answer = TextField()
        created_at = UtcDateTimeField(index=True)

        class Meta:
            database = db
            table_name = "idempotency_key"

    db.create_tables([IdempotencyKey])


def down(migrator: Any, db: Any) -> None:
    migrator.migrate(migrator.drop_table("idempotency_key"))
