"""The schema is the same on both databases, and keeps what the code relies on."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import peewee
import pytest

from tests.models.factories import (
    World,
    make_task,
    make_user,
    side_by_side,
)
from vantage6.common.clock import now
from vantage6.common.errors import ConfigurationError, Invalid, Unavailable
from vantage6.models import database, migrate
from vantage6.models.database import db
from vantage6.models.fields import is_sqlite
from vantage6.models.store import collaborations, last_seen, nodes, tasks, users
from vantage6.models.tables import (
    TABLES,
    Collaboration,
    Membership,
    Node,
    Organization,
    Payload,
    Result,
    Rule,
    Task,
    User,
)
from vantage6.models.tables.user import key_of

MIGRATIONS = [
    "0001_initial",
    "0002_accounts_nodes_ports",
    "0003_watching",
    "0004_sessions",
    "0005_invitations",
    "0006_lookalikes",
    "0007_working_sessions",
    "0008_held_addresses",
    "0009_function_cards",
    "0010_idempotency",
]


@pytest.fixture
def empty(empty_uri: str, tmp_path: Path):
    """Give a connection to a database without tables."""
    database.bind(empty_uri, folder=tmp_path)
    with database.session():
        yield
    database.dispose()


def test_migrations_make_exactly_the_tables_and_can_be_taken_back(empty: None):
    assert migrate.pending() == MIGRATIONS
    assert migrate.up() == MIGRATIONS
    assert migrate.pending() == []
    assert migrate.drift() == ""
    assert {table._meta.table_name for table in TABLES} <= set(db.get_tables())
    assert migrate.down(MIGRATIONS[0]) == MIGRATIONS[::-1]
    assert not {table._meta.table_name for table in TABLES} & set(db.get_tables())
    assert migrate.drift() != ""
    assert migrate.up() == MIGRATIONS
    assert migrate.drift() == ""


def test_each_migration_can_be_taken_back_alone(empty: None):
    migrate.up()
    for name in reversed(MIGRATIONS):
        assert migrate.down() == [name]
        assert name in migrate.up()
        assert migrate.drift() == ""
        migrate.down(name)


def test_postgresql_does_not_try_to_compress_payloads(empty: None):
    if is_sqlite(db.obj):
        pytest.skip("SQLite never does")

    def storage() -> str:
        query = (
            "SELECT attstorage FROM pg_attribute WHERE attname = 'content' "
            "AND attrelid = 'payload'::regclass"
        )
        return db.execute_sql(query).fetchone()[0]

    migrate.up()
    assert storage() in ("e", b"e")
    migrate.down("0002_accounts_nodes_ports")
    assert storage() in ("x", b"x")


def test_organizations_of_one_name_are_told_apart_by_the_migration(empty: None):
    migrate.up()
    migrate.down("0002_accounts_nodes_ports")
    db.execute_sql("INSERT INTO organization (name, public_key) VALUES ('a', ''), ('a', '')")
    migrate.up()
    assert [row.name for row in Organization.select().order_by(Organization.id)] == ["a", "a (2)"]


def test_users_whose_names_look_alike_already_stay_and_keep_others_away(empty: None):
    migrate.up()
    migrate.down("0006_lookalikes")
    for name in ("Ada", "ADA", " ada"):
        User.insert(username=name, password="!").execute()
    migrate.up()
    assert migrate.drift() == ""
    assert [row.username_key for row in User.select().order_by(User.id)] == ["ada", None, None]
    assert users.find_by_name("ADA").username == "ADA"
    for name in ("ada", "aDA", "ADA"):
        with pytest.raises(Invalid, match="is taken"):
            users.require_free(username=name)
    assert {key_of(row.username) for row in User.select()} == {"ada"}


def test_migrating_twice_does_nothing(empty: None):
    migrate.up()
    assert migrate.up() == []


def test_a_missing_column_is_drift(world: World):
    db.execute_sql("ALTER TABLE node DROP COLUMN ip")
    assert "ip" in migrate.drift()


# Ids


@pytest.mark.parametrize(
    "make",
    [
        lambda world: make_user(world.amsterdam),
        lambda world: make_task(world.north, [world.amsterdam]),
        lambda world: Organization.create(name="new"),
        lambda world: Node.create(organization=world.cairo, name="new"),
    ],
    ids=["user", "task", "organization", "node"],
)
def test_ids_are_never_used_again(world: World, make):
    first = make(world)
    type(first).delete().where(type(first).id == first.id).execute()
    assert make(world).id > first.id


# Constraints


@pytest.mark.parametrize(
    "make",
    [
        lambda world: Collaboration.create(name="north"),
        lambda world: Membership.create(organization=world.berlin, collaboration=world.north),
        lambda world: Node.create(organization=world.berlin, collaboration=world.north),
        lambda world: Node.create(organization=world.cairo, api_key=world.berlin_north.api_key),
        lambda world: User.create(username="taken", password="!"),
        lambda world: User.create(username="free", password="!", email="taken@example.org"),
        lambda world: Rule.create(
            name="node", operation="VIEW", scope="GLOBAL", description="again"
        ),
        lambda world: Payload.create(result=Result.get(), kind="input", content="again"),
        lambda world: Result.create(task=Task.get(), organization=world.berlin),
        lambda world: Task.create(collaboration=999, run=1, initiator=world.berlin),
    ],
    ids=[
        "collaboration name",
        "membership",
        "node of an organization in a collaboration",
        "API key",
        "username",
        "e-mail address",
        "rule",
        "payload",
        "result of an organization",
        "foreign key",
    ],
)
def test_the_database_refuses_a_second(world: World, make):
    make_user(world.amsterdam, username="taken", email="taken@example.org")
    make_task(world.north, [world.berlin])
    with pytest.raises(peewee.IntegrityError):
        make(world)


def test_several_users_may_have_no_address(world: World):
    assert {make_user(world.amsterdam, email=None).email for _ in range(2)} == {None}


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda world: make_user(world.amsterdam, username="same", email=None), "username_taken"),
        (
            lambda world: collaborations.create("same", [world.cairo.id], encrypted=False),
            "name_taken",
        ),
        (lambda world: nodes.create(world.amsterdam, world.north), "node_exists"),
    ],
    ids=["user", "collaboration", "node"],
)
def test_of_two_at_once_one_is_refused_politely(world: World, make, code: str):
    Node.delete().where(Node.id == world.amsterdam_north.id).execute()
    outcomes = side_by_side(*[lambda: make(world)] * 4)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert len(refused) == 3
    assert {(type(error), getattr(error, "error_code", error)) for error in refused} == {
        (Invalid, code)
    }


def test_a_node_must_be_of_a_member(world: World):
    with pytest.raises(Invalid, match=r"Cairo is not a member of north\."):
        nodes.create(world.cairo, world.north)


def test_removals_take_along_what_belongs_and_keep_what_counts(world: World):
    user = make_user(world.amsterdam, "Viewer")
    task = make_task(world.north, [world.amsterdam], user=user)
    users.delete(user)
    nodes.delete(world.amsterdam_north)
    assert tasks.get(task.id).init_user_id is None
    assert Result.select().where(Result.task == task).count() == 1
    tasks.delete(task)
    assert Payload.select().count() == 0


# Times


def test_times_are_utc_on_both_databases(world: World):
    there = timezone(timedelta(hours=5))
    moment = datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=there)
    user = make_user(world.amsterdam)
    User.update(last_seen=moment).where(User.id == user.id).execute()
    (row,) = User.select().where(User.last_seen == moment)
    assert row.last_seen == moment
    assert row.last_seen.tzinfo is UTC


def test_a_time_without_zone_is_refused(world: World):
    user = make_user(world.amsterdam)
    with pytest.raises(ValueError, match="without zone"):
        User.update(last_seen=datetime(2026, 1, 2)).where(User.id == user.id).execute()  # noqa: DTZ001


def test_being_seen_is_written_once_a_minute(world: World):
    user = make_user(world.amsterdam)
    for row in (user, world.cairo_south):
        last_seen.note(row)
        first = type(row).get_by_id(row.id)
        assert now() - first.last_seen < timedelta(seconds=10)
        last_seen.note(first)
        assert type(row).get_by_id(row.id).last_seen == first.last_seen


# Connections


def test_another_kind_of_database_is_refused(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="not with 'mysql'"):
        database.bind("mysql://root:secret@localhost/x", folder=tmp_path)


def test_a_database_that_does_not_answer_is_unavailable(tmp_path: Path):
    database.bind("postgresql://nobody@127.0.0.1:1/none", folder=tmp_path)
    with pytest.raises(Unavailable, match="does not answer"):
        database.connect()
    assert not database.answers()


def test_a_relative_file_lies_in_the_folder(tmp_path: Path):
    database.bind("sqlite:///deep/er.sqlite", folder=tmp_path)
    with database.session():
        migrate.up()
    assert (tmp_path / "deep" / "er.sqlite").exists()
