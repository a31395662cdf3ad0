"""New rows, many of which are written in one statement."""

from collections.abc import Mapping, Sequence
from typing import Any

from peewee import Field, Model

from vantage6.models.database import db


def insert(
    table: type[Model],
    rows: Sequence[Mapping[str, Any]],
    *,
    returning: Sequence[Field] = (),
    replacing: Sequence[Field] = (),
) -> list[tuple[Any, ...]]:
    """Add rows that all name the same fields; the other fields get their defaults.

    PERF: peewee takes longer to build this SQL than a database to run it.

    Parameters
    ----------
    table
        Where to.
    rows
        Values by the names of their fields: at least one row, and no more than a statement holds.
    returning
        Fields of which the values are returned, for each row; the database may order the rows
        as it likes.
    replacing
        Fields that tell rows apart: a row that is there already gets the new values.
    """
    meta: Any = table._meta
    fields = meta.fields
    given = list(rows[0])
    defaults = {
        name: field.default
        for name, field in fields.items()
        if field.default is not None and name not in rows[0]
    }
    parameters: list[Any] = []
    for row in rows:
        values = [row[name] for name in given]
        values += [default() if callable(default) else default for default in defaults.values()]
        parameters += [
            fields[name].db_value(value)
            for name, value in zip([*given, *defaults], values, strict=True)
        ]
    columns = [fields[name].column_name for name in (*given, *defaults)]
    into = f"{_quote(meta.table_name)} ({', '.join(map(_quote, columns))})"
    placeholders = f"({', '.join([db.param] * len(columns))})"
    # The names are those of our own tables.
    sql = f"INSERT INTO {into} VALUES {', '.join([placeholders] * len(rows))}"  # noqa: S608
    if replacing:
        key = [field.column_name for field in replacing]
        rest = [_quote(name) for name in columns if name not in key]
        new = [f"{name} = EXCLUDED.{name}" for name in rest]
        sql += f" ON CONFLICT ({', '.join(map(_quote, key))}) DO UPDATE SET {', '.join(new)}"
    if returning:
        sql += f" RETURNING {', '.join(_quote(field.column_name) for field in returning)}"
    cursor = db.execute_sql(sql, parameters)
    return list(cursor.fetchall()) if returning else []


def _quote(name: str) -> str:
    return f'"{name}"'
