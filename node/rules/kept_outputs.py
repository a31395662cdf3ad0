"""Copies of what left the station, for people who want to look at it again.

SECURITY: a copy is as confidential as the data: closed to all other accounts, bounded in time and
size, and only where the station asks for it.
"""

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from vantage6.common import logs
from vantage6.common.config.node import NodeConfig

log = logs.get(__name__)

_FOLDER = "released"
_DAY_SECONDS = 86_400
KINDS = ("output", "log")
#: A copy, or one that is being written.
_NAME = re.compile(rf"[0-9]+\.({'|'.join(KINDS)})(\.new)?")


def copy_of(folder: Path, result_id: int, kind: str) -> Path:
    """Return where a copy is, if there is one.

    Parameters
    ----------
    folder
        Of everything that the node writes.
    result_id, kind
        The result, and `output` or `log`.
    """
    return folder / _FOLDER / f"{result_id}.{kind}"


class KeptOutputs:
    """The copies of one node.

    Parameters
    ----------
    config
        For how long they are kept, and how much in all.
    folder
        Of everything that the node writes.
    """

    def __init__(self, config: NodeConfig, folder: Path) -> None:
        self._folder = folder
        self._days = config.keep_outputs_days
        self._most = config.keep_outputs_bytes

    def keep(self, result_id: int, output: bytes, log_: bytes) -> None:
        """Keep a copy of what is about to leave; without room, only the log of the node says so."""
        if self._days is None:
            return
        try:
            (self._folder / _FOLDER).mkdir(mode=0o700, exist_ok=True)
            for kind, content in zip(KINDS, (output, log_), strict=True):
                if len(content) > self._most:
                    log.warning("no copy: larger than `keep_outputs_bytes`", result_id=result_id)
                elif content:
                    self._write(copy_of(self._folder, result_id, kind), content)
            self.prune()
        except OSError as error:
            log.warning("no copy of what left was kept", result_id=result_id, reason=str(error))

    def prune(self) -> None:
        """Remove copies that are too old, and the oldest ones of too much."""
        oldest = time.time() - (self._days or 0) * _DAY_SECONDS
        left = self._most
        for found, modified, size in sorted(self._files(), key=lambda one: -one[1]):
            left -= size
            if modified < oldest or left < 0:
                with suppress(FileNotFoundError):
                    found.unlink()

    def _files(self) -> Iterator[tuple[Path, float, int]]:
        with suppress(FileNotFoundError):
            for found in os.scandir(self._folder / _FOLDER):
                if not _NAME.fullmatch(found.name):
                    continue  # somebody else's
                with suppress(FileNotFoundError):
                    details = found.stat(follow_symlinks=False)
                    yield Path(found.path), details.st_mtime, details.st_size

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        new = path.with_suffix(f"{path.suffix}.new")
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            new.replace(path)
        except OSError:
            new.unlink(missing_ok=True)
            raise
