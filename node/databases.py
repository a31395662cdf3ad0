"""The station's data sources, and what an algorithm gets to see of them."""

import os
from dataclasses import dataclass
from pathlib import Path

from vantage6.common.config.node import DatabaseConfig
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import RefusalError


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
        self._databases = {config.label: _database(config, base) for config in configs}

    @property
    def labels(self) -> list[str]:
        """Labels of all sources, in the order of the configuration."""
        return list(self._databases)

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
