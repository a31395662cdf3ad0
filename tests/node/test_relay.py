"""The way from a container to a service, byte by byte."""

import socket
import threading
from contextlib import ExitStack, closing

import pytest

from vantage6.node.runtime.relay import Relay


def test_caller_of_a_service_that_is_away_gets_an_error() -> None:
    def away(_: socket.socket) -> socket.socket:
        raise ConnectionRefusedError

    listener = socket.create_server(("127.0.0.1", 0))
    # The error may come before the connection has been looked at for the first time.
    with (
        closing(Relay(listener, away, "away")),
        pytest.raises(ConnectionResetError),
        socket.create_connection(listener.getsockname(), 10) as caller,
    ):
        caller.recv(1)


def test_caller_beyond_the_limit_gets_an_error() -> None:
    service = socket.create_server(("127.0.0.1", 0), backlog=100)
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    with (
        closing(service),
        closing(
            Relay(listener, lambda _: socket.create_connection(service.getsockname(), 10), "x")
        ),
        ExitStack() as callers,
    ):
        first = [
            callers.enter_context(socket.create_connection(listener.getsockname(), 10))
            for _ in range(32)
        ]
        # Each has its way to the service by the time at which the next one comes.
        for caller in first:
            caller.sendall(b"x")
            there, _ = service.accept()
            callers.enter_context(there)
        with pytest.raises(ConnectionResetError):
            callers.enter_context(socket.create_connection(listener.getsockname(), 10)).recv(1)


def test_each_end_may_stop_sending_before_the_other() -> None:
    service = socket.create_server(("127.0.0.1", 0))
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        there, _ = service.accept()
        with there, there.makefile("rb") as received:
            there.sendall(received.read()[::-1])

    serving = threading.Thread(target=serve)
    serving.start()
    with (
        closing(service),
        closing(
            Relay(listener, lambda _: socket.create_connection(service.getsockname(), 10), "x")
        ),
        socket.create_connection(listener.getsockname(), 10) as caller,
    ):
        sent = bytes(range(256)) * 2000
        caller.sendall(sent)
        caller.shutdown(socket.SHUT_WR)
        with caller.makefile("rb") as received:
            assert received.read() == sent[::-1]
        serving.join(10)
