"""Ports for servers that start a moment after their port was chosen."""

import fcntl
import os
import random
import socket
import tempfile
from functools import cache
from pathlib import Path

#: Below those that systems give to connections by themselves.
_FIRST, _LAST = 10_000, 32_767
_ATTEMPTS = 1000


def free_port() -> int:
    """Return a TCP port of the loopback interface that nothing listens on.

    No other process that asks gets the same one as long as this process lives.

    Raises
    ------
    OSError
        If there is none.
    """
    chance = random.SystemRandom()
    for _ in range(_ATTEMPTS):
        port = chance.randint(_FIRST, _LAST)
        if port not in _own_ports() and _is_free(port) and _lock(port):
            _own_ports().add(port)
            return port
    raise OSError(f"no port between {_FIRST} and {_LAST} is free")


@cache
def _own_ports() -> set[int]:
    """Return the ports that this process was given: its own locks do not keep it out."""
    return set()


@cache
def _lock_file() -> int:
    """Open the file in which a byte is locked for each port; it stays open."""
    path = Path(tempfile.gettempdir()) / f"v6-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def _lock(port: int) -> bool:
    try:
        fcntl.lockf(_lock_file(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except BlockingIOError:
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
