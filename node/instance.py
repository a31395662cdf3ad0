"""Where one node keeps its files on this machine."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import platformdirs

from vantage6.common.config import NodeConfig, load
from vantage6.common.errors import ConfigurationError

_SYSTEM_CONFIGURATION = (Path("/etc/vantage6/node"), Path("/etc/xdg/vantage6/node"))
_SYSTEM_DATA = Path("/usr/local/share/vantage6/node")


@dataclass(frozen=True, slots=True)
class Instance:
    """One configured node."""

    name: str
    config: NodeConfig
    #: Folder of the configuration file; relative paths of databases count from here.
    base: Path
    data: Path
    log_file: Path

    @classmethod
    def find(
        cls, name: str | None, file: Path | None, environment: str | None, *, system: bool
    ) -> Self:
        """Return the node with a name, or with a configuration file.

        Raises
        ------
        ConfigurationError
            If there is none, or its configuration is wrong.
        """
        path = file.absolute() if file else _find(name, system=system)
        config = load(path, NodeConfig, environment)
        name = path.stem
        dirs = platformdirs.PlatformDirs("vantage6", appauthor=False)
        default = _SYSTEM_DATA / name if system else Path(dirs.user_data_dir) / "node" / name
        logs = default if system else Path(dirs.user_cache_dir) / "log" / "node" / name
        return cls(
            name=name,
            config=config,
            base=path.parent,
            data=config.data_folder(default).absolute(),
            log_file=logs / (config.logging.file or f"{name}.log"),
        )

    @property
    def key_file(self) -> Path:
        """The private key of the organization."""
        return self.data / (self.config.encryption.private_key or "private_key.pem")

    def lock(self) -> int:
        """Keep every other process from running this node; returns what holds the lock.

        Raises
        ------
        ConfigurationError
            If another process runs it, or the folder cannot be used.
        """
        try:
            self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigurationError(
                f"A node runs already with the data folder {self.data}; stop it, or set another "
                "task_dir."
            ) from error
        except OSError as error:
            raise ConfigurationError(
                f"Cannot use the data folder {self.data}: {error.strerror}; set task_dir."
            ) from error
        return descriptor


def _find(name: str | None, *, system: bool) -> Path:
    user = Path(platformdirs.user_config_dir("vantage6", appauthor=False), "node")
    folders = [*(_SYSTEM_CONFIGURATION if system else (user,)), Path.cwd()]
    found: list[Path] = [
        path
        for folder in folders
        for suffix in (".yaml", ".yml")
        for path in sorted(folder.glob(f"{name or '*'}{suffix}"))
    ]
    if name is None and len(found) > 1:
        names = ", ".join(sorted({path.stem for path in found}))
        raise ConfigurationError(f"Which node? Name one with -n: {names}.")
    if not found:
        raise ConfigurationError(
            f"No configuration {name or ''} in {folders[0]}; name a file with -c, or write one."
        )
    return found[0]
