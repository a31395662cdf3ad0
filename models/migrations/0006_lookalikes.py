"""Usernames that look alike are known by a text that they share."""

import unicodedata
from typing import Any

from peewee import CharField


def up(migrator: Any, db: Any) -> None:
    column = CharField(null=True)
    migrator.migrate(migrator.add_column("account", "username_key", column))
    # Of several accounts whose names look alike already, the oldest holds the text.
    seen: set[str] = set()
    for id_, name in db.execute_sql("SELECT id, username FROM account ORDER BY id").fetchall():
        key = _key(name)
        if key not in seen:
            seen.add(key)
            db.execute_sql(
                f"UPDATE account SET username_key = {db.param} WHERE id = {db.param}",  # noqa: S608
                (key, id_),
            )
    migrator.migrate(migrator.add_index("account", ("username_key",), unique=True))


def down(migrator: Any, db: Any) -> None:
    migrator.migrate(
        migrator.drop_index("account", "account_username_key"),
        migrator.drop_column("account", "username_key"),
    )


def _key(name: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(char for char in folded if unicodedata.category(char)[0] not in "CZ")[:255]
