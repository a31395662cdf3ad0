"""Sockets of the node's inside the network namespaces of containers.

A socket belongs to the namespace where it was made, so the node uses it while it stays outside.
Root goes in with a thread. A rootless engine's containers belong to a user namespace of the user
who started the engine: a program of that user joins it first, and thereby may do the same.
"""

import errno
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from vantage6.node.runtime.namespace_helper import NEW_NETWORK, join, make

_HELPER = Path(__file__).with_name("namespace_helper.py")
#: What the helper takes besides the connection that it makes.
_HELPER_SECONDS = 10

T = TypeVar("T")


class NotAllowedError(PermissionError):
    """Only a node that runs as root may do this in the network of a container."""


def within(container_id: str, pid: int, call: Callable[[], T]) -> T:
    """Call a function in the network namespace of a container's process.

    Sockets that it makes, and programs that it starts, belong there.

    Raises
    ------
    ProcessLookupError
        If the container ended meanwhile.
    NotAllowedError
        If this node does not run as root.
    OSError
        As the function raises it.
    """
    with _namespace(container_id, pid) as namespace:
        return travel(namespace, call)


def listen_within(container_id: str, pid: int, host: str, port: int) -> socket.socket:
    """Return a socket that listens in the network namespace of a container's process.

    Raises
    ------
    ProcessLookupError
        If the container ended meanwhile.
    OSError
        If the port is taken, or the namespace belongs to another user.
    """
    return _make_within(container_id, pid, "listen", host, port)


def connect_within(
    container_id: str, pid: int, host: str, port: int, seconds: float
) -> socket.socket:
    """Return a connection from within the network namespace of a container's process.

    Raises
    ------
    ProcessLookupError
        If the container ended meanwhile.
    OSError
        If the port does not answer in time, or the namespace belongs to another user.
    """
    return _make_within(container_id, pid, "connect", host, port, seconds)


def _make_within(
    container_id: str, pid: int, verb: str, host: str, port: int, seconds: float = 0
) -> socket.socket:
    with _namespace(container_id, pid) as namespace:
        try:
            return travel(namespace, partial(make, verb, host, port, seconds))
        except NotAllowedError:
            return _run_helper(namespace, verb, host, port, seconds)


@contextmanager
def _namespace(container_id: str, pid: int) -> Iterator[int]:
    """Give the network namespace of a container's process."""
    process = Path(f"/proc/{pid}")
    try:
        namespace = os.open(process / "ns/net", os.O_RDONLY)
    except FileNotFoundError as error:
        raise ProcessLookupError(pid) from error
    try:
        # SECURITY: the number may belong to another process by now. Checked after opening:
        # if it still is the container, then what was opened is the container's.
        if not is_process_of(container_id, process):
            raise ProcessLookupError(pid)
        yield namespace
    finally:
        os.close(namespace)


def is_process_of(container_id: str, process: Path) -> bool:
    """Tell whether a process, by its folder in ``/proc``, belongs to a container.

    Every engine mounts files of its own into a container (its name, its hosts), which it keeps in
    a folder with the container's id. A container can mount nothing, hence cannot pretend; control
    groups would tell as well, but a rootless engine may have none.
    """
    try:
        return container_id in (process / "mountinfo").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    except OSError as error:
        # What ended and was not collected yet has no mounts any more.
        if error.errno == errno.EINVAL:
            return False
        raise


def travel(namespace: int, call: Callable[[], T]) -> T:
    """Call a function in another network namespace.

    A namespace is a property of a thread, so a thread of its own enters it: even if that goes
    wrong, no other code of the node can ever find itself inside a container's network.

    Raises
    ------
    NotAllowedError
        If this process may not go there.
    """
    made: list[T] = []
    failed: list[Exception] = []

    def go() -> None:
        try:
            try:
                join(namespace, NEW_NETWORK)
            except PermissionError as error:
                raise NotAllowedError(error.errno, NotAllowedError.__doc__) from error
            made.append(call())
        except Exception as error:
            failed.append(error)

    traveller = threading.Thread(target=go, name="namespace")
    traveller.start()
    traveller.join()
    if failed:
        raise failed[0]
    return made[0]


def _run_helper(namespace: int, verb: str, host: str, port: int, seconds: float) -> socket.socket:
    """Let a process of its own make a socket in a namespace that our user owns."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            descriptors = (namespace, theirs.fileno())
            what = (verb, host, str(port), str(seconds), *map(str, descriptors))
            try:
                done = subprocess.run(  # noqa: S603 (every part of it is ours)
                    [sys.executable, "-I", "-S", _HELPER, *what],
                    # SECURITY: it goes into the network of a program that is not trusted, with
                    # nothing but what it needs there.
                    env={},
                    cwd="/",
                    pass_fds=descriptors,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=_HELPER_SECONDS + seconds,
                    check=False,
                )
            except subprocess.TimeoutExpired as error:
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from error
        message, found, _, _ = socket.recv_fds(ours, 16, 1)
    if found:
        return socket.socket(fileno=found[0])
    if message:
        number = int(message)
        raise OSError(number, os.strerror(number))
    said = done.stderr.decode(errors="replace").strip()[-200:]
    raise OSError(f"the way into the container's network failed: {said}")
