"""To which configuration file a data folder belongs: two must not write into the same one."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from vantage6.common.errors import ConfigurationError, V6Error
from vantage6.common.secret_files import write_private

_NAME = "configuration"


def take(folder: Path, file: Path) -> None:
    """Write down that a data folder belongs to a configuration file."""
    if _owner(folder) != file:
        with suppress(OSError):
            write_private(folder / _NAME, f"{file}\n")


def refuse_foreign(
    folder: Path, file: Path, setting: str, folder_of: Callable[[Path], Path]
) -> None:
    """Refuse a data folder that belongs to another configuration file.

    Parameters
    ----------
    folder
        The data folder.
    file
        The configuration file that leads to it.
    setting
        The key that names another folder.
    folder_of
        Returns the data folder that a configuration file leads to.

    Raises
    ------
    ConfigurationError
        If the other file still exists and still leads to this folder.
    """
    owner = _owner(folder)
    if owner is None or owner == file or not _is_there(owner, file):
        return
    with suppress(V6Error, OSError):
        if folder_of(owner) != folder:
            return
    raise ConfigurationError(
        f"{file}: its data folder {folder} belongs to {owner}; set {setting} to another folder, or "
        "give the file another name."
    )


def _owner(folder: Path) -> Path | None:
    try:
        text = (folder / _NAME).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    return Path(text) if text else None


def _is_there(owner: Path, file: Path) -> bool:
    """Tell whether a file exists, and is another one."""
    try:
        return owner.is_file() and not owner.samefile(file)
    except OSError:
        return False
