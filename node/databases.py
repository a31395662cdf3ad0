"""The station's data sources, and what an algorithm gets to see of them."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from vantage6.common.config.node import DatabaseConfig
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import RefusalError

#: Ports of services whose address names none.
_PORTS = {
    "http": 80,
    "https": 443,
    "mariadb": 3306,
    "mssql": 1433,
    "mysql": 3306,
    "oracle": 1521,
    "postgres": 5432,
    "postgresql": 5432,
}


@dataclass(frozen=True, slots=True)
class Database:
    """One data source, as an algorithm asks for it."""

    label: str
    #: Address of a service; empty for a file.
    uri: str
    #: File or folder on this machine; None for a service.
    path: Path | None
    type: str | None

    @property
    def service(self) -> tuple[str, int] | None:
        """Host and port of a service; None for a file, or where they are not known."""
        try:
            parts = urlsplit(self.uri)
            port = parts.port or _PORTS.get(parts.scheme.partition("+")[0])
        except ValueError:
            return None
        return (parts.hostname, port) if parts.hostname and port else None

    def version(self) -> str:
        """Return what differs after each change of a file; empty for a service and a folder.

        Raises
        ------
        OSError
            If the file is not there.
        """
        if self.path is None or not self.path.is_file():
            return ""
        found = self.path.stat()
        version = f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}"
        if self.type != "sql":
            return version
        # What SQLite has written last may be in a file of its own yet.
        log = self.path.with_name(f"{self.path.name}-wal")
        with suppress(FileNotFoundError):
            later = log.stat()
            if later.st_size:
                version += f"-{later.st_size}-{later.st_mtime_ns}"
        return version

    @property
    def file_name(self) -> str:
        """Name under which a file is shown to the algorithm."""
        return self.label + (self.path.suffix if self.path else "")


class Databases:
    """All data sources of the station.

    Parameters
    ----------
    configs
        The sources as configured.
    base
        Folder from which relative paths count: that of the configuration file.
    """

    def __init__(self, configs: tuple[DatabaseConfig, ...], base: Path) -> None:
        self.base = base
        self._databases = {config.label: _database(config, base) for config in configs}

    @property
    def labels(self) -> list[str]:
        """Labels of all sources, in the order of the configuration."""
        return list(self._databases)

    def all(self) -> list[Database]:
        """Return all sources, whether or not they are there now."""
        return list(self._databases.values())

    def get(self, label: str) -> Database:
        """Return the data source with a label.

        Raises
        ------
        RefusalError
            If there is no such label, or its file cannot be read now.
        """
        database = self._databases.get(label)
        if database is None:
            known = ", ".join(self.labels) or "none"
            raise RefusalError(
                TaskStatus.FAILED,
                "unknown_database",
                f"This node has no database {label!r}; it has: {known}.",
            )
        if database.path is not None and not os.access(database.path, os.R_OK):
            # The path is the station's own business; the researcher learns the label only.
            raise RefusalError(
                TaskStatus.FAILED,
                "database_unavailable",
                f"The file behind the database {label!r} is missing or unreadable at the node.",
            )
        return database


def _database(config: DatabaseConfig, base: Path) -> Database:
    if "://" in config.uri:
        return Database(config.label, config.uri, None, config.type)
    path = (base / Path(config.uri).expanduser()).resolve()
    return Database(config.label, "", path, config.type)
