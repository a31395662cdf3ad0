"""SSH tunnels to services elsewhere, each a process of the node that is kept alive."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from vantage6.common import logs
from vantage6.common.backoff import delays
from vantage6.common.config.services import TunnelConfig
from vantage6.common.errors import ConfigurationError
from vantage6.common.secret_files import write_private
from vantage6.node.runtime.relay import CONNECT_SECONDS

log = logs.get(__name__)

_ALIVE_SECONDS, _ALIVE_TIMES = 10, 3
#: How long somebody who connects waits for a tunnel that is just being built.
_PATIENCE_SECONDS = 10.0
#: A tunnel that lasted so long was a good one: after it, waiting starts anew.
_GOOD_SECONDS = 60.0
_STOP_SECONDS = 5
_HOST_KEY = "tunnel"


class Tunnel:
    """One tunnel, from a socket that only this node can open.

    Parameters
    ----------
    config
        Where it leads.
    base
        Folder from which a relative path of the key counts.

    Raises
    ------
    ConfigurationError
        If there is no client, or the key cannot be read.
    """

    def __init__(self, config: TunnelConfig, base: Path) -> None:
        self.name = self.host = config.hostname
        self._config = config
        setting = f"ssh-tunnels.{config.hostname}"
        ssh = shutil.which("ssh")
        if ssh is None:
            raise ConfigurationError(f"{setting}: install the OpenSSH client.")
        key = base / Path(config.ssh.identity.key).expanduser()
        try:
            content = key.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"{setting}.ssh.identity.key: cannot read {key}: {error}"
            ) from error
        # The client refuses a key that others may read. A copy in memory is gone with the node,
        # however that ends.
        self._key = os.memfd_create("key")
        os.fchmod(self._key, 0o600)
        os.write(self._key, content)
        # Short, because the path of a socket has to be, and closed to everybody else.
        self._folder = Path(tempfile.mkdtemp(prefix="v6-"))
        self._socket = self._folder / "socket"
        write_private(self._folder / "known", f"{_HOST_KEY} {config.ssh.fingerprint}\n")
        self._command = [*_end_with_parent(), ssh, *self._options(), config.ssh.host]
        #: Last words of the client when it ended.
        self.said = ""
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name=f"tunnel-{self.name}", daemon=True)
        self._thread.start()

    def ports(self) -> tuple[int, ...]:
        """Return the port that algorithms use."""
        return (self._config.tunnel.bind.port,)

    @property
    def is_open(self) -> bool:
        """Whether the tunnel is open now."""
        # The client makes the socket after it has logged in.
        return self._socket.exists()

    def ready(self) -> None:
        """Return when the tunnel is open; waits a moment for one that is just being built.

        Raises
        ------
        ConnectionError
            If it stays closed.
        """
        end = time.monotonic() + _PATIENCE_SECONDS
        while not self.is_open:
            if self._stopped.wait(0.1) or time.monotonic() > end:
                raise ConnectionError(f"the tunnel {self.name} is closed")

    def connect(self, port: int) -> socket.socket:
        """Return a connection through the tunnel.

        Raises
        ------
        OSError
            If the tunnel is closed, or the port is not its.
        """
        if port not in self.ports():
            raise ConnectionRefusedError(f"the tunnel {self.name} has no port {port}")
        self.ready()
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(CONNECT_SECONDS)
            connection.connect(str(self._socket))
        except OSError:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """End the tunnel."""
        self._stopped.set()
        with self._lock:
            if self._process is not None:
                self._process.terminate()
        self._thread.join(_STOP_SECONDS)
        if self._thread.is_alive() and self._process is not None:
            self._process.kill()
            self._thread.join(_STOP_SECONDS)
        os.close(self._key)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _options(self) -> list[str]:
        ssh, forward = self._config.ssh, self._config.tunnel
        host = f"[{forward.dest.ip}]" if ":" in forward.dest.ip else forward.dest.ip
        options = {
            "BatchMode": "yes",
            "CheckHostIP": "no",
            "ConnectTimeout": CONNECT_SECONDS,
            "ExitOnForwardFailure": "yes",
            "GlobalKnownHostsFile": "/dev/null",
            "HostKeyAlias": _HOST_KEY,
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "IdentityFile": f"/proc/{os.getpid()}/fd/{self._key}",
            "PreferredAuthentications": "publickey",
            "ServerAliveCountMax": _ALIVE_TIMES,
            "ServerAliveInterval": _ALIVE_SECONDS,
            "StreamLocalBindMask": "0177",
            "StreamLocalBindUnlink": "yes",
            # SECURITY: only the configured key is the server.
            "StrictHostKeyChecking": "yes",
            "UpdateHostKeys": "no",
            "UserKnownHostsFile": self._folder / "known",
        }
        command = ["-F", "none", "-N", "-T", "-p", str(ssh.port), "-l", ssh.identity.username]
        for name, value in options.items():
            command += ["-o", f"{name}={value}"]
        return [*command, "-L", f"{self._socket}:{host}:{forward.dest.port}"]

    def _keep(self) -> None:
        """Build the tunnel again whenever it ends."""
        pauses = delays()
        while not self._stopped.is_set():
            started = time.monotonic()
            self.said = self._run()
            if self._stopped.is_set():
                return
            if time.monotonic() - started > _GOOD_SECONDS:
                pauses = delays()
            pause = next(pauses)
            log.error(
                f"ssh-tunnels.{self.name}: the tunnel is closed",
                reason=self.said,
                again=round(pause, 1),
            )
            self._stopped.wait(pause)

    def _run(self) -> str:
        """Run the client until it ends, and return its last words."""
        with self._lock:
            if self._stopped.is_set():
                return ""
            try:
                process = subprocess.Popen(  # noqa: S603 (every part of it is checked)
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                )
            except OSError as error:
                return str(error)
            self._process = process
        log.info("tunnel opening", hostname=self.name, host=self._config.ssh.host)
        last = ""
        with process:
            # Line by line: a client that complains for months must not fill the memory.
            for line in process.stderr or ():
                last = line.decode("utf-8", "replace").strip()[:500] or last
        self._socket.unlink(missing_ok=True)
        return last


def _end_with_parent() -> list[str]:
    """Return a prefix that ends a program with the node, however that ends."""
    prefix = shutil.which("setpriv")
    return [prefix, "--pdeathsig", "TERM", "--"] if prefix else []
