"""The sketches of the station's tables: one for each version of each, made once.

SECURITY: a sketch is as confidential as its data. It stands in the node's data folder, closed to
all other accounts, and goes when the data changes.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from vantage6.common import logs
from vantage6.common.durable_files import sync_folder
from vantage6.node.databases import Database
from vantage6.node.sketch.tables import kind_of

if TYPE_CHECKING:
    from vantage6.node.sketch.sketch import Sketch

log = logs.get(__name__)

_FOLDER = "sketches"
#: Begins the name of a folder that is being filled.
_NEW = "new-"
#: Goes into each version: sketches of another form are made anew.
_FORM = 4
_MEMORY_BYTES = 2**30
#: A table that takes longer has no sketch.
_SECONDS = 900.0
#: After so long a sketch that failed is tried again: the disk was full, or the machine busy.
_AGAIN_SECONDS = 600.0
#: How often somebody who waits for a sketch looks whether to go on waiting.
_LOOK_SECONDS = 0.5


#: How many records, or people by a column, are too few.
_Few = tuple[int, str | None]


class NoSketch(Exception):
    """The data should have been compared with, and could not be."""


class Sketches:
    """All sketches of one node. Safe for threads; one process at a time.

    Parameters
    ----------
    folder
        Of everything that the node writes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _FOLDER
        self._lock = threading.Lock()
        #: One table is read at a time.
        self._turn = threading.Lock()
        self._making: dict[str, threading.Event] = {}
        #: When each that failed did so.
        self._failed: dict[str, float] = {}
        self._child: subprocess.Popen[bytes] | None = None
        self._closed = False
        for remains in self._folder.glob(f"*/{_NEW}*"):
            shutil.rmtree(remains, ignore_errors=True)

    def may_make(self, database: Database, most_bytes: int) -> bool:
        """Tell whether the node can read a database, and it is no larger than it may be."""
        path = database.path
        if path is None or kind_of(path, database.type) is None:
            return False
        with suppress(OSError):
            return path.stat().st_size <= most_bytes
        return False

    def begin(self, database: Database, cell: int, person_column: str | None = None) -> None:
        """Make the sketch of a database, unless there is one, without waiting for it."""
        with suppress(OSError):
            self._begin(database, (cell, person_column))

    def get(
        self,
        database: Database,
        cell: int,
        check: Callable[[], None],
        person_column: str | None = None,
    ) -> "Sketch":
        """Return the sketch of a database as it is now, as soon as it is made.

        Parameters
        ----------
        database
            The database, of which `may_make` is true.
        cell
            Records behind a text that are too few to be shown.
        check
            Called while it waits; what it raises ends the wait.
        person_column
            The column that names the person of a record; people count then in place of records.

        Raises
        ------
        NoSketch
            If it cannot be made.
        """
        # PERF: its libraries are large, and a node that compares nothing does without them.
        from vantage6.node.sketch.sketch import Sketch

        few = (cell, person_column)
        for is_last in (False, True):
            try:
                version, done = self._begin(database, few)
                while not done.wait(_LOOK_SECONDS):
                    check()
                return Sketch(self._folder / database.label / version)
            except (OSError, ValueError, KeyError, TypeError) as error:
                if is_last or not self._discard(database, few):
                    raise NoSketch from error
        raise NoSketch

    def close(self) -> None:
        """Make no more sketches."""
        with self._lock:
            self._closed = True
            if self._child is not None:
                self._child.kill()

    def _discard(self, database: Database, few: _Few) -> bool:
        """Remove a sketch that cannot be read, and tell whether it can be made anew."""
        try:
            name = f"{database.label}/{_version(database, few)}"
        except OSError:
            return False
        with self._lock:
            if self._closed or name in self._making or self._has_failed(name):
                return False
            shutil.rmtree(self._folder / name, ignore_errors=True)
            return not (self._folder / name).exists()

    def _has_failed(self, name: str) -> bool:
        """Tell whether a sketch failed just now; the caller holds the lock."""
        since = self._failed.get(name)
        if since is None:
            return False
        if time.monotonic() - since < _AGAIN_SECONDS:
            return True
        del self._failed[name]
        return False

    def _begin(self, database: Database, few: _Few) -> tuple[str, threading.Event]:
        version = _version(database, few)
        name = f"{database.label}/{version}"
        with self._lock:
            done = self._making.get(name)
            if done is not None:
                return version, done
            done = threading.Event()
            if self._has_failed(name) or self._closed or (self._folder / name).is_dir():
                done.set()
                return version, done
            arguments = (database, few, version, done)
            thread = threading.Thread(target=self._make, args=arguments, name="sketch", daemon=True)
            self._making[name] = done
            try:
                thread.start()
            except RuntimeError as error:
                # The machine has no thread left. No result may wait for it.
                del self._making[name]
                raise OSError(str(error)) from error
        return version, done

    def _make(self, database: Database, few: _Few, version: str, done: threading.Event) -> None:
        name, place = f"{database.label}/{version}", self._folder / database.label
        new = place / f"{_NEW}{version}"
        is_made = False
        try:
            with self._turn:
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._folder.chmod(0o700)
                shutil.rmtree(new, ignore_errors=True)
                new.mkdir(mode=0o700)
                is_made = self._read(database, new, few) and _version(database, few) == version
                if is_made:
                    new.rename(place / version)
                    sync_folder(place)
                    for other in place.iterdir():
                        if other.name != version:
                            shutil.rmtree(other, ignore_errors=True)
            if not is_made:
                log.warning("the database cannot be compared with", database=database.label)
        except OSError as error:
            log.warning("no sketch", database=database.label, reason=str(error))
        finally:
            shutil.rmtree(new, ignore_errors=True)
            with self._lock:
                if not is_made:
                    self._failed[name] = time.monotonic()
                self._making.pop(name, None)
            done.set()

    def _read(self, database: Database, folder: Path, few: _Few) -> bool:
        """Read a table in a process of its own, and tell whether that went well."""
        path = database.path
        kind = kind_of(path, database.type) if path else None
        if path is None or kind is None:
            return False
        cell, person_column = few
        words = (str(path), kind, str(folder), str(cell), str(_MEMORY_BYTES), person_column or "")
        # Threads of these libraries would take memory for each processor.
        one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        with self._lock:
            if self._closed:
                return False
            child = self._child = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "vantage6.node.sketch.sketching", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # SECURITY: what a library says of a file may be a cell of it.
                stderr=subprocess.DEVNULL,
                env={**os.environ, **one},
            )
        try:
            return child.wait(_SECONDS) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            child.kill()
            child.wait()
            with self._lock:
                self._child = None


def _version(database: Database, few: _Few) -> str:
    """Return a name for the present content of a database.

    Raises
    ------
    OSError
        If it is not there.
    """
    version = database.version()
    if not version:
        raise FileNotFoundError(database.label)
    facts = (str(database.path), database.type, version)
    return hashlib.sha256(repr((_FORM, *few, *facts)).encode()).hexdigest()[:32]
