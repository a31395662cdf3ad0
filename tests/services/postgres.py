"""A private PostgreSQL."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from tests.services import needs
from tests.services.process import Process
from vantage6.sandbox.ports import free_port

_SETTINGS = ("max_connections=100",)
#: A crash may lose the data of a test, so nothing has to reach the disk.
_FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresCluster:
    """A cluster on a free port, with any number of databases.

    Parameters
    ----------
    durable
        Bring every transaction to the disk, as users have it; tests need not wait for that.
    """

    def __init__(self, *, durable: bool = False) -> None:
        settings = _SETTINGS if durable else _SETTINGS + _FORGETFUL
        self.port = free_port()
        # PostgreSQL refuses to run as root. Not in pytest's folder, which only its user may enter.
        user = "postgres" if os.geteuid() == 0 else None
        programs = Path(needs("initdb")).resolve().parent
        self._folder = Path(tempfile.mkdtemp(prefix="v6-postgres-"))
        if user:
            shutil.chown(self._folder, user, user)
        subprocess.run(
            [
                programs / "initdb",
                *("--pgdata", self._folder / "data", "--username", "postgres", "--auth", "trust"),
                *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            timeout=120,
            user=user,
            group=user,
            extra_groups=[] if user else None,
            cwd=self._folder,
        )
        self.process = Process(
            [
                str(programs / "postgres"),
                *("-D", str(self._folder / "data"), "-h", "127.0.0.1", "-p", str(self.port)),
                *("-c", "unix_socket_directories="),
                *(word for setting in settings for word in ("-c", setting)),
            ],
            self._folder / "postgres.log",
            user=user,
        )
        self.process.wait_until(self._answers)
        self._numbers = count(1)

    def uri(self, database: str) -> str:
        """Return the URI of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self, like: str = "template1") -> Iterator[str]:
        """Create a database, give its URI, and drop it.

        Parameters
        ----------
        like
            The database of which it is a copy; by default it is empty.
        """
        name = f"test_{next(self._numbers)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._execute(statement.format(sql.Identifier(name), sql.Identifier(like)))
        yield self.uri(name)
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def stop(self) -> None:
        """Stop the cluster and remove its data."""
        self.process.stop()
        shutil.rmtree(self._folder)

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.uri("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.uri("postgres"), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
