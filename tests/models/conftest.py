"""A migrated database of either kind, and a world in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.factories import World, make_world, migrated
from vantage6.models import database


@pytest.fixture
def tables(database_uri: str, tmp_path: Path) -> Iterator[None]:
    """Give a database with all tables and rules, once with SQLite and once with PostgreSQL."""
    database.bind(database_uri, folder=tmp_path)
    with migrated():
        yield


@pytest.fixture
def world(tables: None) -> World:
    """Give organizations, collaborations and nodes."""
    return make_world()
