"""How gunicorn stops without refusing a client, and how it waits for clients without threads."""

import ctypes
import errno
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

import gunicorn.glogging  # type: ignore[import-untyped]
from gunicorn import util
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from gunicorn.workers.gthread import (  # type: ignore[import-untyped]
    STOP_KEEPALIVE_LINGER,
    TConn,
    ThreadWorker,
)

from vantage6.api.http.incoming import CONTINUE, Incoming, TooLong
from vantage6.api.http.limits import network_of
from vantage6.api.http.wire import Wire

#: For how long callers that the kernel has let in already can complete their connection.
_LAST_CALL_SECONDS = 0.05

#: How long the head of a request and a small body may take, and what is left of an answer.
_RECEIVING_SECONDS = _SENDING_SECONDS = 20.0
#: How long a client may take to close its side, and no more than these bytes are thrown away.
_LINGERING_SECONDS = 2.0
_LINGERING_BYTES = 2**24
#: How long any of these may take once the worker is to stop.
_LAST_WAIT_SECONDS = 5.0
#: How often the event loop looks for what has taken too long.
_LOOK_SECONDS = 0.5
#: Connections that wait for their client; of more the oldest is closed.
MOST_WAITING = 1000
_PART_BYTES = 2**16
#: Others have their turn after so many parts.
_PARTS_AT_ONCE = 16

#: What says that a listening socket itself is of no use; all else is about one connection on it.
_UNUSABLE = (errno.EBADF, errno.EINVAL, errno.ENOTSOCK)

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

    Clients repeat them a second later, by then at another replica if there is one. A worker that
    ends alone does not come here: the listening socket stays open for the others.

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


class Connection(TConn):  # type: ignore[misc]
    """A connection, and the request that comes on it.

    Parameters
    ----------
    counted
        How many connections each client has, by `network_of` its address.
    given
        What gunicorn wants to know of a connection.
    """

    def __init__(self, counted: Counter[str], *given: Any) -> None:
        super().__init__(*given)
        # A thread begins when there is a request, and never waits for one.
        self.data_ready = True
        self.incoming = Incoming()
        #: When what the client does now has to be over.
        self.deadline: float | None = None
        self.is_to_stay = False
        self.is_closed = False
        self.thrown_away = 0
        # SECURITY: a client may have each address of an IPv6 network.
        self.network = network_of(str(self.client[0])) if isinstance(self.client, tuple) else ""
        self._counted = counted
        counted[self.network] += 1

    def close(self, graceful: bool = False) -> None:  # noqa: ARG002  (gunicorn's name)
        """Close the connection at once; the worker does the graceful part without waiting."""
        # The socket does not tell: gunicorn closes it alone where an answer breaks off.
        if not self.is_closed:
            self.is_closed = True
            self._counted[self.network] -= 1
            if not self._counted[self.network]:
                del self._counted[self.network]
        super().close()


