"""A backup is consistent while others write, closed to them, and brings everything back."""

import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.api.commands.conftest import Operator
from tests.api.conftest import configured
from tests.models.factories import finish, make_task, make_user, make_world
from vantage6.api.identity.tokens import Tokens
from vantage6.common.config import Instance
from vantage6.models import copies, database, migrate, seals
from vantage6.models.database import db
from vantage6.models.store import results, second_factors, tasks, users
from vantage6.models.tables import Organization, Payload, Result, Run, Task
from vantage6.sandbox.federation import AS_PROCESSES, Federation
from vantage6.server import archive


@pytest.fixture
def operator(operator: Operator) -> Operator:
    """Give an operator of a server with a finished and an unfinished result."""
    operator.does("migrate")
    Tokens.from_config(operator.instance.config, operator.instance.folder)
    with operator.connected():
        world = make_world()
        task = make_task(world.north, [world.amsterdam, world.berlin])
        first, second = tasks.results_of([task.id])[task.id]
        finish(first, world.amsterdam_north, result="x" * 3_000_000)
        results.claim(second.id, world.berlin_north, 180)
    return operator


@pytest.fixture
def other(operator: Operator, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Operator]:
    """Give the operator of a new server with a database of the same kind."""
    with ExitStack() as stack:
        uri = f"sqlite:///{tmp_path / 'other.sqlite'}"
        if operator.instance.config.uri.startswith("postgres"):
            uri = stack.enter_context(request.getfixturevalue("postgres").database())
        file = tmp_path / "other.yaml"
        file.write_text(operator.instance.file.read_text())
        data = str(tmp_path / "other")
        yield Operator(configured(Instance.load(file), uri=uri, data_dir=data))


def contents(operator: Operator) -> dict[str, Any]:
    with operator.connected():
        return {
            name: sorted(db.execute_sql(f'SELECT * FROM "{name}"').fetchall(), key=str)
            for name in db.get_tables()
            if name != "sqlite_sequence"
        }


