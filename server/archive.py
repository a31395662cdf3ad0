"""A backup of a server: its database, and the secrets that make sense of what others hold.

The archive is a ZIP file with a description of itself. What the configuration says is not in it,
nor what Redis holds: messages that wait are rows of the database, others are found by comparing.
"""

import json
import os
import shutil
import tempfile
import zipfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

from vantage6.common import __version__
from vantage6.common.clock import now
from vantage6.common.config import Instance
from vantage6.common.errors import Conflict, Invalid
from vantage6.common.secret_files import write_private
from vantage6.models import copies, migrate, seals
from vantage6.models.database import db
from vantage6.server import supervision

#: Files of the data folder that tokens and people rely on; some exist only where they are needed.
SECRETS = ("jwt.key", "flower.key", seals.KEY_FILE)
_FORMAT = 1
_ABOUT, _DATABASE = "about.json", "database"


@dataclass(frozen=True)
class About:
    """What an archive holds."""

    format: int
    version: str
    made_at: str
    engine: str
    migrations: list[str]
    tables: list[str]


def write(instance: Instance, target: Path) -> About:
    """Back a server up, which may run meanwhile, into a file that only its owner can read.

    Raises
    ------
    Conflict
        If there is such a file already.
    Unavailable, ConfigurationError
        If the database cannot be copied.
    """
    if target.exists():
        raise Conflict(f"{target} exists already.")
    about = About(
        _FORMAT,
        __version__,
        now().isoformat(),
        copies.engine(),
        migrate.list_applied(),
        sorted(db.get_tables()),
    )
    try:
        with tempfile.TemporaryDirectory(dir=target.absolute().parent) as folder:
            copy, fresh = Path(folder, _DATABASE), Path(folder, "archive")
            copies.write(copy)
            # Closed to others from its first byte on.
            os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                archive.writestr(_ABOUT, json.dumps(asdict(about), indent=1))
                archive.write(copy, _DATABASE)
                for name in SECRETS:
                    if (instance.folder / name).exists():
                        archive.writestr(name, (instance.folder / name).read_text())
            fresh.replace(target)
    except OSError as error:
        raise Conflict(f"Cannot write {target}: {error.strerror}.") from error
    return about


def read(instance: Instance, source: Path, *, force: bool = False) -> About:
    """Replace database and secrets of a server, which does not run, by those of a backup.

    Raises
    ------
    Conflict
        If it runs, holds data already, or is of another kind or an older version.
    Invalid
        If the file is no backup.
    Unavailable, ConfigurationError
        If the database does not take it.
    """
    if supervision.supervisor(instance).running():
        raise Conflict(f"Server {instance.name} runs; `vserver stop` ends it.")
    if others := copies.others():
        raise Conflict(f"{others} others are connected to the database; stop them first.")
    if not force and not copies.is_empty():
        raise Conflict(
            f"The database of {instance.name} is not empty; with --force all of it is replaced."
        )
    try:
        with (
            zipfile.ZipFile(source) as archive,
            tempfile.TemporaryDirectory(dir=instance.folder) as folder,
        ):
            about = _about(archive, source)
            copy = Path(folder, _DATABASE)
            with archive.open(_DATABASE) as packed, copy.open("wb") as file:
                shutil.copyfileobj(packed, file)
            copies.check_copy(copy, of=about.engine)
            copies.read(copy, about.tables)
            for name in set(SECRETS) & set(archive.namelist()):
                write_private(instance.folder / name, archive.read(name).decode())
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError) as error:
        raise Invalid(f"{source} is no backup, or it is damaged.") from error
    return about


def _about(archive: zipfile.ZipFile, source: Path) -> About:
    try:
        content = json.loads(archive.read(_ABOUT))
        if content.get("format") != _FORMAT:
            raise Invalid(f"{source} is a backup of a newer version ({content.get('version')}).")
        about = About(**content)
    except (ValueError, TypeError, AttributeError) as error:
        raise Invalid(f"{source} is no backup, or it is damaged.") from error
    if newer := sorted(set(about.migrations) - set(migrate.list_known())):
        raise Conflict(
            f"The backup is of a newer version, {about.version} ({', '.join(newer)}). Install that "
            "version first."
        )
    return about
