"""A WSGI application behind a port, in threads of the tests."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Keep the output of the tests free of requests."""


class _Threads(ThreadingMixIn, WSGIServer):
    """One thread per connection, which nobody waits for."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """Keep it free of clients that went away, too."""


@contextmanager
def serving(app: Any) -> Iterator[int]:
    """Give the port of loopback on which an application is served."""
    with make_server("127.0.0.1", 0, app, _Threads, _Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()
