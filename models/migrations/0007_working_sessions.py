"""One process computes for a node, by its session."""

from typing import Any

from peewee import CharField, IntegerField

from vantage6.models.fields import UtcDateTimeField


def up(migrator: Any, db: Any) -> None:
    migrator.migrate(
        migrator.add_column("node", "working_session", IntegerField(null=True)),
        migrator.add_column("node", "refused_at", UtcDateTimeField(null=True)),
        migrator.add_column("node", "refused_address", CharField(max_length=64, null=True)),
        migrator.add_column("session", "instance", CharField(max_length=64, null=True)),
        migrator.add_column("session", "process", CharField(max_length=64, null=True)),
    )


def down(migrator: Any, db: Any) -> None:
    migrator.migrate(
        migrator.drop_column("session", "process"),
        migrator.drop_column("session", "instance"),
        migrator.drop_column("node", "refused_address"),
        migrator.drop_column("node", "refused_at"),
        migrator.drop_column("node", "working_session"),
    )
