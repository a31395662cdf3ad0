"""What people at the station tell a running node: what runs, and what has to stop.

A Unix socket in the node's data folder, for the account of the node and root alone. One line of
JSON asks, one answers.
"""

import json
import os
import pwd
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vantage6.common import logs
from vantage6.common.errors import ConfigurationError, Invalid, Unavailable, V6Error

if TYPE_CHECKING:
    from vantage6.node.instance import Instance

log = logs.get(__name__)

Handler = Callable[..., Any]

_FILE = "control.sock"
#: Longest line that is read of a question.
_MOST_BYTES = 16_384
#: Longest line that is read of an answer: a few hundred bytes for each result of a busy node.
_MOST_ANSWER_BYTES = 64 * 2**20
_ASK_SECONDS = 5.0
#: Longer than the node waits for the server when it stops something.
KILL_SECONDS = 40.0


class NoSocket(ConfigurationError):
    """The node does not run, or takes no questions."""


class Control:
    """Answers questions, each by a function.

    Parameters
    ----------
    folder
        Where the socket is.
    handlers
        Functions by the name of the question; they get who asks as `by`, and what was sent.

    Raises
    ------
    OSError
        If the folder holds no sockets.
    """

    def __init__(self, folder: Path, handlers: Mapping[str, Handler]) -> None:
        with _short(folder) as address:
            with suppress(FileNotFoundError):
                Path(address).unlink()
            # The folder is closed to all others meanwhile. The umask would be that of the whole
            # process: other threads make folders.
            self._server = _Server(address, _Question)
            Path(address).chmod(0o600)
        self._server.handlers = handlers
        self._path = folder / _FILE
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.2,), name="control", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Close the socket."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    handlers: Mapping[str, Handler]


class _Question(socketserver.StreamRequestHandler):
    timeout = _ASK_SECONDS
    server: _Server

    def handle(self) -> None:
        """Answer one question."""
        try:
            answer = {"answer": self._answer()}
        except V6Error as error:
            answer = {"error": error.message}
        except Exception:
            log.exception("question not answered")
            answer = {"error": "The node failed; its log says why."}
        with suppress(OSError):
            self.wfile.write(json.dumps(answer).encode() + b"\n")

    def _answer(self) -> Any:
        try:
            # Read first: a socket that is closed with something unread loses the answer.
            line = self.rfile.readline(_MOST_BYTES)
        except OSError as error:
            raise Invalid("This is no question to a node.") from error
        # SECURITY: who asks is what the kernel says, whatever the mode of the file.
        account = _account(self.connection)
        if account not in (0, os.geteuid()):
            raise Invalid("This is for the account of the node and root.")
        try:
            sent = json.loads(line)
            handler = self.server.handlers[sent.pop("ask")]
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise Invalid("This is no question to a node.") from error
        return handler(by=account_name(account), **sent)


def ask(folder: Path, question: str, seconds: float = _ASK_SECONDS, **sent: Any) -> Any:
    """Ask the node with a data folder.

    Raises
    ------
    ConfigurationError
        If the node does not run, or refuses.
    Unavailable
        If it does not answer in time.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        try:
            with _short(folder) as address:
                connection.connect(address)
            connection.sendall(json.dumps({"ask": question, **sent}).encode() + b"\n")
            with connection.makefile("rb") as file:
                reply = json.loads(file.readline(_MOST_ANSWER_BYTES))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NoSocket("The node does not run; `vnode start` starts it.") from error
        except PermissionError as error:
            raise ConfigurationError(f"Cannot look into {folder}: you are another user.") from error
        except (OSError, ValueError) as error:
            raise Unavailable("The node does not answer; `vnode attach` shows its log.") from error
    if "error" in reply:
        raise ConfigurationError(reply["error"])
    return reply["answer"]


def ask_node(instance: "Instance", question: str, *seconds: float, **sent: Any) -> Any:
    """Ask a node; see `ask`, and say it where one runs that takes no questions."""
    try:
        return ask(instance.data, question, *seconds, **sent)
    except NoSocket as error:
        if instance.holder() is None:
            raise
        raise ConfigurationError(
            f"Node {instance.name} runs, but takes no questions: it was started before an upgrade, "
            "or its data folder holds no sockets, as its log says. `vnode stop --now` works."
        ) from error


@contextmanager
def _short(folder: Path) -> Iterator[str]:
    """Give an address of the socket that is short enough, however long the path is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{_FILE}"
    finally:
        os.close(descriptor)


def _account(connection: socket.socket) -> int:
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", found)[1])


def account_name(account: int) -> str:
    """Return the name of an account of this machine; its number where it has none."""
    try:
        return pwd.getpwuid(account).pw_name
    except KeyError:
        return str(account)
