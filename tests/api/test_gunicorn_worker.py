"""A server that stops answers everybody whom it let in."""

import os
import signal
import socket
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.services.process import Process
from tests.waiting import eventually
from vantage6.sandbox.ports import free_port

pytestmark = pytest.mark.slow

#: Takes some time, so that others connect while it works.
APP = """
import time
def app(environ, start_response):
    time.sleep(0.05)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
SETTINGS = "from vantage6.api.http.gunicorn_worker import let_nobody_in as on_starting"
CALLERS = 20


def call(port: int) -> str:
    """Send a request on a connection of its own, and return what became of it."""
    try:
        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    except OSError:
        return "refused"
    with connection:
        try:
            connection.sendall(b"POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
            return "answered" if b"200 OK" in connection.recv(1000) else "dropped"
        except OSError:
            return "dropped"


def test_who_connects_while_a_server_stops_is_answered_or_refused_but_never_dropped(tmp_path: Path):
    (tmp_path / "slow.py").write_text(APP)
    (tmp_path / "stop.py").write_text(SETTINGS)
    became: Counter[str] = Counter()
    for _ in range(5):
        port = free_port()
        server = Process(
            [
                *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"),
                *("--worker-class", "vantage6.api.http.gunicorn_worker.Worker", "--workers", "2"),
                *("--threads", "50", "--no-control-socket", "--config", "stop.py", "slow:app"),
            ],
            tmp_path / "log",
        )
        server.wait_until(lambda port=port: call(port) == "answered")
        over = threading.Event()

        def go_on(port: int = port, over: threading.Event = over) -> None:
            while not over.is_set():
                became[call(port)] += 1

        callers = [threading.Thread(target=go_on) for _ in range(CALLERS)]
        for caller in callers:
            caller.start()
        answered, refused = became["answered"], became["refused"]
        eventually(lambda before=answered: became["answered"] > before + 20)
        os.kill(server.pid, signal.SIGTERM)
        eventually(lambda before=refused: became["refused"] > before)
        over.set()
        for caller in callers:
            caller.join(30)
        server.kill()
    assert became["answered"] > 100
    assert became["refused"] > 0
    assert became["dropped"] == 0
