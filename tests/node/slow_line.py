"""A slow line to a server: it lets little through until it is told to go on."""

import socket
import threading
from contextlib import suppress
from typing import Self


class SlowLine:
    """Passes on what is sent to a port, and stops in each connection after some bytes.

    Parameters
    ----------
    port
        Of the server.
    most_bytes
        What gets through before `go_on` is set.
    """

    def __init__(self, port: int, most_bytes: int) -> None:
        self._server, self._most = port, most_bytes
        self.is_stuck, self.go_on = threading.Event(), threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        # What waits in the buffers of the kernel has left the sender already.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**14)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        # To close it wakes nothing that waits in `accept`.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                there = socket.create_connection(("127.0.0.1", self._server))
                threading.Thread(target=self._pass, args=(here, there), daemon=True).start()

    def _pass(self, here: socket.socket, there: socket.socket) -> None:
        with here, there:
            back = threading.Thread(target=_pass_on, args=(there, here), daemon=True)
            back.start()
            passed = 0
            with suppress(OSError):
                while part := here.recv(2**14):
                    passed += len(part)
                    if passed > self._most:
                        self.is_stuck.set()
                        self.go_on.wait(60)
                    there.sendall(part)
            with suppress(OSError):
                there.shutdown(socket.SHUT_RDWR)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(2**14):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
