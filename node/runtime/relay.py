"""A way from one container to one service, and to nothing else."""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

from vantage6.common import logs

log = logs.get(__name__)

_CONNECTIONS = 32
CONNECT_SECONDS = 10
_CHUNK = 65536
#: To be closed by a reset: `struct linger`, on, after no time.
_RESET = struct.pack("ii", 1, 0)


class Relay:
    """Carries bytes between a listener and a service.

    Parameters
    ----------
    listener
        Where the caller connects; closed together with this.
    connect
        Returns a new connection to the service for a caller; raises OSError.
    name
        What the service is called in the log.
    """

    def __init__(
        self,
        listener: socket.socket,
        connect: Callable[[socket.socket], socket.socket],
        name: str,
    ) -> None:
        self._listener = listener
        self._connect = connect
        self._name = name
        self._slots = threading.BoundedSemaphore(_CONNECTIONS)
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def close(self) -> None:
        """Accept no more connections; open ones end with their container."""
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
                with caller:
                    _turn_away(caller)
                log.warning("service has too many connections", service=self._name)

    def _carry(self, caller: socket.socket) -> None:
        try:
            with caller, self._reach(caller) as service:
                service.settimeout(None)
                back = threading.Thread(target=_pump, args=(service, caller), daemon=True)
                back.start()
                _pump(caller, service)
                back.join()
        except OSError as error:
            log.warning("service not reached", service=self._name, reason=str(error))
        finally:
            self._slots.release()

    def _reach(self, caller: socket.socket) -> socket.socket:
        try:
            return self._connect(caller)
        except OSError:
            _turn_away(caller)
            raise


def _turn_away(caller: socket.socket) -> None:
    """Make the end an error for the caller, since an empty answer would look complete."""
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
