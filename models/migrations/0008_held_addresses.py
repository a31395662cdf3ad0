"""A new e-mail address is held back for a day; a kind of mail is called what it is."""

from typing import Any

from peewee import CharField

from vantage6.models.fields import UtcDateTimeField

_OLD, _NEW = '"account_locked"', '"logins_failed"'


def up(migrator: Any, db: Any) -> None:
    migrator.migrate(
        migrator.add_column("account", "former_email", CharField(null=True, index=True)),
        migrator.add_column("account", "email_held_until", UtcDateTimeField(null=True)),
    )
    _rename(db, _OLD, _NEW)


def down(migrator: Any, db: Any) -> None:
    _rename(db, _NEW, _OLD)
    migrator.migrate(
        migrator.drop_column("account", "email_held_until"),
        migrator.drop_index("account", "account_former_email"),
        migrator.drop_column("account", "former_email"),
    )


def _rename(db: Any, old: str, new: str) -> None:
    """Let mails that wait in the outbox go on."""
    mark = db.param
    db.execute_sql(
        f"UPDATE outbox SET content = REPLACE(content, {mark}, {mark}) WHERE topic = 'mail'",  # noqa: S608
        (old, new),
    )
