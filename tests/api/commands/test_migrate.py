"""The schema goes up and down with what is in it, and never under a server of another version."""

from pathlib import Path

import pytest

from tests.api.commands.conftest import Operator
from vantage6.models import migrate
from vantage6.models.database import db
from vantage6.models.store import setup, users
from vantage6.models.tables import (
    TABLES,
    Organization,
    Payload,
    Result,
    Role,
    Rule,
    Task,
    User,
    UserRole,
    UserRule,
)
from vantage6.server.setup import set_up

_FOLDER = Path(migrate.__file__).parent / "migrations"
MIGRATIONS = sorted(path.stem for path in _FOLDER.glob("0*.py"))
FIRST, NEWEST = MIGRATIONS[0], MIGRATIONS[-1]

#: Somebody's data in a database of the first migration, in words of both engines.
OLD_DATA = """
INSERT INTO organization (name, public_key) VALUES ('A', ''), ('B', '')
INSERT INTO collaboration (name, encrypted) VALUES ('AB', '1')
INSERT INTO membership (organization_id, collaboration_id) VALUES (1, 1), (2, 1)
INSERT INTO node (name, api_key, organization_id, collaboration_id) VALUES ('n', 'k', 1, 1)
INSERT INTO account (username, password, organization_id, failed_login_attempts)
 VALUES ('ann', 'hash', 1, 2)
INSERT INTO run DEFAULT VALUES
INSERT INTO task (name, description, image, collaboration_id, run_id, initiator_id, init_user_id,
 created_at) VALUES ('t', '', 'img', 1, 1, 1, 1, '2026-01-02 03:04:05')
INSERT INTO result (task_id, organization_id, status, attempt, assigned_at)
 VALUES (1, 1, 'completed', 1, '2026-01-02 03:04:05')
INSERT INTO payload (result_id, kind, content) VALUES (1, 'result', '42')
INSERT INTO outbox (topic, content, attempts, available_at)
 VALUES ('task_created', '{"task_id": 1}', 0, '2026-01-02 03:04:05')
"""


def statements() -> list[str]:
    return OLD_DATA.strip().replace("\n ", " ").splitlines()


@pytest.fixture
def old(operator: Operator) -> Operator:
    """Give a server whose database is of the first migration, with data."""
    operator.does("migrate", "--to", FIRST)
    with operator.connected():
        for statement in statements():
            db.execute_sql(statement)
    return operator


def rows() -> dict[str, list[tuple[object, ...]]]:
    """Return what the first version keeps."""
    columns = {
        "organization": "id, name, public_key",
        "collaboration": "id, name, encrypted",
        "membership": "organization_id, collaboration_id",
        "node": "id, name, api_key, organization_id, collaboration_id",
        "account": "id, username, password, organization_id, failed_login_attempts",
        "task": "id, name, image, collaboration_id, run_id, initiator_id, init_user_id, created_at",
        "result": "id, task_id, organization_id, status, attempt, assigned_at",
        "payload": "result_id, kind, content",
    }
    return {
        table: db.execute_sql(f"SELECT {names} FROM {table} ORDER BY 1, 2").fetchall()
        for table, names in columns.items()
    }


def test_data_of_the_first_version_reach_the_newest_and_come_back(old: Operator):
    with old.connected():
        before = rows()
    said = old.does("migrate")
    assert all(f"Applied {name}" in said for name in MIGRATIONS[1:])
    with old.connected():
        assert migrate.drift() == ""
        assert rows() == before
        assert (Task.get().results[0].status, Payload.get().content) == ("completed", "42")
        assert users.find_by_name("ann").otp_secret is None
        # What the first start of the newest makes; not root, since somebody is there.
        assert Rule.select().count() > 0
        assert User.select().count() == 1
    old.does("migrate", "--to", "0001", "--yes")
    with old.connected():
        assert rows() == before
    old.does("migrate")
    with old.connected():
        assert rows() == before
        assert Result.get().task.name == "t"


def test_a_server_starts_from_a_database_of_the_first_version(old: Operator):
    assert set_up(old.instance) is False
    with old.connected():
        assert migrate.pending() == []


def test_an_upgrade_names_whose_rules_reach_less_than_before(operator: Operator):
    operator.does("migrate", "--to", "0003")
    with operator.connected():
        setup.ensure_rules()
        home = Organization.create(name="A")
        for name in ("Root", "Viewer", "Organization Admin", "Collaboration Admin"):
            user = User.insert(username=f"the {name}", password="!", organization=home).execute()
            UserRole.create(user=user, role=Role.get(Role.name == name))
        wide = Rule.get(Rule.name == "user", Rule.operation == "EDIT", Rule.scope == "GLOBAL")
        free = Rule.get(Rule.name == "task", Rule.operation == "VIEW", Rule.scope == "GLOBAL")
        for name, rule in (("helper", wide), ("auditor", free)):
            UserRule.create(
                user=User.insert(username=name, password="!", organization=home).execute(),
                rule=rule,
            )
    done = operator.run("migrate")
    (said,) = (line for line in done.output.splitlines() if "scope GLOBAL" in line)
    assert "for helper, the Collaboration Admin." in said
    # Once: nothing changes for them at the next one.
    assert "scope GLOBAL" not in operator.run("migrate").output
    assert "helper, the Collaboration Admin" in operator.run("doctor").output


def test_the_status_is_shown(old: Operator):
    shown = old.does("migrate", "--status").splitlines()
    assert shown == [f"applied  {FIRST}", *(f"pending  {name}" for name in MIGRATIONS[1:])]
    old.does("migrate")
    assert "has that migration already" in old.does("migrate")


def test_going_down_is_asked_for(operator: Operator):
    operator.does("migrate")
    said = operator.refused("migrate", "--to", FIRST, stdin="n\n")
    assert NEWEST in said
    assert f"Undone {NEWEST}" in operator.does("migrate", "--to", FIRST, stdin="y\n")


def test_an_unknown_migration_is_refused(operator: Operator):
    assert FIRST in operator.refused("migrate", "--to", "9999")


@pytest.mark.parametrize(
    "words", [("migrate",), ("migrate", "--to", FIRST), ("user", "list"), ("outbox", "dead")]
)
def test_a_database_of_a_newer_version_is_left_alone(operator: Operator, words: tuple[str, ...]):
    operator.does("migrate")
    with operator.connected():
        db.execute_sql(
            "INSERT INTO schema_migration (name, applied) "
            "VALUES ('9999_later', '2026-01-02 03:04:05')"
        )
    assert "newer version" in operator.refused(*words, code=12)
    assert "9999_later  (of a newer version)" in operator.does("migrate", "--status")
    assert "newer version" in operator.refused("start", code=12)


def test_other_commands_say_what_is_missing(old: Operator):
    said = old.refused("user", "list", code=12)
    assert f"lacks {', '.join(MIGRATIONS[1:])}. `vserver migrate`" in said


def test_all_tables_are_there_after_a_migration(operator: Operator):
    operator.does("migrate")
    with operator.connected():
        assert {table._meta.table_name for table in TABLES} <= set(db.get_tables())
        assert Organization.get().name == "root"
