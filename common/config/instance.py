"""One server: its name, its configuration, and the folder in which it keeps its things."""

import os
from dataclasses import dataclass
from pathlib import Path

from vantage6.common.config import instances
from vantage6.common.config.files import load
from vantage6.common.config.ownership import refuse_foreign, take
from vantage6.common.config.server import ServerConfig
from vantage6.common.errors import ConfigurationError
from vantage6.common.selection import Selection

#: Variables through which `vserver start` tells the processes which instance they are.
FILE_VARIABLE = "V6_CONFIG"
ENVIRONMENT_VARIABLE = "V6_ENVIRONMENT"
SCOPE_VARIABLE = "V6_SCOPE"


@dataclass(frozen=True)
class Instance:
    """A configured server."""

    file: Path
    environment: str | None
    config: ServerConfig
    #: Whether it uses the folders of the machine, not those of the user.
    system: bool = False

    @classmethod
    def find(cls, selection: Selection) -> "Instance":
        """Return the server that was selected.

        Raises
        ------
        ConfigurationError
            If there is none, its file is not valid, or its data folder is that of another file.
        """
        found = instances.find("server", selection)
        instance = cls.load(found.file, selection.environment, system=found.system)
        refuse_foreign(
            instance.folder,
            instance.file,
            "data_dir",
            lambda file: cls.load(file, selection.environment, system=found.system).folder,
        )
        return instance

    @classmethod
    def load(
        cls, file: Path, environment: str | None = None, *, system: bool = False
    ) -> "Instance":
        """Return the server that one environment of a file describes.

        Raises
        ------
        ConfigurationError
            If the file is not valid.
        """
        return cls(file.absolute(), environment, load(file, ServerConfig, environment), system)

    @classmethod
    def from_environment(cls) -> "Instance":
        """Return the server that the variables of this process name."""
        file = os.environ.get(FILE_VARIABLE)
        if not file:
            raise ConfigurationError(
                f"{FILE_VARIABLE} names no configuration file; start with `vserver start`."
            )
        return cls.load(
            Path(file),
            os.environ.get(ENVIRONMENT_VARIABLE) or None,
            system=os.environ.get(SCOPE_VARIABLE) == "system",
        )

    @property
    def variables(self) -> dict[str, str]:
        """What tells a process that it belongs to this server; see `from_environment`."""
        return {
            FILE_VARIABLE: str(self.file),
            ENVIRONMENT_VARIABLE: self.environment or "",
            SCOPE_VARIABLE: "system" if self.system else "user",
        }

    @property
    def name(self) -> str:
        """Name of the configuration file without its ending."""
        return self.file.stem

    @property
    def folder(self) -> Path:
        """Folder for everything the server writes."""
        if folder := self.config.data_dir or self.config.directories.data:
            return Path(folder)
        return instances.data_folder("server", self.name, system=self.system)

    @property
    def log_folder(self) -> Path:
        """Folder of the log files."""
        if folder := self.config.directories.log:
            return Path(folder)
        return self.folder / "log"

    def prepare(self) -> None:
        """Make the data folder, for this configuration only."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        take(self.folder, self.file)

    def note_start(self) -> None:
        """Remember the server, so that it is listed and found by its name."""
        instances.note_start("server", instances.Found(self.file, self.system))

    @property
    def broker_url(self) -> str:
        """Address of Redis, with the server's user and password.

        Raises
        ------
        ConfigurationError
            If none is configured and the private one was not prepared.
        """
        if self.config.broker is not None:
            return self.config.broker.get_secret_value()
        try:
            return self.private_broker_file.read_text().strip()
        except OSError as error:
            raise ConfigurationError(
                "No `broker` is configured, and the private Redis is made by `vserver start` only."
            ) from error

    @property
    def private_broker_file(self) -> Path:
        """File that holds the address of the private Redis."""
        return self.folder / "broker.url"
