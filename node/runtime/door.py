"""The one way out of a container: a listening socket of the node's that only it can reach.

Containers have no network. `NamespaceDoor` makes the socket *inside* the container's network
namespace: a socket belongs to the namespace where it was made, so the node accepts on it while
it stays outside. It needs the rights of root on the engine's machine. `BridgeDoor` is for nodes
without: containers share an internal network in which they cannot see each other, but they can
reach whatever this machine offers on all its addresses.
"""

import ctypes
import os
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

#: Port that algorithms were always given.
PORT = 8080
LOOPBACK = "127.0.0.1"
_BACKLOG = 64
_CLONE_NEWNET = 0x40000000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Opening:
    """Where an algorithm will find the door."""

    host: str
    port: int
    #: The door itself, where it has to exist before the container does.
    listener: socket.socket | None = None


class Door(Protocol):
    """A way to let a container reach the node and nothing else."""

    #: Network mode of the containers.
    network: str

    def reserve(self) -> Opening:
        """Return where the door of a new container will be."""

    def enter(self, container_id: str, pid: int, port: int, host: str = LOOPBACK) -> socket.socket:
        """Return the door of a container that runs and has none."""


class NamespaceDoor:
    """A door inside the container's own network namespace."""

    network = "none"

    def reserve(self) -> Opening:
        """Return the address that all containers use: their own loopback."""
        return Opening(LOOPBACK, PORT)

    def enter(self, container_id: str, pid: int, port: int, host: str = LOOPBACK) -> socket.socket:
        """Make the door in the namespace of the container's process.

        Raises
        ------
        ProcessLookupError
            If the container ended meanwhile.
        OSError
            If the algorithm itself sits on the port.
        """
        return within(container_id, pid, lambda: listen(host, port))


class BridgeDoor:
    """A door on the gateway of an internal network."""

    def __init__(self, network: str, gateway: str) -> None:
        self.network = network
        self._gateway = gateway

    def reserve(self) -> Opening:
        """Listen on a free port of the gateway."""
        listener = listen(self._gateway)
        return Opening(self._gateway, listener.getsockname()[1], listener)

    def enter(
        self,
        container_id: str,  # noqa: ARG002
        pid: int,  # noqa: ARG002
        port: int,
        host: str = LOOPBACK,  # noqa: ARG002
    ) -> socket.socket:
        """Listen again on the port that a container was given."""
        return listen(self._gateway, port)


def listen(host: str, port: int = 0) -> socket.socket:
    """Return a socket that listens on an address.

    Raises
    ------
    OSError
        If the address is not ours or the port is taken.
    """
    return socket.create_server((host, port), backlog=_BACKLOG)


def within(container_id: str, pid: int, call: Callable[[], T]) -> T:
    """Call a function in the network namespace of a container's process.

    Sockets that it makes, and programs that it starts, belong there.

    Raises
    ------
    ProcessLookupError
        If the container ended meanwhile.
    OSError
        As the function raises it.
    """
    try:
        namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    except FileNotFoundError as error:
        raise ProcessLookupError(pid) from error
    try:
        # SECURITY: the number may belong to another process by now. Checked after opening:
        # if it still is the container, then what was opened is the container's.
        if container_id not in _control_groups(pid):
            raise ProcessLookupError(pid)
        return _travel(namespace, call)
    finally:
        os.close(namespace)


def can_enter_namespaces(engine_socket: Path | None) -> bool:
    """Tell whether `NamespaceDoor` will work with the engine behind a Unix socket.

    Two things are tried: entering a namespace (our own, which needs the same rights), and
    whether the engine's process is visible from here, as it is not from inside a container.
    """
    if engine_socket is None:
        return False
    try:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.settimeout(5)
            engine.connect(str(engine_socket))
            credentials = engine.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        if struct.unpack("3i", credentials)[0] == 0:
            return False
        namespace = os.open("/proc/self/ns/net", os.O_RDONLY)
    except OSError:
        return False
    try:
        _travel(namespace, lambda: listen(LOOPBACK)).close()
    except OSError:
        return False
    finally:
        os.close(namespace)
    return True


def _travel(namespace: int, call: Callable[[], T]) -> T:
    """Call a function in another network namespace.

    A namespace is a property of a thread, so a thread is spent on the journey: whatever goes
    wrong, no other code of the node can ever find itself inside a container's network.
    """
    made: list[T] = []
    failed: list[Exception] = []

    def travel() -> None:
        try:
            _set_namespace(namespace)
            made.append(call())
        except Exception as error:
            failed.append(error)

    traveller = threading.Thread(target=travel, name="door")
    traveller.start()
    traveller.join()
    if failed:
        raise failed[0]
    return made[0]


def _set_namespace(namespace: int) -> None:
    if hasattr(os, "setns"):  # Python 3.12 and later
        os.setns(namespace, _CLONE_NEWNET)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _control_groups(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cgroup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
