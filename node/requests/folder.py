"""The files of a station about its requests: whole, durable, and for the account of the node alone.

Node, commands and console change them under one lock, so that a decision counts whether or not the
node runs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vantage6.common import file_lock
from vantage6.common.durable_files import (
    Damaged,
    hand_over,
    read_json,
    sync_folder,
    write_json,
)
from vantage6.common.errors import Conflict, Unavailable

__all__ = ["Damaged", "RequestFolder"]

_NAME = "requests"
_LOCK_SECONDS = 10.0
#: Longest file that is read.
_MOST_BYTES = 4 * 2**20


class RequestFolder:
    """The folder of one node.

    Parameters
    ----------
    data
        The data folder of the node.
    """

    def __init__(self, data: Path) -> None:
        self._owner = data
        self.path = data / _NAME

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes and threads from changing anything.

        Raises
        ------
        Unavailable
            If another process keeps the lock.
        OSError
            If the folder cannot be used.
        """
        self.prepare(self.path)
        file = self.path / "lock"
        try:
            with file_lock.hold(file, _LOCK_SECONDS):
                hand_over(file, self._owner)
                yield
        except BlockingIOError as error:
            raise Unavailable(
                f"Another process keeps {file} locked. Repeat the command when it has ended."
            ) from error

    def prepare(self, folder: Path) -> None:
        """Make a folder for the owner alone; harmless if it is there."""
        if folder.is_dir():
            return
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        hand_over(folder, self._owner)
        sync_folder(folder.parent)

    def write(self, path: Path, value: Any) -> None:
        """Write JSON to a file below, whole or not at all. The lock is held.

        Raises
        ------
        OSError
            If it cannot be written.
        Conflict
            If it is longer than what is read.
        """
        try:
            write_json(path, value, _MOST_BYTES, owner_of=self._owner)
        except Conflict as error:
            raise Conflict(f"{error.message} Revoke what is not needed any more.") from error

    def read(self, path: Path) -> Any:
        """Return the JSON of a file; None if it is not there.

        Raises
        ------
        Damaged
            If it is no JSON. SECURITY: a decision that cannot be read must not count as absent.
        """
        try:
            return read_json(path, _MOST_BYTES)
        except Damaged as error:
            raise Damaged(f"{error}: move it away, and decide again") from error

    def remove(self, path: Path) -> None:
        """Remove a file for good; harmless if it is gone. The lock is held."""
        if path.exists():
            path.unlink()
            sync_folder(path.parent)
