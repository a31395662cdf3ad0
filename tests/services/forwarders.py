"""What stands between a data station and its server: a proxy on one side, TLS on the other."""

import base64
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_SECONDS = 60


class Forwarder:
    """A port of loopback whose connections lead to another one."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listener.settimeout(0.2)
        self.port: int = self._listener.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._accept)

    def _accept(self) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                incoming, _ = self._listener.accept()
                self._begin(incoming)

    def _begin(self, incoming: socket.socket) -> None:
        """Serve a connection in a thread of its own; called for one after the other."""
        threading.Thread(target=self._serve, args=(incoming,), daemon=True).start()

    def _serve(self, incoming: socket.socket) -> None:
        incoming.settimeout(_SECONDS)
        with suppress(OSError), incoming:
            opened = self._open(incoming)
            if opened is None:
                return
            inside, outside = opened
            with inside, outside:
                back = threading.Thread(target=_pass, args=(outside, inside), daemon=True)
                back.start()
                _pass(inside, outside)
                back.join(_SECONDS)

    def _open(self, incoming: socket.socket) -> tuple[socket.socket, socket.socket] | None:
        """Return what to read from and where it goes; None if nothing goes anywhere."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        self._listener.close()


class TlsForwarder(Forwarder):
    """Takes TLS off, as a server's reverse proxy does.

    Parameters
    ----------
    target
        The port behind it.
    certificate, key
        What it shows.
    visitors
        File with the certificates of those who may come in; default: everybody.
    """

    def __init__(
        self, target: int, certificate: Path, key: Path, visitors: Path | None = None
    ) -> None:
        super().__init__()
        self._target = target
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate, key)
        if visitors is not None:
            self._context.load_verify_locations(visitors)
            self._context.verify_mode = ssl.CERT_REQUIRED

    def _open(self, incoming: socket.socket) -> tuple[socket.socket, socket.socket]:
        inside = self._context.wrap_socket(incoming, server_side=True)
        return inside, socket.create_connection(("127.0.0.1", self._target), timeout=_SECONDS)


class CorporateProxy(Forwarder):
    """An HTTP proxy that opens tunnels for those who know its password.

    Parameters
    ----------
    login
        ``user:password``.
    """

    def __init__(self, login: str) -> None:
        super().__init__()
        #: Where tunnels went to, as host:port.
        self.tunnels: list[str] = []
        self._expected = base64.b64encode(login.encode()).decode()

    def _open(self, incoming: socket.socket) -> tuple[socket.socket, socket.socket] | None:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = incoming.recv(4096)
            if not piece:
                return None
            head += piece
        method, target, _ = head.decode("latin-1").split(" ", 2)
        if f"basic {self._expected}".lower() not in head.decode("latin-1").lower():
            incoming.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return None
        if method != "CONNECT":
            incoming.sendall(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
            return None
        host, _, port = target.rpartition(":")
        self.tunnels.append(target)
        outside = socket.create_connection((host, int(port)), timeout=_SECONDS)
        incoming.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return incoming, outside


def _pass(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError, ValueError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