def test_everything_comes_back_on_a_new_server(operator: Operator, other: Operator, tmp_path: Path):
    file = tmp_path / "backup.zip"
    operator.does("backup", file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert "Restored" in other.does("restore", file)
    assert contents(other) == contents(operator)
    key = other.instance.folder / "jwt.key"
    assert key.read_text() == (operator.instance.folder / "jwt.key").read_text()
    assert key.stat().st_mode & 0o777 == 0o600
    with other.connected():
        assert migrate.drift() == ""


def test_the_key_of_what_is_sealed_comes_back(operator: Operator, other: Operator, tmp_path: Path):
    file, secret = tmp_path / "backup.zip", "S" * 32
    with operator.connected():
        user = make_user(Organization.get(), username="ada")
        second_factors.propose(user, secret)
    operator.does("backup", file)
    other.does("restore", file)
    with other.connected():
        assert second_factors.secret_of(users.find_by_name("ada")) == secret
    key = other.instance.folder / seals.KEY_FILE
    assert key.stat().st_mode & 0o777 == 0o600


def test_nothing_gets_a_number_that_was_given_out_after_the_backup(
    operator: Operator, tmp_path: Path
):
    file = tmp_path / "backup.zip"
    operator.does("backup", file)
    with operator.connected():
        late = {"run": Run.create().id, "organization": Organization.create(name="late").id}
    operator.does("restore", file, "--force")
    with operator.connected():
        assert Run.create().id >= late["run"] + copies.GAP - 1
        assert Organization.create(name="new").id >= late["organization"] + copies.GAP - 1


def test_a_backup_is_of_one_moment(operator: Operator, other: Operator, tmp_path: Path):
    stop, written = threading.Event(), []

    def write() -> None:
        with database.session():
            while not stop.is_set():
                with db.atomic():
                    written.append(Run.create().id)
                    Organization.create(name=f"of run {written[-1]}")

    with operator.connected():
        writer = threading.Thread(target=write)
        writer.start()
        try:
            while len(written) < 5:
                pass
            # Not the command, which would bind the database anew under the writer.
            copies.write(tmp_path / "copy")
            during = len(written)
            tables = db.get_tables()
            while len(written) < during + 5:
                pass
        finally:
            stop.set()
            writer.join(30)
    other.instance.folder.mkdir(parents=True)
    with other.connected():
        copies.read(tmp_path / "copy", tables)
        runs = {row.id for row in Run.select()} & set(written)
        named = {
            int(row.name.split()[-1])
            for row in Organization.select()
            if row.name.startswith("of run")
        }
        assert runs == named
        assert 5 <= len(runs) <= during + 1


def test_what_is_there_is_not_overwritten(operator: Operator, other: Operator, tmp_path: Path):
    file = tmp_path / "backup.zip"
    operator.does("backup", file)
    assert "exists already" in operator.refused("backup", file, code=12)
    assert "--force" in operator.refused("restore", file, code=12)
    other.does("migrate")
    other.refused("restore", file, code=12)
    other.does("restore", file, "--force")
    assert contents(other) == contents(operator)


def test_tables_of_a_newer_version_go(operator: Operator, other: Operator, tmp_path: Path):
    file = tmp_path / "backup.zip"
    operator.does("backup", file)
    other.does("migrate")
    with other.connected():
        db.execute_sql("CREATE TABLE later (id INTEGER REFERENCES account (id))")
    other.does("restore", file, "--force")
    with other.connected():
        assert "later" not in db.get_tables()


def test_an_older_backup_is_migrated_afterwards(
    operator: Operator, other: Operator, tmp_path: Path
):
    operator.does("migrate", "--to", "0001", "--yes")
    file = tmp_path / "backup.zip"
    with operator.connected():
        archive.write(operator.instance, file)
    other.does("restore", file)
    assert "Applied 0002" in other.does("migrate")
    with other.connected():
        assert Payload.select().where(Payload.kind == "result").count() == 1
        assert Result.select().count() == 2
        assert migrate.drift() == ""


def changed(file: Path, **about: Any) -> Path:
    """Write a backup that says something else about itself."""
    target = file.with_name("changed.zip")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "about.json":
                content = json.dumps(json.loads(content) | about).encode()
            new.writestr(name, content)
    return target


@pytest.mark.parametrize(
    ("about", "said", "code"),
    [
        ({"migrations": ["9999_later"]}, "of a newer version", 12),
        ({"format": 2}, "of a newer version", 1),
        ({"engine": "mysql"}, "of a mysql database", 12),
        ({"colour": "red"}, "no backup", 1),
    ],
)
def test_what_does_not_fit_is_refused(
    operator: Operator, other: Operator, tmp_path: Path, about: Any, said: str, code: int
):
    operator.does("backup", tmp_path / "backup.zip")
    file = changed(tmp_path / "backup.zip", **about)
    assert said in other.refused("restore", file, code=code)
    with other.connected():
        assert copies.is_empty()


def test_damage_is_noticed(operator: Operator, other: Operator, tmp_path: Path):
    file = tmp_path / "backup.zip"
    operator.does("backup", file)
    before = contents(operator)
    whole = file.read_bytes()
    # In the middle lies the database, compressed: some damage breaks that, some only its sum.
    for place in range(len(whole) // 3, len(whole) * 2 // 3, len(whole) // 30):
        data = bytearray(whole)
        data[place] ^= 255
        file.write_bytes(data)
        assert "damaged" in operator.refused("restore", file, "--force")
    file.write_bytes(b"something else")
    assert "no backup" in operator.refused("restore", file, "--force")
    assert contents(operator) == before


def test_a_database_in_use_is_not_replaced(
    operator: Operator, tmp_path: Path, request: pytest.FixtureRequest
):
    if not operator.instance.config.uri.startswith("postgres"):
        pytest.skip("only PostgreSQL can tell")
    file = tmp_path / "backup.zip"
    operator.does("backup", file)
    with psycopg.connect(operator.instance.config.uri):
        assert "connected" in operator.refused("restore", file, "--force", code=12)


def test_missing_programs_are_named(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    if not operator.instance.config.uri.startswith("postgres"):
        pytest.skip("SQLite needs none")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "pg_dump is not here" in operator.refused("backup", tmp_path / "backup.zip", code=10)
    assert not (tmp_path / "backup.zip").exists()


# A whole deployment


@pytest.fixture
def uris(
    empty_uri: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[str, str]]:
    """Give the URIs of two databases of one kind."""
    with ExitStack() as stack:
        second = f"sqlite:///{tmp_path / 'second.sqlite'}"
        if empty_uri.startswith("postgres"):
            second = stack.enter_context(request.getfixturevalue("postgres").database())
        yield empty_uri, second


@pytest.mark.slow
def test_a_deployment_is_restored_with_what_ran(uris: tuple[str, str], tmp_path: Path):
    ages = {"alpha": [45, 62], "beta": [28, 39]}
    settings = {"flower": None, "uri": uris[0], "lease_seconds": 20}
    old = Federation(tmp_path / "old", ages, AS_PROCESSES, encrypted=True, settings=settings)
    file = tmp_path / "backup.zip"
    stop, sent = threading.Event(), []
    try:
        old.start()
        with closing(old.client()) as client:
            done = old.send(client, ["alpha", "beta"], "master")
            before = {name: found["result"] for name, found in old.results(client, done).items()}

            def load() -> None:
                while not stop.is_set():
                    # Without sub-tasks: one that was sent after the backup is forgotten, and the
                    # algorithm that waits for it fails.
                    sent.append(old.send(client, ["alpha", "beta"], "average_partial"))

            sender = threading.Thread(target=load)
            sender.start()
            try:
                while len(sent) < 3:
                    stop.wait(0.05)
                Operator(Instance.load(old.server_file)).does("backup", file)
            finally:
                stop.set()
                sender.join(60)
        old.stop_server()
        # The same address, as after a move to another machine; the nodes run on.
        new = configured(
            Instance.load(old.server_file), data_dir=str(tmp_path / "new"), uri=uris[1]
        )
        Operator(new).does("restore", file)
        old.start_server()
        old.wait_until_ready()
        with closing(old.client()) as client:
            found = old.results(client, done)
            assert {name: one["result"] for name, one in found.items()} == before
            kept = {task["id"] for task in client.task.list(per_page=250)["data"]} & set(sent)
            assert kept
            # What ran when the backup was made comes to its end.
            for task in kept:
                states = {one["status"] for one in old.results(client, task, 240).values()}
                assert states == {"completed"}
            # And what is new works.
            after = old.send(client, ["alpha", "beta"], "master")
            assert {name: one["result"] for name, one in old.results(client, after).items()}
            assert after > max(sent)
    finally:
        stop.set()
        old.stop()
    with Operator(new).connected():
        assert Task.select().count() >= len(kept) + 2
