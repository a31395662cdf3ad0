"""The console as a process: where it listens, and how people are let in."""

import fcntl
import json
import os
import socket
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

from vantage6.common.errors import ConfigurationError
from vantage6.common.secret_files import write_private
from vantage6.node.console.app import FOLDER, create_app
from vantage6.node.console.guard import MOST_FORM_BYTES
from vantage6.node.console.sessions import Links, Person
from vantage6.node.console.station import Station
from vantage6.node.instance import Instance

#: SECURITY: no setting names another address.
HOST = "127.0.0.1"
_THREADS, _CONNECTIONS, _IDLE_SECONDS = 4, 50, 30
_MOST_HEADER_BYTES = 16_384
_LOOP_SECONDS = 1.0


class Console:
    """The console of one node, once at a time.

    Parameters
    ----------
    instance
        The node.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._folder = instance.data / FOLDER
        self._open = ExitStack()
        self._server: Any = None
        self._channels: dict[int, Any] = {}
        self._is_stopped = False

    @property
    def address(self) -> str | None:
        """Where the console of this node is, if one runs; the path of a socket begins with `/`."""
        with suppress(OSError, ValueError, KeyError, TypeError), _lock(self._folder):
            # Nobody holds the lock, so none runs.
            return None
        try:
            return str(json.loads((self._folder / "address.json").read_text())["address"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def link_for(self, person: Person, address: str) -> str:
        """Return a link to a console that opens once."""
        secret = Links(self._folder / "links").make(person)
        start = "http://localhost" if address.startswith("/") else address
        return f"{start}/open?link={secret}"

    def listen(self, port: int = 0, path: Path | None = None) -> str:
        """Begin to listen, on loopback or at a socket in the file system; return the address.

        Raises
        ------
        ConfigurationError
            If another one runs, or the port is taken.
        """
        self._instance.prepare()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        try:
            self._open.enter_context(_lock(self._folder))
            listener = _unix(path) if path else socket.create_server((HOST, port))
        except BlockingIOError as error:
            raise ConfigurationError("The console of this node runs already.") from error
        except OSError as error:
            where = path or f"port {port}"
            raise ConfigurationError(f"Cannot listen at {where}: {error.strerror}.") from error
        if path:
            self._open.callback(path.unlink, missing_ok=True)
        self._server = create_server(
            create_app(Station(self._instance)),
            map=self._channels,
            sockets=[listener],
            threads=_THREADS,
            connection_limit=_CONNECTIONS,
            channel_timeout=_IDLE_SECONDS,
            cleanup_interval=_IDLE_SECONDS,
            max_request_body_size=MOST_FORM_BYTES,
            max_request_header_size=_MOST_HEADER_BYTES,
            ident=None,
        )
        address = str(path) if path else f"http://{HOST}:{listener.getsockname()[1]}"
        write_private(self._folder / "address.json", json.dumps({"address": address}))
        return address

    def run(self) -> None:
        """Answer until interrupted."""
        try:
            while not self._is_stopped:
                wasyncore.loop(timeout=_LOOP_SECONDS, use_poll=True, map=self._channels, count=1)
        except KeyboardInterrupt:
            pass  # the usual way to end it
        finally:
            self.close()

    def stop(self) -> None:
        """Have `run` return within a second; for another thread."""
        self._is_stopped = True
        self._server.pull_trigger()

    def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.task_dispatcher.shutdown()
            for channel in list(self._server.active_channels.values()):
                channel.handle_close()
            self._server.close()
        self._open.close()


class _lock:  # noqa: N801
    """Holds the lock of a console while it is entered."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._descriptor = -1

    def __enter__(self) -> None:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise

    def __exit__(self, *error: object) -> None:
        os.close(self._descriptor)


def _unix(path: Path) -> socket.socket:
    """Return a socket that this account alone may open."""
    with suppress(FileNotFoundError):
        if path.is_socket():
            path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # SECURITY: closed to others from its first moment on. No other thread runs yet.
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener
