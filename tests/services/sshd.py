"""A real SSH server on loopback, with a key of its own and one for whoever logs in."""

import getpass
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from tests.services import needs
from tests.services.process import Process
from vantage6.sandbox.ports import free_port


class SshServer:
    """An OpenSSH server in a folder; it can be stopped and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self._program = needs("sshd")
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.port = free_port()
        for name in ("host", "user", "stranger"):
            command = [
                needs("ssh-keygen"),
                "-q",
                "-t",
                "ed25519",
                "-N",
                "",
                "-f",
                str(folder / name),
            ]
            subprocess.run(command, check=True, timeout=30)
        self._file = folder / "sshd_config"
        self._file.write_text(
            f"Port {self.port}\n"
            "ListenAddress 127.0.0.1\n"
            f"HostKey {folder}/host\n"
            f"AuthorizedKeysFile {folder}/user.pub\n"
            "StrictModes no\n"
            "PasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\n"
            "PidFile none\n"
            "UsePAM no\n"
        )
        if os.getuid() == 0:
            # Where it locks in the part of it that speaks to strangers.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self._process: Process | None = None

    @property
    def log(self) -> str:
        """What the server has said so far."""
        return (self.folder / "log").read_text()

    def settings(self, hostname: str, port: int, service: int, **ssh: Any) -> dict[str, Any]:
        """Return the configuration of a tunnel through this server to a port of loopback."""
        kind, key, *_ = (self.folder / "host.pub").read_text().split()
        return {
            "hostname": hostname,
            "ssh": {
                "host": "127.0.0.1",
                "port": self.port,
                "fingerprint": f"{kind} {key}",
                "identity": {"username": getpass.getuser(), "key": str(self.folder / "user")},
                **ssh,
            },
            "tunnel": {
                "bind": {"ip": "0.0.0.0", "port": port},
                "dest": {"ip": "127.0.0.1", "port": service},
            },
        }

    def start(self) -> None:
        """Serve."""
        # -D: not in the background. -e: what it says goes to the log.
        command = [self._program, "-D", "-e", "-f", str(self._file)]
        self._process = Process(command, self.folder / "log")
        self._process.wait_until(lambda: f"port {self.port}" in self.log)

    def stop(self) -> None:
        """Cut every connection and serve no more."""
        if self._process is None:
            return
        # Each connection has a process of its own, which would go on.
        children = psutil.Process(self._process.pid).children()
        self._process.kill()
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
