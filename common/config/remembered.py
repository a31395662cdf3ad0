"""Configuration files that lie elsewhere than configurations usually do, and were started once.

They are listed and found by their names as long as they exist.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from vantage6.common.secret_files import write_private

#: Most that are remembered; the oldest are forgotten first.
_MOST = 1000


def recall(folder: Path) -> list[Path]:
    """Return the files that are remembered in a folder and still exist.

    Parameters
    ----------
    folder
        The folder of all data of one kind of instance, in one scope.
    """
    try:
        said = json.loads(_list(folder).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    files = [Path(one) for one in said if isinstance(one, str)] if isinstance(said, list) else []
    return [file for file in files if _exists(file)]


def remember(folder: Path, file: Path) -> None:
    """Remember a file; where that cannot be written, it is found by its path only."""
    known = recall(folder)
    if file not in known:
        _write(folder, [*known, file][-_MOST:])


def forget(folder: Path, file: Path) -> None:
    """Forget a file."""
    known = recall(folder)
    if file in known:
        _write(folder, [one for one in known if one != file])


def _write(folder: Path, files: Iterable[Path]) -> None:
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        write_private(_list(folder), json.dumps([str(file) for file in files]))


def _list(folder: Path) -> Path:
    return folder / ".started.json"


def _exists(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:
        return False
