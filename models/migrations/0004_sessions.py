"""Sessions, recovery codes; seeds of second factors are sealed, tokens of nodes can be revoked."""

from typing import Any

from peewee import CharField, ForeignKeyField, IntegerField, Model, TextField

from vantage6.models import seals
from vantage6.models.fields import IdField, UtcDateTimeField


def up(migrator: Any, db: Any) -> None:
    class Node(Model):
        id = IdField()

        class Meta:
            database = db
            table_name = "node"

    class User(Model):
        id = IdField()

        class Meta:
            database = db
            table_name = "account"

    class Session(Model):
        id = IdField()
        user = ForeignKeyField(User, null=True, on_delete="CASCADE")
        node = ForeignKeyField(Node, null=True, on_delete="CASCADE")
        generation = IntegerField(default=0)
        began_at = UtcDateTimeField()
        renewed_at = UtcDateTimeField()
        expires_at = UtcDateTimeField()
        address = CharField(max_length=64)
        agent = CharField(null=True)

        class Meta:
            database = db
            table_name = "session"

    class RecoveryCode(Model):
        id = IdField()
        user = ForeignKeyField(User, on_delete="CASCADE")
        code = CharField(max_length=64)

        class Meta:
            database = db
            table_name = "recovery_code"

    db.create_tables([Session, RecoveryCode])
    migrator.migrate(
        migrator.add_column("node", "tokens_valid_from", UtcDateTimeField(null=True)),
        migrator.add_column("account", "otp_sealed", TextField(null=True)),
    )
    _rewrite(db, "otp_secret", "otp_sealed", seals.seal)
    migrator.migrate(migrator.drop_column("account", "otp_secret"))


def down(migrator: Any, db: Any) -> None:
    secret = CharField(null=True, max_length=32)
    migrator.migrate(migrator.add_column("account", "otp_secret", secret))
    _rewrite(db, "otp_sealed", "otp_secret", seals.unseal)
    migrator.migrate(
        migrator.drop_column("account", "otp_sealed"),
        migrator.drop_column("node", "tokens_valid_from"),
    )
    for table in ("recovery_code", "session"):
        db.execute_sql(f'DROP TABLE "{table}"')


def _rewrite(db: Any, source: str, target: str, change: Any) -> None:
    query = f"SELECT id, {source} FROM account WHERE {source} IS NOT NULL"  # noqa: S608
    for id_, text in db.execute_sql(query).fetchall():
        mark = db.param
        db.execute_sql(
            f"UPDATE account SET {target} = {mark} WHERE id = {mark}",  # noqa: S608
            (change(text), id_),
        )
