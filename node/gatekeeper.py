"""One WSGI server per running algorithm, on the listening socket that only it can reach."""

import logging
import socket
import threading
from wsgiref.types import WSGIApplication

from waitress.server import create_server
from waitress.wasyncore import close_all

#: Requests of one algorithm that are served at once, and connections that may wait.
_THREADS, _CONNECTIONS = 4, 16
_IDLE_SECONDS = 120

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
        Largest body that is read.
    """

    def __init__(self, listener: socket.socket, app: WSGIApplication, request_bytes: int) -> None:
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
            # Requests and `close` wake the loop; it has nothing to look for by itself.
            asyncore_loop_timeout=_IDLE_SECONDS,
            asyncore_use_poll=True,
            ident=None,
        )
        self._thread = threading.Thread(target=self._serve, name="gatekeeper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving; connections are cut."""
        # Channels belong to the loop's thread, so the loop closes them, and ends without any.
        self._server.trigger.pull_trigger(lambda: close_all(self._channels, ignore_all=True))

    @property
    def is_open(self) -> bool:
        """Whether requests are served."""
        return self._thread.is_alive()

    def _serve(self) -> None:
        self._server.run()
        self._server.task_dispatcher.shutdown()
