"""A way from one container to one database service, and to nothing else."""

import socket
import threading
from contextlib import suppress

from vantage6.common import logs

log = logs.get(__name__)

_CONNECTIONS = 32
_CONNECT_SECONDS = 10
_CHUNK = 65536


class Relay:
    """Carries bytes between a listener inside a container and the address of a service.

    Parameters
    ----------
    listener
        Where the algorithm connects; closed together with this.
    address
        Host and port of the service, as this machine reaches it.
    """

    def __init__(self, listener: socket.socket, address: tuple[str, int]) -> None:
        self._listener = listener
        self._address = address
        self._slots = threading.BoundedSemaphore(_CONNECTIONS)
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def close(self) -> None:
        """Let nobody in any more; connections end with their container."""
        # Closing alone would leave the thread in `accept`.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            if self._slots.acquire(blocking=False):
                threading.Thread(target=self._carry, args=(caller,), daemon=True).start()
            else:
                caller.close()

    def _carry(self, caller: socket.socket) -> None:
        try:
            with caller, socket.create_connection(self._address, _CONNECT_SECONDS) as service:
                service.settimeout(None)
                back = threading.Thread(target=_pump, args=(service, caller), daemon=True)
                back.start()
                _pump(caller, service)
                back.join()
        except OSError as error:
            host, port = self._address
            log.warning("database service not reached", host=host, port=port, reason=str(error))
        finally:
            self._slots.release()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
