"""SQLite whose writers stand in line."""

import fcntl
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import peewee

#: Longest wait, in seconds: in the line, and then for a writer that does not stand in it.
PATIENCE_SECONDS = 10
#: Pause between two looks at another process that writes.
_PAUSE_SECONDS = 0.001

#: How the statements begin that write by themselves, outside of a transaction.
_WRITES = ("INSERT", "UPDATE", "DELETE")


class QueuingSqlite(peewee.SqliteDatabase):
    """A database that lets one of our writers at it at a time.

    PERF: SQLite has a writer that meets another one ask again, in pauses of up to 100 ms in which
    no writer may write. Here the next one of this process is woken at once, and one process looks
    every millisecond whether another has finished.

    Nothing but speed depends on the line: SQLite itself sees to it that there is one writer.
    """

    def __init__(self, database: str, **settings: Any) -> None:
        super().__init__(database, **settings)
        self._line = _Line(Path(f"{database}.lock"))
        self._held = _Held()
        self._spare: list[Any] = []

    def set_aside(self) -> None:
        """Keep the connection of this thread open for the next one that connects.

        PERF: to open SQLite costs more than most requests. There are as many as threads that ever
        worked at once, and not as many as threads.
        """
        database: Any = self
        with database._lock:
            if not database._state.closed:
                self._spare.append(database._state.conn)
                database._state.reset()

    def close_all(self) -> None:
        """Close the connection of this thread, and those that were set aside."""
        self.close()
        database: Any = self
        with database._lock:
            spare, self._spare = self._spare, []
        for connection in spare:
            connection.close()

    def dispose(self) -> None:
        """Forget all connections without closing them, in a process that was forked."""
        super().dispose()
        self._spare = []

    def _connect(self) -> Any:
        try:
            return self._spare.pop()
        except IndexError:
            _close_to_others(self.database)
            return super()._connect()  # type: ignore[misc]

    def begin(self, lock_type: str | None = None) -> None:
        """Begin a transaction when it is this thread's turn."""
        with ExitStack() as turn:
            turn.enter_context(self._line.turn())
            super().begin(lock_type)
            self._held.turn = turn.pop_all()

    def commit(self) -> None:
        """Commit, and let the next one write; if that fails, `rollback` follows."""
        super().commit()
        self._held.turn.close()

    def rollback(self) -> None:
        """Roll back, and let the next one write."""
        try:
            super().rollback()
        finally:
            self._held.turn.close()

    def execute_sql(self, sql: str, params: Sequence[Any] | None = None) -> Any:
        """Run a statement; one that writes by itself waits for its turn."""
        alone = sql.startswith(_WRITES) and not self.in_transaction()
        with self._line.turn() if alone else nullcontext():
            return super().execute_sql(sql, params)  # type: ignore[no-untyped-call]


def _close_to_others(file: str) -> None:
    """Make a database, and the line of its writers, for this user alone.

    SECURITY: SQLite makes a file that all users may read, and gives the files beside it the same
    rights. Who may open the line can keep all writers waiting.
    """
    for name in (file, f"{file}.lock"):
        # Where it cannot be made, SQLite says why. One that is there must not be opened: to close
        # it ends all locks that this process has on it, and another process then takes the log of
        # the database away from under it.
        with suppress(OSError):
            os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    # What an earlier version left open.
    for name in (file, f"{file}.lock", f"{file}-wal", f"{file}-shm"):
        with suppress(OSError):
            if Path(name).stat().st_mode & 0o077:
                Path(name).chmod(0o600)


class _Held(threading.local):
    """The turn of the transaction of each thread. It ends with a thread that ends without it."""

    turn = ExitStack()


class _Line:
    """Where the writers wait: those of a process at a lock, the first of each at a file.

    The system opens the lock of a file when its process dies.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._first = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the turn of this thread, which ends with the context."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        if not self._first.acquire(timeout=PATIENCE_SECONDS):
            raise _busy()
        try:
            with self._file.open("a") as file:
                while not _is_locked(file.fileno()):
                    if time.monotonic() > deadline:
                        raise _busy()
                    time.sleep(_PAUSE_SECONDS)
                yield
        finally:
            self._first.release()


def _is_locked(descriptor: int) -> bool:
    # There is no lock of a file with a limit on the wait for it.
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _busy() -> peewee.OperationalError:
    """Return what SQLite raises when it has waited in vain."""
    return peewee.OperationalError("database is locked")
