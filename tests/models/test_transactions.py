"""A transaction that the database breaks off runs again."""

import threading
from collections.abc import Iterator
from pathlib import Path

import peewee
import pytest

from tests.models.factories import migrated, side_by_side
from tests.services.postgres import PostgresCluster
from vantage6.models import database
from vantage6.models.database import db, transaction
from vantage6.models.tables import Organization

pytestmark = pytest.mark.slow


@pytest.fixture
def pair(postgres: PostgresCluster, tmp_path: Path) -> Iterator[list[Organization]]:
    """Give two rows in PostgreSQL; SQLite has one writer at a time, so nobody waits for another."""
    with postgres.database() as uri:
        database.bind(uri, folder=tmp_path)
        with migrated():
            yield [Organization.create(name=name) for name in ("one", "other")]


def mark(row: Organization, text: str) -> None:
    Organization.update(domain=Organization.domain.concat(text)).where(
        Organization.id == row.id
    ).execute()


def crossed(pair: list[Organization]) -> list[object]:
    """Let two change both rows in opposite order, so that each waits for the other."""
    Organization.update(domain="").execute()
    met = threading.Barrier(2)
    runs: list[str] = []

    def job(rows: list[Organization], text: str) -> str:
        @transaction
        def change() -> str:
            runs.append(text)
            mark(rows[0], text)
            if runs.count(text) == 1:
                met.wait(10)
            mark(rows[1], text)
            return text

        return change()

    outcomes = side_by_side(lambda: job(pair, "a"), lambda: job(pair[::-1], "b"))
    # One of them was broken off; more often where the other one is slow.
    assert len(runs) > 2, outcomes
    return outcomes


def test_who_was_broken_off_runs_again(pair: list[Organization]):
    assert crossed(pair) == ["a", "b"]
    assert {frozenset(row.domain) for row in Organization.select()} == {frozenset("ab")}
    # Nothing of the first attempt is left.
    assert [len(row.domain) for row in Organization.select()] == [2, 2]


def test_other_failures_are_not_repeated(pair: list[Organization]):
    runs = []

    @transaction
    def fail() -> None:
        runs.append(1)
        mark(pair[0], "x")
        db.execute_sql("SELECT pg_sleep(1)")

    db.execute_sql("SET statement_timeout = 50")
    with pytest.raises(peewee.OperationalError, match="statement timeout"):
        fail()
    assert runs == [1]
    db.execute_sql("SET statement_timeout = 0")
    assert Organization.get_by_id(pair[0].id).domain is None
