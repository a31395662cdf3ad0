"""Copies of the whole database: one that is consistent while others write, and the way back."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from psycopg import pq

from vantage6.common.errors import ConfigurationError, Conflict, Unavailable
from vantage6.models.database import db
from vantage6.models.fields import is_sqlite
from vantage6.models.tables import TABLES

#: Numbers that are skipped after the way back: those after the copy were given out before.
GAP = 10_000
#: A dump of hundreds of gigabytes takes hours; one that hangs must still end.
_MOST_SECONDS = 24 * 3600


def engine() -> str:
    """Return which kind of database is bound: ``sqlite`` or ``postgresql``."""
    return "sqlite" if is_sqlite(db.obj) else "postgresql"


def write(target: Path) -> None:
    """Copy the database into a file, as it is at one moment; others may read and write meanwhile.

    Raises
    ------
    ConfigurationError
        If the programs of PostgreSQL are not here.
    Unavailable
        If the database cannot be copied.
    """
    if is_sqlite(db.obj):
        with closing(sqlite3.connect(target)) as copy:
            # In one step: a copy in several begins anew each time that somebody writes.
            db.connection().backup(copy)
        return
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")


def is_empty() -> bool:
    """Tell whether there are no tables."""
    return not db.get_tables()


def others() -> int:
    """Return how many other connections there are; SQLite cannot tell and says none."""
    if is_sqlite(db.obj):
        return 0
    query = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'"
    )
    return int(db.execute_sql(query).fetchone()[0])


def read(source: Path, tables: Sequence[str]) -> None:
    """Replace the database by a copy.

    Parameters
    ----------
    source
        The copy.
    tables
        The tables in it; others are removed.

    Raises
    ------
    ConfigurationError
        If the programs of PostgreSQL are not here.
    Unavailable
        If the database does not take it; it is then as before.
    """
    if is_sqlite(db.obj):
        with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as copy:
            copy.backup(db.connection())
    else:
        with db.atomic():
            for name in sorted(set(db.get_tables()) - set(tables)):
                db.execute_sql(f'DROP TABLE "{name}" CASCADE')
        _run(
            "pg_restore",
            *("--clean", "--if-exists", "--single-transaction", "--exit-on-error"),
            *("--no-owner", "--no-privileges", _DATABASE, str(source)),
        )
    with db.atomic():
        _skip_numbers()


#: Stands for the name of the database, which `pg_restore` wants to be told.
_DATABASE = "--dbname="


def _skip_numbers() -> None:
    """Leave a gap in all numbers.

    SECURITY: what was made after the copy is forgotten here, but not in tokens, at nodes and in
    folders that runs share; nothing new may get its number.
    """
    for table in TABLES:
        name = table._meta.table_name
        if name not in db.get_tables() or "id" not in table._meta.fields:
            continue
        if is_sqlite(db.obj):
            db.execute_sql("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = ?", (GAP, name))
        else:
            db.execute_sql(
                "SELECT setval(s, nextval(s) + %s) FROM "
                "(SELECT pg_get_serial_sequence(%s, 'id')::regclass AS s) AS sequence",
                (GAP, f'"{name}"'),
            )


def _run(program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL on the database.

    SECURITY: its password is in its environment; all users of the machine may read its arguments.
    """
    if shutil.which(program) is None:
        raise ConfigurationError(
            f"{program} is not here. Install the client programs of PostgreSQL, of the version of "
            "the database or a later one (on Debian: `apt install postgresql-client`)."
        )
    settings = {
        option.envvar.decode(): option.val.decode()
        for option in pq.Conninfo.parse(_conninfo().encode())
        if option.envvar and option.val
    }
    named = [one + settings["PGDATABASE"] if one == _DATABASE else one for one in arguments]
    done = subprocess.run(  # noqa: S603
        [program, "--no-password", *named],
        env={**os.environ, "PGCONNECT_TIMEOUT": "10", **settings},
        capture_output=True,
        text=True,
        timeout=_MOST_SECONDS,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"{program}: failed"]
        errors = [line for line in lines if "error" in line]
        raise Unavailable((errors or lines)[0])


def _conninfo() -> str:
    """Return the address of the bound PostgreSQL with its password."""
    return str(db.obj.database)


def check_copy(source: Path, *, of: str) -> None:
    """Refuse a copy of another kind of database than the bound one, or a damaged one.

    Raises
    ------
    Conflict
        If it is.
    """
    if of != engine():
        raise Conflict(f"The backup is of a {of} database; `uri` names a {engine()} one.")
    if of == "sqlite":
        try:
            with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as copy:
                sound = copy.execute("PRAGMA quick_check").fetchone()[0] == "ok"
        except sqlite3.DatabaseError:
            sound = False
        if not sound:
            raise Conflict("The database in the backup is damaged.")
