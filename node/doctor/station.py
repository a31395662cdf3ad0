"""What a node needs on its own machine: room, a container engine, its databases, its rules."""

import errno
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vantage6.common.cli.doctor import Check, Doubtful, Failed, Skipped, existing, room, writable
from vantage6.common.config.policies import PolicyConfig
from vantage6.node.databases import Database, Databases
from vantage6.node.instance import Instance
from vantage6.node.outcomes import RefusalError
from vantage6.node.rules import obstacles

if TYPE_CHECKING:
    from vantage6.node.runtime.engine import Facts

_ENGINE_SECONDS = 10
_CONNECT_SECONDS = 5
_LEAST_BYTES = 2 * 2**30
#: Expressions that match whatever they are asked about.
_ANYTHING = (".*", ".+", "^.*$", "^.*", ".*$")


class StationChecks:
    """Looks at the machine of one node."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._config = instance.config
        self._databases = Databases(self._config.databases, instance.base)
        #: A client of the engine, once it has answered.
        self.engine: Any = None
        self.facts: Facts | None = None

    def close(self) -> None:
        """Leave the engine alone."""
        if self.engine is not None:
            self.engine.close()

    def prerequisites(self) -> Iterator[Check]:
        """Yield the checks of what nothing works without."""
        folder = self._instance.data
        yield "data folder", lambda: writable(folder, "check its owner, or set task_dir")
        yield "disk", lambda: room(folder, _LEAST_BYTES, "make room, or set task_dir")
        yield "engine", self._engine
        yield "limits", self._limits
        yield "disk limit", self._disk_limit
        yield "system calls", self._system_calls

    def databases(self) -> Iterator[Check]:
        """Yield the checks of the data sources."""
        if not self._databases.labels:
            yield "databases", _no_databases
        for label in self._databases.labels:
            yield f"database {label}", partial(self._database, label)

    def policies(self) -> Iterator[Check]:
        """Yield the checks of the rules."""
        yield "policies", self._policies
        yield "floors", self._floors
        yield "in force", self._followed_version

    def _engine(self) -> str:
        if self._config.runtime == "process":
            raise Doubtful(
                "runtime `process` isolates nothing: set it to docker wherever data are real."
            )
        from vantage6.node.runtime import engine

        self.engine = engine.connect(self._config, _ENGINE_SECONDS)
        self.facts = facts = engine.facts(self.engine)
        owner = "rootless" if facts.is_rootless else "as root"
        if facts.is_rootless and (remedy := engine.closed_device()):
            raise Doubtful(f"{facts.name} {facts.version} answers, but: {remedy}")
        return f"{facts.name} {facts.version} {owner}, storage {facts.storage}."

    def _limits(self) -> str:
        if self.facts is None:
            raise Skipped("There is no engine to ask.")
        if self.facts.remedy:
            raise Doubtful(self.facts.remedy)
        return "The engine can limit memory, processors and processes."

    def _system_calls(self) -> str:
        if self.facts is None:
            raise Skipped("There is no engine to ask.")
        if self.facts.unfiltered:
            raise Doubtful(self.facts.unfiltered)
        return "Algorithms get the node's own seccomp profile."

    def _disk_limit(self) -> str:
        if self.facts is None:
            raise Skipped("There is no engine to ask.")
        from vantage6.node.spool import run_disks

        folder = existing(self._instance.data / "runs")
        if reason := run_disks.obstacle(self._config, folder):
            raise Doubtful(
                f"limits.disk_bytes is measured, not enforced: {reason} An algorithm that means "
                "harm can fill this disk with files that it has removed and still holds open."
            )
        if reason := run_disks.shortage(self._config, folder):
            raise Doubtful(reason)
        return "Each run gets a file system of its own, of limits.disk_bytes."

    def _database(self, label: str) -> str:
        try:
            database = self._databases.get(label)
            return _read(database.path) if database.path else self._service(database)
        except RefusalError as error:
            found = [one for one in self._databases.all() if one.label == label]
            where = f" It looked at {found[0].path}." if found else ""
            raise Failed(f"{error}{where} Check its uri.") from error

    def _service(self, database: Database) -> str:
        if database.service is None:
            raise Skipped("Its address names no host and port to try.")
        host, port = database.service
        if host in (name.lower() for name in self._config.services):
            return f"It is reached through the service {host}."
        try:
            connect(host, port)
        except OSError as error:
            advice = "check its uri, and that this machine may connect to it"
            raise Failed(f"{host}:{port} does not answer ({reason(error)}): {advice}.") from error
        return f"{host}:{port} answers."

    def _policies(self) -> str:
        policies, images = self._config.policies, self._config.allowed_images
        if policies is None and not images:
            raise Doubtful("Any image may run here: write `policies`.")
        if policies is not None and not policies.allowed_algorithms:
            raise Doubtful(
                "Nothing may run here: policies.allowed_algorithms names no image. Name those "
                "that you trust."
            )
        if begun := list(obstacles.begin_only(self._config)):
            raise Doubtful(" ".join(begun))
        expressions = (*(policies.allowed_algorithms if policies else ()), *images)
        if any(text in _ANYTHING for text in expressions):
            raise Doubtful("An expression allows any image: name those that you trust.")
        return f"Allowed images: {', '.join(expressions)}"

    def _floors(self) -> str:
        written = (self._config.policies or PolicyConfig()).floors
        if min(written.floors.cell, written.floors.records) == 1:
            raise Doubtful(
                f"{written.summary} Numbers about a single record may leave: raise policies.floors."
            )
        return written.summary

    def _followed_version(self) -> str:
        from vantage6.node.rules.current_policy import describe_followed

        lines = describe_followed(self._instance)
        if len(lines) > 1:
            raise Doubtful(" ".join(lines))
        return lines[0]


def _read(path: Path) -> str:
    try:
        if path.is_dir():
            next(path.iterdir(), None)
        else:
            with path.open("rb") as file:
                file.read(1)
    except OSError as error:
        advice = "let the account of the node read it, or check its uri"
        raise Failed(f"Cannot read {path}: {error.strerror}; {advice}.") from error
    return f"{path} is readable."


def _no_databases() -> str:
    raise Doubtful("No `databases` are configured: most algorithms need one.")


def connect(host: str, port: int) -> None:
    """Return if a program accepts connections at an address.

    Raises
    ------
    OSError
        If none does.
    """
    with socket.create_connection((host, port), _CONNECT_SECONDS):
        pass


def reason(error: OSError) -> str:
    """Return why a connection failed, in words."""
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return f"no answer in {_CONNECT_SECONDS} seconds; a firewall?"
    return error.strerror or str(error)
