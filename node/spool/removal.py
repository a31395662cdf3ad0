"""The removal of folders that an algorithm has filled, however deep and however closed they are.

`shutil.rmtree` calls itself for each level, and ends with `RecursionError` at some hundreds of
them.
"""

import os
from contextlib import suppress
from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
#: What identifies a folder while it is renamed.
_Inode = tuple[int, int]


def remove(path: Path) -> None:
    """Remove a file, or a folder and all that is in it; harmless if it is gone.

    Raises
    ------
    OSError
        If some of it is left.
    """
    try:
        path.unlink(missing_ok=True)
    except (IsADirectoryError, PermissionError):
        # Linux names the first reason, others the second.
        empty(path)
        path.rmdir()


def empty(folder: Path) -> None:
    """Remove all that is in a folder and can be removed.

    SECURITY: an algorithm may still work there. Each step starts from an open folder, so that a
    link or a folder that is moved leads nowhere else. Two folders are open at once, and no name
    is longer than one part of a path.

    Raises
    ------
    OSError
        If the folder cannot be read, or one is moved meanwhile.
    """
    here = os.open(folder, _FLAGS)
    above: list[tuple[str, _Inode, list[str]]] = []
    try:
        full = _thin_out(here)
        while full or above:
            if full:
                name = full.pop()
                try:
                    below = _enter(here, name)
                except OSError:
                    continue  # gone, or closed to this account
                above.append((name, _inode_of(here), full))
                os.close(here)
                here = below
                full = _thin_out(here)
            else:
                name, inode, full = above.pop()
                up = os.open("..", _FLAGS, dir_fd=here)
                os.close(here)
                here = up
                if _inode_of(here) != inode:
                    raise OSError(f"A folder below {folder} was moved while it was removed.")
                with suppress(OSError):
                    os.rmdir(name, dir_fd=here)
    finally:
        os.close(here)


def _thin_out(folder: int) -> list[str]:
    """Remove files and empty folders; return the names of the other folders."""
    full = []
    with suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            try:
                if entry.is_dir(follow_symlinks=False):
                    os.rmdir(entry.name, dir_fd=folder)
                else:
                    os.unlink(entry.name, dir_fd=folder)
            except OSError:
                full.append(entry.name)
    return full


def _enter(parent: int, name: str) -> int:
    """Open a folder, and let its owner do everything there."""
    closed = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        with suppress(OSError):
            # The open folder itself, whatever bears its name by now.
            os.chmod(f"/proc/self/fd/{closed}", 0o700)  # noqa: PTH101
        return os.open(".", _FLAGS, dir_fd=closed)
    finally:
        os.close(closed)


def _inode_of(folder: int) -> _Inode:
    details = os.fstat(folder)
    return details.st_dev, details.st_ino
