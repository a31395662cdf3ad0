"""One WSGI server per running algorithm, on the listening socket that only it can reach."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakSet
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import RequestEntityTooLarge

from vantage6.common import logs
from vantage6.node.proxy.memory import SMALL_BYTES
from vantage6.node.proxy.subtasks import AT_ONCE
from vantage6.node.proxy.unread_replies import ALL, UnreadReplies

log = logs.get(__name__)

#: Requests of one algorithm that are served at once, and connections that may wait.
_THREADS, _CONNECTIONS = AT_ONCE, 16
_IDLE_SECONDS = 120
#: Longer than any request to the server can take.
_LAST_WORDS_SECONDS = 600
#: Of one connection; large answers are counted one by one.
_MOST_OF_SMALL_ANSWERS = 2**20
#: Bodies of requests at all proxies together; looked at each time that so much has arrived.
_MOST_BODIES, _STEP = 2**30, 2**20
#: Names the task of waitress in the environment of a request.
_TASK = "vantage6.task"
#: What never reaches the application, by the status of the answer.
_KINDS = {400: "request_garbled", 413: "request_too_large", 431: "request_too_large"}

#: Called with the kind of what was refused.
Refused = Callable[[str], None]

_open: "WeakSet[ProxyServer]" = WeakSet()

# An algorithm that asks much is not news.
logging.getLogger("waitress.queue").setLevel(logging.ERROR)


class ProxyServer:
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
    unread
        Bounds the large answers that wait to be read, of all proxies.
    """

    def __init__(
        self,
        listener: socket.socket,
        app: WSGIApplication,
        request_bytes: int,
        refused: Refused = lambda kind: None,  # noqa: ARG005
        unread: UnreadReplies = ALL,
    ) -> None:
        self._channels: dict[int, object] = {}
        self._app = app
        self._unread = unread
        self._server = create_server(
            self._answer,
            map=self._channels,
            sockets=[listener],
            threads=_THREADS,
            connection_limit=_CONNECTIONS,
            channel_timeout=_IDLE_SECONDS,
            cleanup_interval=_IDLE_SECONDS,
            max_request_body_size=request_bytes,
            max_request_header_size=64 * 1024,
            outbuf_high_watermark=_MOST_OF_SMALL_ANSWERS,
            ident=None,
        )
        self._server.channel_class = _channel(refused, self._parser, unread)
        self._most_waiting = 2 * request_bytes
        self._refused = refused
        self._closing = False
        self._trigger_in_use = threading.Lock()
        _open.add(self)
        self._thread = threading.Thread(target=self._serve, name="proxy", daemon=True)
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

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Let the application answer, and bound the large answers that wait to be read."""
        task = environ.pop(_TASK)
        begun: list[Any] = []

        def begin(*words: Any) -> Callable[[bytes], object]:
            begun.append(words)
            return _no_write

        answer = self._app(environ, begin)
        count = sum(map(len, answer)) if isinstance(answer, list) else 0
        if count > SMALL_BYTES:
            # A file of what was read is there until the connection ends.
            task.set_close_on_finish()
            if not self._unread.take(self, task.channel, count):
                self._refused("answers_unread")
                begun, answer = [_TOO_MUCH_UNREAD], [_TOO_MUCH_UNREAD_BODY]
            elif not task.channel.connected:
                self._unread.forget(task.channel)
        start_response(*begun[-1])
        return answer

    def _has_room(self, *, with_others: bool) -> bool:
        """Tell whether the bodies that are here, whole or not, are few enough.

        SECURITY: they are files in the folder for temporary files, which can be memory as well.
        """
        if self._bodies() > self._most_waiting:
            return False
        return not with_others or sum(other._bodies() for other in list(_open)) <= _MOST_BODIES

    def _bodies(self) -> int:
        channels = list(self._server.active_channels.values())
        bodies = [body for channel in channels for body in (*channel.requests, channel.request)]
        count: int = sum(body.body_bytes_received for body in bodies if body)
        return count

    def _serve(self) -> None:
        was_full = False
        while self._channels and not self._closing:
            # Requests and `close` wake the loop; it has nothing to look for by itself.
            pause = self._unread.pause(self, _IDLE_SECONDS)
            wasyncore.loop(timeout=pause, use_poll=True, map=self._channels, count=1)
            for channel in self._unread.overdue(self):
                self._refused("answers_unread")
                channel.handle_close()
            is_full = len(self._channels) >= _CONNECTIONS
            if is_full and not was_full:
                self._refused("proxy_full")
            was_full = is_full
        self._shut_down()

    def _shut_down(self) -> None:
        """Close everything, the trigger last.

        The trigger is a pipe that waitress writes to by its number. A thread that wrote to the
        closed one would write into another file of that number, so that all writers end first.
        """
        server = self._server
        _open.discard(self)
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

    def __init__(self, settings: Any, has_room: Callable[..., bool]) -> None:
        super().__init__(settings)
        self._has_room = has_room

    def received(self, data: bytes) -> int:
        before = self.body_bytes_received // _STEP
        consumed: int = super().received(data)
        if not self.completed and self.body_bytes_received > SMALL_BYTES:
            is_step = self.body_bytes_received // _STEP > before
            if not self._has_room(with_others=is_step):
                self.error = RequestEntityTooLarge("too many large requests at once")
                self.completed = True
        return consumed


class _Task(WSGITask):  # type: ignore[misc]
    """A request that is answered, which the answer may look at."""

    def get_environment(self) -> WSGIEnvironment:
        environ: WSGIEnvironment = super().get_environment()
        environ[_TASK] = self
        return environ


def _no_write(data: bytes) -> None:
    raise NotImplementedError


_TOO_MUCH_UNREAD_BODY = json.dumps(
    {
        "msg": "Too many large answers wait to be read. Read them to their ends, and ask again.",
        "code": "answers_unread",
    }
).encode()
_TOO_MUCH_UNREAD = (
    "503 Service Unavailable",
    [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(_TOO_MUCH_UNREAD_BODY))),
    ],
)


def _channel(
    refused: Refused, parser: Callable[[Any], _Parser], unread: UnreadReplies
) -> type[HTTPChannel]:
    """Return the kind of connection that tells of the requests which waitress answers itself."""

    class Refusal(ErrorTask):  # type: ignore[misc]
        def execute(self) -> None:
            if kind := _KINDS.get(self.request.error.code):
                refused(kind)
            super().execute()

    class Channel(HTTPChannel):  # type: ignore[misc]
        task_class = _Task
        error_task_class = Refusal
        parser_class = staticmethod(parser)
        request: _Parser | None

        def handle_close(self) -> None:
            super().handle_close()
            unread.forget(self)
            # What arrived of a request that is not whole is a file as well.
            begun, self.request = self.request, None
            if begun is not None:
                begun.close()

    return Channel
