"""Files that are whole whenever the power fails, and files that an algorithm may have touched."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def write_durably(path: Path, content: bytes) -> None:
    """Write a file that is complete on disk, or not there, whenever the power fails."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        # On a full disk, what does not fit must not keep the room that others wait for.
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Have the names in a folder on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


#: What opening answers for a link and for a socket.
_NO_FILE = frozenset({errno.ELOOP, errno.ENXIO})


class NotPlain(OSError):
    """Something stands in the place of a file: a link, a pipe, a folder."""


def open_plain(path: Path) -> BinaryIO:
    """Open a file that an algorithm may have touched.

    SECURITY: a link could point at any file of this machine and a pipe would block for ever;
    both are refused.

    Raises
    ------
    NotPlain
        If it is no plain file.
    OSError
        If it is not there, or cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise NotPlain(f"{path} is not a plain file") from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotPlain(f"{path} is not a plain file")
    return os.fdopen(descriptor, "rb")


def keep_room(path: Path, size: int) -> None:
    """Keep some bytes of the disk by a file, which is removed when they are needed.

    Raises
    ------
    OSError
        If there is no room.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
    finally:
        os.close(descriptor)
