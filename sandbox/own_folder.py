"""The folder of a demonstration: emptied and cleared of programs only where a mark is in it."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from vantage6.common.errors import Conflict

#: A file that says that a demonstration made everything beside it.
MARK = ".vantage6-demonstration"


def is_own(folder: Path) -> bool:
    """Tell whether a demonstration made what is in a folder."""
    return (folder / MARK).is_file()


def refusal(folder: Path, used: Iterable[Path] = ()) -> str:
    """Return why a demonstration may not have a folder; empty if it may.

    Parameters
    ----------
    folder
        Where everything is to be written.
    used
        Files that it reads and did not make.
    """
    if not folder.exists():
        return ""
    if not folder.is_dir():
        return f"{folder} is no folder."
    if not is_own(folder) and any(folder.iterdir()):
        return (
            f"{folder} holds what no demonstration made. Name another folder. If a demonstration "
            "of an earlier version made it, stop that one and remove the folder yourself."
        )
    inside = [path for path in used if path.resolve().is_relative_to(folder.resolve())]
    if inside:
        return f"{inside[0]} is in {folder}, which a demonstration empties. Move it elsewhere."
    return ""


def make_empty(folder: Path, used: Iterable[Path] = ()) -> None:
    """Make a folder, or empty the one that an earlier demonstration left, and mark it.

    Raises
    ------
    ValueError
        If the folder, or something that is used, is not of a demonstration.
    """
    # SECURITY: nothing is removed that somebody else may have put there.
    if said := refusal(folder, used):
        raise ValueError(said)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    # The mark stays all the time: what breaks off here is still known the next time.
    (folder / MARK).touch()
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.name != MARK:
            entry.unlink()


def remove(folder: Path) -> None:
    """Remove the folder of a demonstration, if there is one.

    Raises
    ------
    Conflict
        If it is not one, or something in it cannot be removed.
    """
    if not folder.exists():
        return
    # SECURITY: nothing is removed that somebody else may have put there.
    if not is_own(folder):
        raise Conflict(f"{folder} holds what no demonstration made. Remove it yourself.")
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise Conflict(
            f"{folder} cannot be removed: {error.strerror} ({error.filename}). If a file system is "
            "mounted there, unmount it as root, and call the command again."
        ) from error
