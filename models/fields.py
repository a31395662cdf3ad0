"""Column types that behave alike on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

from peewee import SQL, AutoField, Database, DateTimeField, NodeList, SqliteDatabase

from vantage6.models.database import db


class IdField(AutoField):
    """A primary key whose numbers are never used twice.

    SECURITY: a token names its holder by number, so a number must not pass to a newcomer. SQLite
    reuses the highest number after a deletion unless the column says AUTOINCREMENT.
    """

    def ddl(self, ctx: Any) -> NodeList:
        """Return the column definition."""
        nodes: NodeList = super().ddl(ctx)
        return NodeList((nodes, SQL("AUTOINCREMENT"))) if is_sqlite(db.obj) else nodes


class UtcDateTimeField(DateTimeField):
    """An aware moment in UTC, stored naive so that both engines keep it unchanged."""

    def db_value(self, value: Any) -> Any:
        """Return the naive moment to store; naive input is refused."""
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise ValueError("a time without zone cannot be stored")
            value = value.astimezone(UTC).replace(tzinfo=None)
        return super().db_value(value)  # type: ignore[no-untyped-call]

    def python_value(self, value: Any) -> Any:
        """Return the stored moment, aware."""
        value = super().python_value(value)  # type: ignore[no-untyped-call]
        return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def is_sqlite(database: Database | None) -> bool:
    """Tell whether a database is SQLite."""
    return isinstance(database, SqliteDatabase)
