"""Files that are whole whenever the power fails, and files that an algorithm may have touched."""

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

from vantage6.common.errors import Conflict


class Damaged(OSError):
    """A file is there, and holds something else than it should."""


def write_durably(path: Path, content: bytes, owner_of: Path | None = None) -> None:
    """Write a file that is complete on disk, or not there, whenever the power fails.

    Parameters
    ----------
    path
        The file.
    content
        What it holds.
    owner_of
        A folder: what root writes is for the account of its owner. None to keep it for root.
    """
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if owner_of is not None:
                # Before the file has its name: its reader never meets one that it may not read.
                hand_over(descriptor, owner_of)
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        # On a full disk, what does not fit must not keep the room that others wait for.
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def hand_over(file: Path | int, owner_of: Path) -> None:
    """Give what root made, a path or a descriptor, to the account of the owner of a folder."""
    if os.geteuid() != 0:
        return
    owner = owner_of.stat()
    # A path, or a descriptor, which `Path` does not know.
    if owner.st_uid != 0 and os.stat(file).st_uid == 0:  # noqa: PTH116
        os.chown(file, owner.st_uid, owner.st_gid)


def write_json(path: Path, value: Any, most: int, owner_of: Path | None = None) -> None:
    """Write a small file of JSON durably.

    Raises
    ------
    Conflict
        If it would be longer than `most` bytes, which `read_json` refuses.
    OSError
        If it cannot be written.
    """
    content = json.dumps(value, indent=1).encode()
    if len(content) > most:
        raise Conflict(f"{path} would be longer than {most} bytes.")
    write_durably(path, content, owner_of)


def read_json(path: Path, most: int) -> Any:
    """Return what a small file of JSON holds; None if it is not there.

    Raises
    ------
    Damaged
        If it is no JSON, or longer than `most` bytes. SECURITY: what cannot be read must not count
        as absent.
    OSError
        If it cannot be read.
    """
    try:
        with open_plain(path) as file:
            content = file.read(most + 1)
    except FileNotFoundError:
        return None
    if len(content) > most:
        raise Damaged(f"{path} is longer than {most} bytes")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Damaged(f"{path} is damaged") from error


def mark_of(path: Path) -> object:
    """Return what differs after each change of a file; None if it is not there.

    SECURITY: an account that writes to a file can set the time of its last change, and not that of
    its entry in the file system.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


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
