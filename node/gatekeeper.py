"""One WSGI server per running algorithm, on the listening socket that only it can reach."""

import logging
import socket
import threading
from collections.abc import Callable
from typing import Any
from wsgiref.types import WSGIApplication

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.task import ErrorTask
from waitress.utilities import RequestEntityTooLarge

from vantage6.common import logs
from vantage6.node.room import SMALL_BYTES
from vantage6.node.subtasks import AT_ONCE

log = logs.get(__name__)

#: Requests of one algorithm that are served at once, and connections that may wait.
_THREADS, _CONNECTIONS = AT_ONCE, 16
_IDLE_SECONDS = 120
#: Longer than any request to the server can take.
_LAST_WORDS_SECONDS = 600
#: What never reaches the application, by the status of the answer.
_KINDS = {400: "request_garbled", 413: "request_too_large", 431: "request_too_large"}

#: Called with the kind of what was refused.
Refused = Callable[[str], None]

# An algorithm that asks much is not news.
logging.getLogger("waitress.queue").setLevel(logging.ERROR)


class Gatekeeper:
    """Serves an application until it is closed.

    Parameters
    ----------
    listener
        Where requests arrive; closed together with this.
    app
        What answers them.
    request_bytes
        Largest body that is read; twice as much is kept of all that are here at once.
    refused
        Learns of requests that never reach the application.
    """

    def __init__(
        self,
        listener: socket.socket,
        app: WSGIApplication,
        request_bytes: int,
        refused: Refused = lambda kind: None,  # noqa: ARG005
    ) -> None:
        self._channels: dict[int, object] = {}
        self._server = create_server(
            app,
            map=self._channels,
            sockets=[listener],
            threads=_THREADS,
            connection_limit=_CONNECTIONS,
            channel_timeout=_IDLE_SECONDS,
            cleanup_interval=_IDLE_SECONDS,
            max_request_body_size=request_bytes,
            max_request_header_size=64 * 1024,
            ident=None,
        )
        self._server.channel_class = _channel(refused, self._parser)
        self._most_waiting = 2 * request_bytes
        self._refused = refused
        self._closing = False
        self._trigger_in_use = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="gatekeeper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving; connections are cut. Returns at once and may be repeated."""
        with self._trigger_in_use:
            if not self._closing:
                self._closing = True
                self._server.pull_trigger()

    @property
    def is_open(self) -> bool:
        """Whether requests are served."""
        return self._thread.is_alive()

    def _parser(self, settings: Any) -> "_Parser":
        return _Parser(settings, self._has_room)

    def _has_room(self) -> bool:
        """Tell whether the bodies that are here, whole or not, are few enough.

        SECURITY: they are files in the folder for temporary files, which can be memory as well.
        """
        channels = list(self._server.active_channels.values())
        bodies = [body for channel in channels for body in (*channel.requests, channel.request)]
        count: int = sum(body.body_bytes_received for body in bodies if body)
        return count <= self._most_waiting

    def _serve(self) -> None:
        was_full = False
        while self._channels and not self._closing:
            # Requests and `close` wake the loop; it has nothing to look for by itself.
            wasyncore.loop(timeout=_IDLE_SECONDS, use_poll=True, map=self._channels, count=1)
            is_full = len(self._channels) >= _CONNECTIONS
            if is_full and not was_full:
                self._refused("door_full")
            was_full = is_full
        self._shut_down()

    def _shut_down(self) -> None:
        """Close everything, the trigger last.

        The trigger is a pipe that waitress writes to by its number. Whoever wrote after it was
        closed would write into whatever has that number by then, so that all writers end first.
        """
        server = self._server
        wasyncore.dispatcher.close(server)
        for channel in list(server.active_channels.values()):
            channel.handle_close()
        server.task_dispatcher.shutdown(timeout=_LAST_WORDS_SECONDS)
        if server.task_dispatcher.threads:
            log.error("proxy has requests that never end", threads=_THREADS)
            return
        with self._trigger_in_use:
            server.trigger.close()


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """A request that arrives, as long as there is room for it."""

    completed: bool

    def __init__(self, settings: Any, has_room: Callable[[], bool]) -> None:
        super().__init__(settings)
        self._has_room = has_room

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if not self.completed and self.body_bytes_received > SMALL_BYTES and not self._has_room():
            self.error = RequestEntityTooLarge("too many large requests at once")
            self.completed = True
        return consumed


def _channel(refused: Refused, parser: Callable[[Any], _Parser]) -> type[HTTPChannel]:
    """Return the kind of connection that tells of the requests which waitress answers itself."""

    class Refusal(ErrorTask):  # type: ignore[misc]
        def execute(self) -> None:
            if kind := _KINDS.get(self.request.error.code):
                refused(kind)
            super().execute()

    class Channel(HTTPChannel):  # type: ignore[misc]
        error_task_class = Refusal
        parser_class = staticmethod(parser)
        request: _Parser | None

        def handle_close(self) -> None:
            super().handle_close()
            # What arrived of a request that is not whole is a file as well.
            begun, self.request = self.request, None
            if begun is not None:
                begun.close()

    return Channel
