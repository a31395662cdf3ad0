"""gunicorn's worker with threads, stopping without turning anybody away."""

import ctypes
import socket
import struct
import sys
import time
from contextlib import suppress
from typing import Any

import gunicorn.glogging  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

#: For how long callers that the kernel has let in already can complete their connection.
_LAST_CALL_SECONDS = 0.05

#: Linux's name is missing in Python's module.
_SO_ATTACH_FILTER = 26
#: What the kernel runs on each packet for a listening socket (operation, jumps, value; see
#: "Linux Socket Filtering" in the documentation of Linux): of the flags of TCP, at byte 13, SYN
#: without ACK asks for a new connection. Such a packet is ignored, all others come through.
_NO_NEW_CONNECTIONS = (
    struct.pack("HBBI", 0x30, 0, 0, 13)
    + struct.pack("HBBI", 0x54, 0, 0, 0x12)
    + struct.pack("HBBI", 0x15, 0, 1, 0x02)
    + struct.pack("HBBI", 0x06, 0, 0, 0)
    + struct.pack("HBBI", 0x06, 0, 0, 0xFFFFFFFF)
)


class Logger(gunicorn.glogging.Logger):  # type: ignore[misc]
    """Writes no line for a request, as ours is written, and spends no time on one either."""

    def access(self, *_: Any) -> None:
        """Write nothing."""


def let_nobody_in(server: Any) -> None:
    """Have the kernel ignore new connections from the moment at which a server begins to stop.

    They are asked for again a second later, by then of another replica or of nobody. A worker that
    ends alone does not come here: the door is open for the others.

    Parameters
    ----------
    server : gunicorn.arbiter.Arbiter
        As gunicorn hands it to the hook `on_starting`.
    """
    stop = server.stop

    def shut_and_stop(graceful: bool = True) -> None:
        # Of systemd, or of the master that follows this one, the socket goes on to be used.
        is_ours = not (server.systemd or server.reexec_pid or server.master_pid)
        if is_ours and sys.platform == "linux":
            program = ctypes.create_string_buffer(_NO_NEW_CONNECTIONS)
            settings = struct.pack("HP", len(_NO_NEW_CONNECTIONS) // 8, ctypes.addressof(program))
            for listener in server.LISTENERS:
                with suppress(OSError):
                    listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, settings)
        stop(graceful)

    server.stop = shut_and_stop


class Worker(ThreadWorker):  # type: ignore[misc]
    """Leaves nobody in the queue of a door that closes.

    gunicorn stops to accept, finishes what it has begun, and closes its listening sockets in the
    end. Whoever connected meanwhile would lose the connection after sending a request, which a
    proxy may not send again unless it changes nothing. So here the queue is emptied and the door
    closed before anything else: later callers are refused, and a proxy tries another replica.
    Nobody joins the queue between its last look and the close where `let_nobody_in` came first.
    """

    def set_accept_enabled(self, enabled: Any) -> None:
        """Accept or not; a worker that stops accepts who waits, and closes the door."""
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        deadline = time.monotonic() + _LAST_CALL_SECONDS
        for listener in self.sockets:
            listener.setblocking(False)
        while True:
            is_over = time.monotonic() > deadline
            for listener in self.sockets:
                self._empty(listener)
            if is_over:
                break
            time.sleep(0.001)
        for listener in self.sockets:
            with suppress(OSError):
                listener.close()

    def _empty(self, listener: Any) -> None:
        accepted = -1
        while accepted != self.nr_conns:
            accepted = self.nr_conns
            self.accept(listener)
