"""What an operator watches: the origin of messages, and how many results are open."""

from typing import Any

from peewee import CharField

from vantage6.models.fields import UtcDateTimeField


def up(migrator: Any, db: Any) -> None:
    migrator.migrate(
        migrator.add_column("outbox", "written_at", UtcDateTimeField(null=True)),
        migrator.add_column("outbox", "request_id", CharField(null=True, max_length=64)),
    )
    db.execute_sql(
        "CREATE INDEX result_open ON result (status, assigned_at) WHERE finished_at IS NULL"
    )


def down(migrator: Any, db: Any) -> None:
    db.execute_sql("DROP INDEX result_open")
    migrator.migrate(
        migrator.drop_column("outbox", "request_id"),
        migrator.drop_column("outbox", "written_at"),
    )
