"""Writers of SQLite stand in line, and nothing that happens to one keeps the others waiting."""

import fcntl
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import peewee
import pytest

from tests.models.factories import World, make_world, migrated, side_by_side
from vantage6.models import database, sqlite
from vantage6.models.database import db
from vantage6.models.tables import Organization, Result

#: A process that begins to write, says so, and never ends by itself.
WRITER = """
import sys, time
from pathlib import Path
from vantage6.models import database
database.bind("sqlite:///" + sys.argv[1], folder=Path("/"))
with database.session() as db, db.atomic():
    print("began", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "test.sqlite"


@pytest.fixture(autouse=True)
def world(file: Path) -> Iterator[World]:
    """Give a world in SQLite, in which nobody waits long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "PATIENCE_SECONDS", 0.3)
        database.bind(f"sqlite:///{file}", folder=file.parent)
        with migrated():
            yield make_world()


def is_free(file: Path) -> bool:
    """Tell whether nobody writes, as another process sees it."""
    with Path(f"{file}.lock").open("a") as line:
        try:
            fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def another_writer(file: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a process that is writing."""
    command = [sys.executable, "-c", WRITER, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "began\n"
            yield process
        finally:
            process.kill()


def write() -> None:
    with db.atomic():
        Organization.create(name=f"at {time.monotonic()}")


def test_a_transaction_has_the_line_from_its_begin_to_its_end(file: Path):
    with db.atomic():
        assert not is_free(file)
        with pytest.raises(ZeroDivisionError), db.atomic():
            1 / 0  # noqa: B018
        with db.atomic():
            pass
        assert not is_free(file)
    assert is_free(file)


def test_a_transaction_that_fails_frees_the_line(file: Path):
    with pytest.raises(ZeroDivisionError), db.atomic():
        1 / 0  # noqa: B018
    assert is_free(file)
    write()


def test_a_commit_that_fails_frees_the_line(file: Path):
    def refused_at_the_end() -> None:
        with db.atomic():
            db.execute_sql("PRAGMA defer_foreign_keys = 1")
            Result.create(task=999, organization=999)

    with pytest.raises(peewee.IntegrityError):
        refused_at_the_end()
    assert is_free(file)
    write()


def test_a_transaction_that_cannot_begin_frees_the_line(file: Path):
    database.close()
    with pytest.raises(peewee.InterfaceError):
        write()
    assert is_free(file)
    database.connect()
    write()


def test_a_thread_that_ends_within_a_transaction_frees_the_line(file: Path):
    def begin() -> None:
        database.connect()
        db.begin()
        db.connection().close()

    thread = threading.Thread(target=begin)
    thread.start()
    thread.join(10)
    assert is_free(file)
    write()


def is_open(connection: Any) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True


def set_aside_by_a_thread() -> Any:
    """Return the connection that a thread took and gave back open."""
    taken: list[Any] = []

    def work() -> None:
        with database.session(keep=True):
            taken.append(db.connection())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    return taken[0]


def test_a_process_that_has_done_its_work_leaves_no_connection_open() -> None:
    mine, other = db.connection(), set_aside_by_a_thread()
    assert is_open(other)
    database.dispose()
    assert not is_open(mine)
    assert not is_open(other)


def test_no_connection_stays_to_a_database_that_was_bound_before(tmp_path: Path) -> None:
    mine, other = db.connection(), set_aside_by_a_thread()
    database.bind(f"sqlite:///{tmp_path / 'next.sqlite'}", folder=tmp_path)
    assert not is_open(mine)
    assert not is_open(other)


def test_what_reads_does_not_stand_in_line(file: Path):
    with another_writer(file):
        assert Organization.select().count() == 3


def test_who_waits_in_vain_is_told_what_sqlite_says(file: Path):
    with another_writer(file):
        for vain in (write, lambda: Organization.create(name="by itself")):
            began = time.monotonic()
            with pytest.raises(peewee.OperationalError, match="database is locked"):
                vain()
            assert 0.2 < time.monotonic() - began < 10


def test_within_a_process_the_wait_ends_too(file: Path):
    with db.atomic():
        (outcome,) = side_by_side(write)
    assert "database is locked" in str(outcome)
    write()


def test_a_process_that_dies_frees_the_line(file: Path):
    with another_writer(file) as process:
        process.kill()
        process.wait(10)
        write()
    assert is_free(file)


def test_sixteen_writers_lose_nothing(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sqlite, "PATIENCE_SECONDS", 10)

    def raise_by_ten() -> None:
        for _ in range(10):
            with db.atomic():
                row = Organization.get_by_id(1)
                Organization.update(country=str(int(row.country or 0) + 1)).execute()

    assert side_by_side(*[raise_by_ten] * 16) == [None] * 16
    assert Organization.get_by_id(1).country == "160"


def modes(file: Path) -> dict[str, int]:
    """Return the rights of all files of a database."""
    return {one.suffix: one.stat().st_mode & 0o777 for one in file.parent.glob(f"{file.name}*")}


def test_nobody_else_reads_a_database_nor_what_is_beside_it(tmp_path: Path):
    file = tmp_path / "fresh" / "one.sqlite"
    before = os.umask(0o022)
    try:
        database.bind(f"sqlite:///{file}", folder=tmp_path)
        with migrated():
            make_world()
            found = modes(file)
    finally:
        os.umask(before)
    assert found == dict.fromkeys([".sqlite", ".sqlite-wal", ".sqlite-shm", ".lock"], 0o600)


def test_a_database_that_an_earlier_version_left_open_is_closed(file: Path):
    """While another process has it open, too."""
    names = [file, *(Path(f"{file}{end}") for end in (".lock", "-wal", "-shm"))]
    for name in names:
        name.chmod(0o644)
    with another_writer(file):
        pass
    assert set(modes(file).values()) == {0o600}


def test_a_further_connection_of_a_process_leaves_its_locks_as_they_are(file: Path):
    def locks() -> set[str]:
        inode = f":{file.stat().st_ino} "
        lines = Path("/proc/locks").read_text().splitlines()
        return {line.partition(":")[2] for line in lines if inode in line and "POSIX" in line}

    assert Organization.select().count()
    held = locks()
    assert held
    side_by_side(*[lambda: Organization.select().count()] * 8)
    assert held <= locks()
