"""Where one node keeps its files on this machine."""

import fcntl
import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from vantage6.common import logs
from vantage6.common.cli.supervision import Supervisor
from vantage6.common.config import NodeConfig, instances, load, ownership
from vantage6.common.durable_files import write_durably
from vantage6.common.errors import ConfigurationError, Conflict
from vantage6.common.identity import MOST_PREVIOUS
from vantage6.common.secret_files import ensure_secret, write_private
from vantage6.common.selection import Selection

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Instance:
    """One configured node."""

    name: str
    config: NodeConfig
    file: Path
    environment: str | None
    system: bool
    data: Path
    log_file: Path

    @classmethod
    def find(cls, selection: Selection) -> Self:
        """Return the node with a name, or with a configuration file.

        Raises
        ------
        ConfigurationError
            If there is none, its configuration is wrong, or its data folder is that of another.
        """
        found = instances.find("node", selection)
        instance = cls.load(found, selection.environment)
        ownership.refuse_foreign(
            instance.data,
            instance.file,
            "task_dir",
            lambda file: cls.load(replace(found, file=file), selection.environment).data,
        )
        return instance

    @classmethod
    def load(cls, found: instances.Found, environment: str | None) -> Self:
        """Return the node that one environment of a file describes.

        Raises
        ------
        ConfigurationError
            If its configuration is wrong.
        """
        config = load(found.file, NodeConfig, environment)
        name, system = found.name, found.system
        file, usual = found.file.absolute(), instances.data_folder("node", name, system=system)
        logs, data = config.directories.log, config.task_dir or config.directories.data
        log_folder = Path(logs) if logs else instances.log_folder("node", name, system=system)
        return cls(
            name=name,
            config=config,
            file=file,
            environment=environment,
            system=system,
            data=Path(data) if data else usual.absolute(),
            log_file=log_folder.absolute() / (config.logging.file or f"{name}.log"),
        )

    def reload(self) -> NodeConfig:
        """Read the configuration again.

        Raises
        ------
        ConfigurationError
            If it is wrong now.
        """
        return load(self.file, NodeConfig, self.environment)

    @property
    def engine_name(self) -> str:
        """Name at the container engine, which has the nodes of both scopes."""
        return f"{self.name}-{'system' if self.system else 'user'}"

    @property
    def base(self) -> Path:
        """Folder of the configuration file; relative paths of databases count from here."""
        return self.file.parent

    @property
    def key_file(self) -> Path:
        """The private key of the organization."""
        return self.data / (self.config.encryption.private_key or "private_key.pem")

    @property
    def supervisor(self) -> Supervisor:
        """What runs the node in the background."""
        return Supervisor(f"Node {self.name}", self.data, self.log_file.parent)

    def prepare(self) -> None:
        """Make the folder for what the node writes.

        Raises
        ------
        ConfigurationError
            If it cannot be used.
        """
        try:
            self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
            ownership.take(self.data, self.file)
        except OSError as error:
            raise ConfigurationError(
                f"Cannot use the data folder {self.data}: {error.strerror}; set task_dir."
            ) from error

    def note_start(self) -> None:
        """Remember the node, so that it is listed and found by its name."""
        instances.note_start("node", instances.Found(self.file, self.system))

    @property
    def id(self) -> str:
        """A random text that names the data folder at the server."""
        return ensure_secret(self.data / "instance")

    def previous_processes(self, process: str) -> list[str]:
        """Return the processes of which the server may know one as the last of this data folder.

        The given process is written down beside them, and is one of them at the next start.
        `confirm_process` forgets the others.
        """
        try:
            found = [str(name) for name in json.loads(self._processes.read_text())]
        except (OSError, ValueError, TypeError):
            found = []
        previous = [name for name in found if name != process][-MOST_PREVIOUS:]
        # Before the login: its answer may be lost, or the node may be killed.
        self._write_processes([*previous, process])
        return previous

    def confirm_process(self, process: str) -> None:
        """Note that the server knows a process as the last one of this data folder."""
        self._write_processes([process])

    def _write_processes(self, names: list[str]) -> None:
        try:
            write_durably(self._processes, json.dumps(names).encode())
        except OSError as error:
            # Without it, a node that is killed waits until the server counts it as silent.
            log.warning("own process not on disk", reason=str(error))

    def lock(self) -> int:
        """Keep every other process from running this node; returns what holds the lock.

        Raises
        ------
        ConfigurationError
            If another process runs it, or the folder cannot be used.
        """
        self.prepare()
        try:
            descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
            _take(descriptor)
        except BlockingIOError as error:
            raise ConfigurationError(
                f"A node runs already with the data folder {self.data}; stop it, or set another "
                "task_dir."
            ) from error
        except OSError as error:
            raise ConfigurationError(
                f"Cannot use the data folder {self.data}: {error.strerror}; set task_dir."
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        return descriptor

    def holder(self) -> int | None:
        """Return the process that runs this node, however it was started; None if none does.

        Raises
        ------
        Conflict
            If the folder is closed to us.
        """
        try:
            descriptor = os.open(self._lock_file, os.O_RDONLY)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Conflict(
                f"Cannot look into {self.data}: {error.strerror}. Are you another user than the "
                "node's?"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(os.read(descriptor, 20) or 0) or None
        finally:
            os.close(descriptor)
        return None

    def write_state(self, state: str, code: int = 0, message: str = "") -> None:
        """Write down how the start went, for the process that waits for it."""
        with suppress(OSError):
            content = {"pid": os.getpid(), "state": state, "code": code, "message": message}
            write_private(self._word, json.dumps(content))

    def read_state(self) -> tuple[str, int, str]:
        """Return the state, the exit code and the message that were left last."""
        try:
            content = json.loads(self._word.read_text())
            return content["state"], content["code"], content["message"]
        except (OSError, ValueError, KeyError):
            return "", 0, ""

    def forget_state(self) -> None:
        """Take back what an earlier start left."""
        self._word.unlink(missing_ok=True)

    @property
    def _lock_file(self) -> Path:
        return self.data / "lock"

    @property
    def _processes(self) -> Path:
        return self.data / "last_processes.json"

    @property
    def _word(self) -> Path:
        return self.data / "state.json"


def _take(descriptor: int) -> None:
    """Take a lock that `holder` of another process may hold for a moment."""
    for _ in range(10):
        with suppress(BlockingIOError):
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        time.sleep(0.05)
    return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
