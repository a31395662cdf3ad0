"""The files of a station about its requests: whole, durable, and for the account of the node alone.

Node, commands and console change them under one lock, so that a decision counts whether or not the
node runs.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vantage6.common import file_lock
from vantage6.common.durable_files import open_plain, sync_folder, write_durably
from vantage6.common.errors import Conflict, Unavailable

_NAME = "requests"
_LOCK_SECONDS = 10.0
#: Longest file that is read.
_MOST_BYTES = 4 * 2**20


class Damaged(OSError):
    """A file about requests cannot be read."""


class RequestFolder:
    """The folder of one node.

    Parameters
    ----------
    data
        The data folder of the node.
    """

    def __init__(self, data: Path) -> None:
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
                self._hand_over(file)
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
        self._hand_over(folder)
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
        content = json.dumps(value, indent=1).encode()
        if len(content) > _MOST_BYTES:
            raise Conflict(f"{path} would be too long. Revoke what is not needed any more.")
        write_durably(path, content)
        self._hand_over(path)

    def read(self, path: Path) -> Any:
        """Return the JSON of a file; None if it is not there.

        Raises
        ------
        Damaged
            If it is no JSON. SECURITY: a decision that cannot be read must not count as absent.
        """
        try:
            with open_plain(path) as file:
                content = file.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        if len(content) > _MOST_BYTES:
            raise Damaged(f"{path} is too long")
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise Damaged(f"{path} is damaged: move it away, and decide again") from error

    def remove(self, path: Path) -> None:
        """Remove a file for good; harmless if it is gone. The lock is held."""
        if path.exists():
            path.unlink()
            sync_folder(path.parent)

    def _hand_over(self, path: Path) -> None:
        """Give what root made to the account of the node, which has to read it."""
        if os.geteuid() != 0:
            return
        owner = self.path.parent.stat()
        if owner.st_uid != 0 and path.stat().st_uid == 0:
            os.chown(path, owner.st_uid, owner.st_gid)
