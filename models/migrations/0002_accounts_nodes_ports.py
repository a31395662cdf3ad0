"""Second factors, recovery, what nodes tell, ports; organizations get names of their own."""

from typing import Any

from peewee import CharField, ForeignKeyField, IntegerField, Model

from vantage6.models.fields import IdField, UtcDateTimeField, is_sqlite


def up(migrator: Any, db: Any) -> None:
    class Node(Model):
        id = IdField()

        class Meta:
            database = db
            table_name = "node"

    class Result(Model):
        id = IdField()

        class Meta:
            database = db
            table_name = "result"

    class User(Model):
        id = IdField()

        class Meta:
            database = db
            table_name = "account"

    class AlgorithmPort(Model):
        id = IdField()
        port = IntegerField()
        label = CharField(null=True)
        result = ForeignKeyField(Result, on_delete="CASCADE")

        class Meta:
            database = db
            table_name = "algorithm_port"

    class NodeConfig(Model):
        id = IdField()
        node = ForeignKeyField(Node, on_delete="CASCADE")
        key = CharField(max_length=64)
        value = CharField()

        class Meta:
            database = db
            table_name = "node_config"

    class RecoveryToken(Model):
        id = IdField()
        user = ForeignKeyField(User, on_delete="CASCADE")
        purpose = CharField(max_length=16)
        token = CharField(unique=True, max_length=64)
        expires_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "recovery_token"

    db.create_tables([AlgorithmPort, NodeConfig, RecoveryToken])
    # PERF: what is encrypted cannot be compressed, but PostgreSQL would try.
    _store_payloads(db, "EXTERNAL")
    migrator.migrate(
        migrator.add_column("account", "tokens_valid_from", UtcDateTimeField(null=True)),
        migrator.add_column("account", "otp_secret", CharField(null=True, max_length=32)),
        migrator.add_column("account", "otp_last_step", IntegerField(null=True)),
        migrator.drop_index("organization", "organization_name"),
    )
    # Of several organizations with one name, the oldest keeps it.
    db.execute_sql(
        "UPDATE organization SET name = name || ' (' || id || ')' "
        "WHERE id NOT IN (SELECT MIN(id) FROM organization GROUP BY name)"
    )
    migrator.migrate(migrator.add_index("organization", ("name",), unique=True))


def down(migrator: Any, db: Any) -> None:
    _store_payloads(db, "EXTENDED")
    migrator.migrate(
        migrator.drop_index("organization", "organization_name"),
        migrator.add_index("organization", ("name",)),
        migrator.drop_column("account", "otp_last_step"),
        migrator.drop_column("account", "otp_secret"),
        migrator.drop_column("account", "tokens_valid_from"),
    )
    for table in ("recovery_token", "node_config", "algorithm_port"):
        db.execute_sql(f'DROP TABLE "{table}"')


def _store_payloads(db: Any, way: str) -> None:
    """Say how PostgreSQL keeps payloads from now on; SQLite knows one way."""
    if not is_sqlite(db):
        db.execute_sql(f"ALTER TABLE payload ALTER COLUMN content SET STORAGE {way}")
