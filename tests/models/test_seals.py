"""Secrets of second factors lie sealed in the database, and the key lies elsewhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.factories import World, again, make_user, make_world
from vantage6.models import database, migrate, seals
from vantage6.models.database import db
from vantage6.models.store import second_factors, setup
from vantage6.models.tables import User

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def world(database_uri: str, folder: Path) -> Iterator[World]:
    """Give a world in a database of which the key lies in the folder."""
    database.bind(database_uri, folder=folder)
    with database.session():
        migrate.up()
        setup.ensure_rules()
        yield make_world()
    database.dispose()


def stored(column: str = "otp_sealed") -> str:
    text = db.execute_sql(f"SELECT {column} FROM account WHERE {column} IS NOT NULL").fetchone()[0]
    return str(text)


def test_what_the_database_keeps_does_not_tell_the_secret(world: World, folder: Path):
    user = make_user(world.amsterdam)
    assert second_factors.propose(user, SECRET) == SECRET
    assert SECRET not in stored()
    file = folder / seals.KEY_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(file.read_text())) == 32
    assert second_factors.secret_of(again(user)) == SECRET


def test_the_same_secret_is_sealed_differently_each_time(world: World):
    assert seals.seal(SECRET) != seals.seal(SECRET)


def test_with_another_key_it_is_not_opened_but_says_so(world: World, tmp_path: Path):
    user = make_user(world.amsterdam)
    second_factors.propose(user, SECRET)
    db.obj.folder = tmp_path
    with pytest.raises(seals.CannotOpen, match="restore it from a backup"):
        second_factors.secret_of(again(user))
    User.update(otp_secret="nonsense").execute()
    with pytest.raises(seals.CannotOpen):
        second_factors.secret_of(again(user))


def test_secrets_of_an_earlier_version_are_sealed_and_opened_on_the_way_back(world: World):
    user = make_user(world.amsterdam)
    second_factors.propose(user, SECRET)
    migrate.down("0004_sessions")
    assert stored("otp_secret") == SECRET
    migrate.up()
    assert SECRET not in stored()
    assert second_factors.secret_of(again(user)) == SECRET
