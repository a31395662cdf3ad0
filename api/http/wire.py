"""A client's connection, on which a client cannot keep a thread waiting for ever."""

import errno
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

#: How long a client may be silent at once.
PATIENCE_SECONDS = 20.0
#: How many bytes a client sends or takes in a second, on average, before this is too slow.
LEAST_RATE = 2**14
#: How much of an answer is kept for a client that does not take it at once.
KEPT_BYTES = 2**18


class Pace:
    """How long a client may still keep us waiting.

    It starts with some seconds, loses those that are waited, and gains some for each byte.
    """

    def __init__(self) -> None:
        self._seconds = PATIENCE_SECONDS

    @contextmanager
    def bound(self, connection: socket.socket) -> Iterator[None]:
        """Wait for a client no longer than that.

        Raises
        ------
        ConnectionResetError
            If it takes too long: for gunicorn such a client has gone.
        """
        if self._seconds <= 0:
            raise _end_error()
        connection.settimeout(self._seconds)
        started = time.monotonic()
        try:
            yield
        except TimeoutError as error:
            raise _end_error() from error
        finally:
            self._seconds -= time.monotonic() - started

    def gain(self, size: int) -> None:
        """Count bytes that came or went."""
        self._seconds = min(PATIENCE_SECONDS, self._seconds + size / LEAST_RATE)


def _end_error() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, "The client is too slow.")


class Wire(socket.socket):
    """A connection that gives up slow clients.

    SECURITY: `recv` and `sendall` fail where a client falls below the least rate, so that each
    thread is free again after a while.

    What `sendall` cannot get rid of at once it keeps, up to `KEPT_BYTES`: the thread is free for
    others, and the event loop sends the rest with `send_kept`.

    Parameters
    ----------
    accepted
        The connection, which this one takes over.
    """

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, accepted.detach())
        self.kept = bytearray()
        self.begin()

    def begin(self) -> None:
        """Start a request with all patience."""
        self._reading, self._writing = Pace(), Pace()
        self._is_in_a_hurry = False

    def hurry(self) -> None:
        """Let `recv` wait for nothing until the next request begins."""
        self._is_in_a_hurry = True

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Return what the client sent, once there is something."""
        if self._is_in_a_hurry:
            if (here := self.recv_now(size)) is None:
                raise TimeoutError
            return here
        with self._reading.bound(self):
            some = super().recv(size, flags)
        self._reading.gain(len(some))
        return some

    def recv_now(self, size: int) -> bytes | None:
        """Return what the client sent; None if there is nothing yet."""
        self._stop_blocking()
        try:
            return super().recv(size)
        except BlockingIOError:
            return None

    def shutdown(self, how: int) -> None:
        """End the own side; after that nothing is worth a thread's waiting.

        SECURITY: gunicorn reads on in the thread after an answer that breaks off.
        """
        self.hurry()
        super().shutdown(how)

    def sendall(self, data: bytes, flags: int = 0) -> None:  # type: ignore[override]
        """Send bytes, or keep some of them for `send_kept`."""
        sent = 0
        if not self.kept:
            # PERF: most clients take it all at once, and nothing is copied.
            self._stop_blocking()
            with suppress(BlockingIOError):
                sent = self.send(data, flags)
        self.kept += memoryview(data)[sent:]
        while len(self.kept) > KEPT_BYTES:
            with self._writing.bound(self):
                sent = self.send(memoryview(self.kept)[:KEPT_BYTES], flags)
            del self.kept[:sent]
            self._writing.gain(sent)

    def send_kept(self) -> bool:
        """Send what the client takes at this moment, and tell whether that is all."""
        self._stop_blocking()
        while self.kept:
            try:
                sent = self.send(memoryview(self.kept)[:KEPT_BYTES])
            except BlockingIOError:
                return False
            del self.kept[:sent]
        return True

    def _stop_blocking(self) -> None:
        if self.gettimeout() != 0:
            self.setblocking(False)
