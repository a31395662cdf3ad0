"""The connection to the database. Every table is bound to ``db``."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import peewee
from peewee import DatabaseProxy
from playhouse.pool import PooledPostgresqlDatabase

from vantage6.common.errors import ConfigurationError, Invalid, Unavailable
from vantage6.models.postgres import IdleAwarePostgres
from vantage6.models.sqlite import PATIENCE_SECONDS, QueuingSqlite

db = DatabaseProxy()

#: What is raised when the database does not answer, or did so no longer.
FAILURES = (peewee.OperationalError, peewee.InterfaceError)

#: What PostgreSQL calls two transactions that wait for each other.
_DEADLOCK = "40P01"
#: How often a transaction runs again that was broken off.
_REPETITIONS = 5

Given = ParamSpec("Given")
Result = TypeVar("Result")

#: Is told topic and id of a message of the outbox; must not raise, as all is committed by then.
Kick = Callable[[str, int], None]

#: Where the first transaction of a thread goes, which ends later than its own block.
_ENCLOSING: ContextVar[ExitStack | None] = ContextVar("enclosing", default=None)

_POSTGRES = re.compile(r"^postgres(?:ql)?(?:\+\w+)?://")


def bind(uri: str, *, folder: Path, connections: int = 16, kick: Kick | None = None) -> None:
    """Bind the tables to a database; connects to nothing yet.

    What this process holds open of the one that they were bound to before is closed.

    Parameters
    ----------
    uri
        ``sqlite:///relative.sqlite``, ``sqlite:////absolute.sqlite`` or
        ``postgresql://user:password@host:port/name``.
    folder
        Where a relative SQLite file lies, and the key for what is sealed.
    connections
        Largest number of connections of this process, for PostgreSQL.
    kick
        Has a new message of the outbox sent at once; without it the relay finds the message.

    Raises
    ------
    ConfigurationError
        If the URI is of another kind.
    """
    # After this no thread reaches those connections any more.
    if db.obj is not None:
        dispose()
    if uri.startswith("sqlite:///"):
        path = folder / uri.removeprefix("sqlite:///")
        path.parent.mkdir(parents=True, exist_ok=True)
        db.initialize(
            QueuingSqlite(
                str(path),
                # A reader that turns writer fails at once under the default lock; IMMEDIATE waits.
                lock_type="IMMEDIATE",
                autoconnect=False,
                # One thread after the other uses a connection that was set aside.
                check_same_thread=False,
                pragmas={
                    "journal_mode": "wal",
                    "foreign_keys": 1,
                    "busy_timeout": PATIENCE_SECONDS * 1000,
                    "synchronous": "normal",
                },
            )
        )
    elif _POSTGRES.match(uri):
        db.initialize(
            IdleAwarePostgres(
                _POSTGRES.sub("postgresql://", uri),
                prefer_psycopg3=True,
                max_connections=connections,
                timeout=10,
                stale_timeout=300,
                autoconnect=False,
                connect_timeout=5,
            )
        )
    else:
        raise ConfigurationError(
            "The database `uri` must start with sqlite:/// or postgresql://, "
            f"not with {uri.partition(':')[0]!r}."
        )
    # What belongs to the database is kept with it: there is one after the other in some processes.
    db.obj.folder, db.obj.kick = folder, kick


def connect() -> None:
    """Take a connection for this thread; `close` gives it back.

    Raises
    ------
    Unavailable
        If the database does not answer.
    """
    try:
        db.connect(reuse_if_open=True)
    except FAILURES as error:
        raise Unavailable("The database does not answer.") from error


@contextmanager
def session(*, keep: bool = False) -> Iterator[Any]:
    """Hold a connection, for one piece of work outside a request.

    Parameters
    ----------
    keep
        Leave it open for the next piece, unless this one fails.
    """
    connect()
    try:
        yield db
        if keep:
            release()
    finally:
        close()


def close() -> None:
    """Give the connection of this thread back."""
    if not db.is_closed():
        db.close()


def discard() -> None:
    """Close the connection of this thread for good, and with it what it keeps in memory."""
    if isinstance(db.obj, PooledPostgresqlDatabase):
        db.obj.manual_close()
    else:
        close()


def dispose() -> None:
    """Close all connections of this process that no other thread works with."""
    db.obj.close_all()


def release() -> None:
    """Give the connection of this thread back, open, for the next one that needs one."""
    if isinstance(db.obj, QueuingSqlite) and not db.in_transaction():
        db.obj.set_aside()
    else:
        close()


def for_update(query: Any, strength: str = "FOR UPDATE") -> Any:
    """Return a query that locks its rows until the transaction ends.

    SQLite needs no such lock: it has one writer at a time.
    """
    return query.for_update(strength) if db.for_update else query


def kick_after_commit(topic: str, message_id: int) -> None:
    """Have a message of the outbox sent once it is committed; at once outside of a transaction.

    A message of a savepoint that was rolled back is kicked too, so its number may be another's.
    """
    if db.kick is not None:
        db.after_commit(partial(db.kick, topic, message_id))


def answers() -> bool:
    """Tell whether the database answers at this moment."""
    try:
        connect()
        db.execute_sql("SELECT 1")
    except (Unavailable, *FAILURES):
        return False
    return True


@contextmanager
def enclose(held: ExitStack) -> Iterator[None]:
    """Let the first transaction of this thread last until a stack is closed.

    What is written meanwhile is one transaction with it. Until then nothing is locked.

    Parameters
    ----------
    held
        Closed by the piece of work that is one transaction.
    """
    before = _ENCLOSING.set(held)
    try:
        yield
    finally:
        _ENCLOSING.reset(before)


@contextmanager
def _atomic() -> Iterator[None]:
    """Open a transaction; the first one that is enclosed stays open after its block."""
    held = _ENCLOSING.get()
    if held is None or db.in_transaction():
        with db.atomic():
            yield
        return
    with ExitStack() as own:
        own.enter_context(db.atomic())
        yield
        held.push(own.pop_all())


def transaction(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Make a function one transaction, which runs again if the database broke it off.

    PostgreSQL does that to one of two that wait for each other's rows. Within a transaction the
    outermost decides.
    """

    @wraps(function)
    def whole(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        for _ in range(_REPETITIONS):
            try:
                with _atomic():
                    return function(*args, **kwargs)
            except peewee.OperationalError as error:
                cause = getattr(error, "orig", None)
                broken_off = getattr(cause, "sqlstate", None) == _DEADLOCK
                if db.in_transaction() or not broken_off:
                    raise
        with _atomic():
            return function(*args, **kwargs)

    return whole


@contextmanager
def unique(message: str, code: str) -> Iterator[None]:
    """Open a transaction; where another one just wrote the same, refuse it with this message.

    Looking first tells the usual case apart, but only a constraint tells who of two came first.
    """
    try:
        with _atomic():
            yield
    except peewee.IntegrityError as error:
        raise Invalid(message, code=code) from error
