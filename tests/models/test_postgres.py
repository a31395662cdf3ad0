"""A pooled connection to PostgreSQL is handed out without asking the server, unless it died."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.services.postgres import PostgresCluster
from vantage6.models import database
from vantage6.models.database import db


@pytest.fixture
def uri(postgres: PostgresCluster, tmp_path: Path) -> Iterator[str]:
    """Give the address of the database that is bound."""
    with postgres.database() as uri:
        database.bind(uri, folder=tmp_path)
        yield uri
        database.dispose()


def _pid_of_a_session() -> int:
    with database.session():
        pid: int = db.execute_sql("SELECT pg_backend_pid()").fetchone()[0]
        return pid


def test_the_server_is_not_asked_whether_an_idle_connection_lives(uri: str):
    pid = _pid_of_a_session()
    with psycopg.connect(uri, autocommit=True) as other:
        for _ in range(3):
            with database.session():
                pass
        last = other.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [pid])
        assert last.fetchone() == ("SELECT pg_backend_pid()",)
    assert _pid_of_a_session() == pid


def test_a_connection_that_the_server_closed_is_replaced(uri: str):
    pid = _pid_of_a_session()
    with psycopg.connect(uri, autocommit=True) as other:
        assert other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)
    assert _pid_of_a_session() != pid


def test_a_notice_to_an_idle_connection_does_not_end_it(uri: str):
    with database.session():
        db.execute_sql("LISTEN news")
        pid = db.execute_sql("SELECT pg_backend_pid()").fetchone()[0]
    with psycopg.connect(uri, autocommit=True) as other:
        other.execute("NOTIFY news")
    assert _pid_of_a_session() == pid