class Worker(ThreadWorker):  # type: ignore[misc]
    """Gives threads to requests that are here, and empties the backlog before it closes a socket.

    SECURITY: a client that sends its request slowly, or takes its answer slowly, costs a
    connection and no thread: the event loop receives the head and a small body before a thread
    begins, and sends what a client did not take. All that has a deadline, and of too many such
    connections the one with the next deadline is closed. What goes wrong with a connection ends
    that one, and never the event loop of all.

    gunicorn stops to accept, finishes what it has begun, and closes its listening sockets in the
    end. A client that connected meanwhile would lose the connection after sending a request, which
    a proxy may not send again unless it changes nothing. So here the backlog is emptied and the
    socket closed before anything else: later callers are refused, and a proxy tries another
    replica. No connection joins the backlog between its last look and the close where
    `let_nobody_in` came first.
    """

    #: Connections of one client address; None where all come from a proxy.
    most_of_an_address: int | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Connections that wait for their client, with the moment at which each is closed.
        self._waiting: dict[Connection, float] = {}
        self._addresses: Counter[str] = Counter()
        self._looked = 0.0

    # Clients come

    def accept(self, listener: Any) -> None:
        """Let a client in, and receive what it has sent."""
        try:
            accepted, address = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._close_first(self._waiting)
            elif error.errno in _UNUSABLE:
                raise
            return
        self.nr_conns += 1
        wire, here = Wire(accepted), listener.getsockname()
        conn = Connection(self._addresses, self.cfg, wire, address, here)
        most = self.most_of_an_address
        # SECURITY: one address does not take the place of all others.
        if most and self._addresses[conn.network] > most:
            own = [one for one in self._waiting if one.network == conn.network]
            if not self._close_first(own):
                self._close(conn)
                return
        self._serve(conn, self._receive)

    def on_client_socket_readable(self, conn: Connection, client: Any) -> None:
        """Receive the next request of a client that keeps its connection."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._serve(conn, self._receive)

    def _serve(self, conn: Connection, step: Callable[[Connection], None]) -> None:
        """Take the next step for a connection, unless it was closed since this step was due."""
        if conn.is_closed:
            return
        # SECURITY: what is raised in the event loop ends the process and all of its requests.
        try:
            step(conn)
        except OSError as error:
            self.log.debug("Connection closed: %s", error)
            self._close(conn)
        except Exception:
            self.log.exception("A connection failed.")
            self._close(conn)

    def _receive(self, conn: Connection, ahead: bytes = b"") -> None:
        """Take what a client sent, and give the request to a thread once it is here."""
        self._stop_waiting(conn)
        try:
            is_here = self._has_come(conn, ahead)
        except TooLong:
            conn.is_to_stay = False
            util.write_error(conn.sock, 431, "Request Header Fields Too Large", "")
            self._finish(conn)
            return
        if is_here is None:
            self._close(conn)
        elif is_here:
            conn.init()
            conn.parser.unreader.unread(bytes(conn.incoming.data))
            conn.incoming, conn.deadline = Incoming(), None
            conn.sock.begin()
            self.enqueue_req(conn)
        else:
            self._wait(conn, EVENT_READ, _RECEIVING_SECONDS, self._receive)

    @staticmethod
    def _has_come(conn: Connection, ahead: bytes) -> bool | None:
        """Tell whether a thread can begin; None if the client has gone."""
        incoming = conn.incoming
        some = ahead or conn.sock.recv_now(_PART_BYTES)
        while some is not None:
            is_enough = incoming.add(some)
            if incoming.wants_word:
                incoming.wants_word = False
                conn.sock.sendall(CONTINUE)
            if is_enough or not some:
                return is_enough or None
            some = conn.sock.recv_now(_PART_BYTES)
        return False

    # Clients are answered

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """Tell whether the connection can serve again: not if a body would have to be awaited."""
        conn.sock.hurry()
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except (OSError, ParseException):
            # SECURITY: a body that is none. The request has its answer, and gets no second one,
            # which a proxy could take for that of the next request.
            return False

    def finish_request(self, conn: Connection, future: Any) -> None:
        """Send the rest of an answer once the thread has done its work."""
        failed = future.cancelled() or future.exception() is not None
        conn.is_to_stay = not failed and future.result() is True
        self._serve(conn, self._finish)

    def _finish(self, conn: Connection) -> None:
        """Send what the client takes, then wait for more of that, for a next request or its end."""
        self._stop_waiting(conn)
        if not conn.sock.send_kept():
            self._wait(conn, EVENT_WRITE, _SENDING_SECONDS, self._finish)
            return
        conn.deadline = None
        if conn.is_to_stay:
            self._keep(conn)
        else:
            conn.sock.shutdown(socket.SHUT_WR)
            self._linger(conn)

    def _keep(self, conn: Connection) -> None:
        """Keep a connection for the next request, of which something may be here already."""
        if ahead := conn.parser.unreader.take_buffered():
            self._receive(conn, ahead)
            return
        conn.sock.setblocking(False)
        conn.set_timeout()
        if not self.alive:
            conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
        self.keepalived_conns.append(conn)
        on_more = partial(self.on_client_socket_readable, conn)
        self.poller.register(conn.sock, EVENT_READ, on_more)

    def _linger(self, conn: Connection) -> None:
        """Let the client read its answer before the connection is closed (RFC 9112, 9.6)."""
        self._stop_waiting(conn)
        for _ in range(_PARTS_AT_ONCE):
            if (some := conn.sock.recv_now(_PART_BYTES)) is None:
                break
            conn.thrown_away += len(some)
            if not some or conn.thrown_away > _LINGERING_BYTES:
                self._close(conn)
                return
        self._wait(conn, EVENT_READ, _LINGERING_SECONDS, self._linger)

    # Clients are slow

    def _wait(
        self, conn: Connection, event: int, seconds: float, then: Callable[[Connection], None]
    ) -> None:
        """Wait until a client sends or takes something, until its deadline."""
        if len(self._waiting) >= MOST_WAITING:
            self._close_first(self._waiting)
        if conn.deadline is None:
            conn.deadline = time.monotonic() + self._limit(seconds)
        self.poller.register(conn.sock, event, lambda _: self._serve(conn, then))
        self._waiting[conn] = conn.deadline

    def _stop_waiting(self, conn: Connection) -> None:
        if self._waiting.pop(conn, None) is not None:
            self.poller.unregister(conn.sock)

    def _limit(self, seconds: float) -> float:
        return seconds if self.alive else min(seconds, _LAST_WAIT_SECONDS)

    def _close_first(self, among: Collection[Connection]) -> bool:
        """Close the connection that has the next deadline; tell whether there is one."""
        if among:
            self._close(min(among, key=self._waiting.__getitem__))
        return bool(among)

    def _close(self, conn: Connection) -> None:
        """Close a connection at once; once more does nothing."""
        if conn.is_closed:
            return
        self._stop_waiting(conn)
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """Close connections whose client was too slow."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        for conn, deadline in list(self._waiting.items()):
            if now > deadline:
                self._close(conn)

    # The worker stops

    def set_accept_enabled(self, enabled: Any) -> None:
        """Accept or not; a worker that stops accepts the whole backlog, then closes the socket."""
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
        last = time.monotonic() + _LAST_WAIT_SECONDS
        for conn, until in self._waiting.items():
            conn.deadline = self._waiting[conn] = min(until, last)

    def _empty(self, listener: Any) -> None:
        accepted = -1
        while accepted != self.nr_conns:
            accepted = self.nr_conns
            self.accept(listener)
