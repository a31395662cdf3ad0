"""A limit on the time that a search takes in the database."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import peewee

from vantage6.common.errors import Invalid
from vantage6.models.database import db
from vantage6.models.fields import is_sqlite

#: A request may search for so long.
SECONDS = 2.0
#: SQLite asks whether to go on after so many of its steps; one compares a text with a pattern.
_STEPS = 1000
#: How PostgreSQL says that a statement took too long.
_CANCELED = "57014"


@contextmanager
def limited_time() -> Iterator[None]:
    """Break statements off that take too long.

    It is for reading outside of a transaction.

    Raises
    ------
    Invalid
        With code ``search_too_slow`` if one was.
    RuntimeError
        Within a transaction, whose further statements would be limited too.
    """
    if db.in_transaction():
        raise RuntimeError("a search with limited time is for outside of a transaction")
    try:
        if is_sqlite(db.obj):
            with _interrupted_sqlite():
                yield
        else:
            with db.atomic():
                # SECURITY: ends with the transaction; the next one to use the connection has none.
                db.execute_sql(f"SET LOCAL statement_timeout = {int(SECONDS * 1000)}")
                yield
    except peewee.OperationalError as error:
        if str(error) != "interrupted" and _sqlstate(error) != _CANCELED:
            raise
        raise Invalid(
            "This search takes too long. Use a shorter pattern, one percent sign less, or further "
            "filters beside it.",
            code="search_too_slow",
        ) from error


@contextmanager
def _interrupted_sqlite() -> Iterator[None]:
    connection = db.connection()
    end = time.monotonic() + SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def _sqlstate(error: Any) -> str | None:
    return getattr(getattr(error, "orig", None), "sqlstate", None)
