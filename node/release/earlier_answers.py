"""What a station has answered: so that no two answers tell of a few records by their difference.

All of it is in one SQLite file in the node's data folder, closed to all other accounts. It holds
counts of records, so it is as confidential as an output.
"""

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_FILE = "earlier_answers.sqlite3"
_WAIT_SECONDS = 30.0
#: Different counts of one requester about one version of the data. More are refused: an old count
#: that is forgotten could be differenced.
MOST_COUNTS = 100_000
#: Versions of one database whose counts are kept.
MOST_VERSIONS = 20

_TABLES = """
CREATE TABLE IF NOT EXISTS counts (
    asker TEXT NOT NULL, database TEXT NOT NULL, version TEXT NOT NULL, subject TEXT NOT NULL,
    place TEXT NOT NULL, count INTEGER NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (asker, database, version, subject, place, count)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS counts_by_version ON counts (database, version);
"""


#: What passes as errors of a disk do: it is full or fails, or others have the file.
_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
    }
)


class TooManyAnswers(Exception):
    """So many counts are known of a requester that no further one is compared."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that is about to leave."""

    #: The organization that asks.
    requester: str
    #: Label of the database, and its version; empty where the node cannot tell versions apart.
    database: str
    version: str
    #: Function and columns: answers about the same subject are compared.
    subject: str
    #: Place in the answer -> count of records.
    counts: Mapping[str, int] = field(default_factory=dict)


class EarlierAnswers:
    """Counts in the answers of one node. Safe for threads and processes.

    Parameters
    ----------
    folder
        Of everything that the node writes.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE

    def admit(self, answered: Answered, cell: int) -> bool:
        """Remember the counts of an answer, unless they are too close to earlier ones.

        Parameters
        ----------
        answered
            What is about to leave.
        cell
            Counts that differ by 1 to one less than this are too close.

        Returns
        -------
        bool
            Whether the answer may leave. It is on disk then.

        Raises
        ------
        TooManyAnswers
            If too many counts are known to remember them.
        OSError
            If the file cannot be read or written now, as on a full disk.
        """
        key = (answered.requester, answered.database, answered.version)
        with self._change() as connection:
            for place, count in answered.counts.items():
                # SECURITY: also with counts of answers that did not arrive: a repeat finds its own.
                near = connection.execute(
                    "SELECT 1 FROM counts WHERE asker = ? AND database = ? AND version = ?"
                    " AND subject = ? AND place = ? AND count > ? AND count < ? AND count != ?",
                    (*key, answered.subject, place, count - cell, count + cell, count),
                ).fetchone()
                if near is not None:
                    return False
            connection.executemany(
                "INSERT OR IGNORE INTO counts VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(*key, answered.subject, p, n, time.time()) for p, n in answered.counts.items()],
            )
            (known,) = connection.execute(
                "SELECT count(*) FROM counts WHERE asker = ? AND database = ? AND version = ?", key
            ).fetchone()
            if known > MOST_COUNTS:
                raise TooManyAnswers
            self._forget_versions(connection, answered)
        return True

    def _forget_versions(self, connection: sqlite3.Connection, answered: Answered) -> None:
        """Keep the counts of the latest versions of a database."""
        versions = connection.execute(
            "SELECT version FROM counts WHERE database = ? GROUP BY version ORDER BY max(at) DESC",
            (answered.database,),
        ).fetchall()
        for (version,) in versions[MOST_VERSIONS:]:
            connection.execute(
                "DELETE FROM counts WHERE database = ? AND version = ?",
                (answered.database, version),
            )

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection in a transaction that has the file to itself.

        SECURITY: of two questions at the same time, one sees the counts of the other.
        """
        with _errors_that_pass(), closing(self._open()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # SQLite has ended it already where the disk is full.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _open(self) -> sqlite3.Connection:
        # SECURITY: made closed to others before SQLite writes into it.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
        connection = sqlite3.connect(self._path, timeout=_WAIT_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(_TABLES)
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def _errors_that_pass() -> Iterator[None]:
    """Raise what SQLite says of a disk as `OSError`, for which the node waits."""
    try:
        yield
    except sqlite3.OperationalError as error:
        # The lowest byte is the kind of error.
        if error.sqlite_errorcode & 0xFF in _PASSING:
            raise OSError(f"earlier answers not readable now: {error}") from error
        raise
