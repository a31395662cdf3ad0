"""The one way out of a container: a listening socket of the node's that only it can reach.

Containers have no network. `NamespaceListeners` makes the socket *inside* the container's network
namespace: a socket belongs to the namespace where it was made, so the node accepts on it while
it stays outside. It needs the rights of root on the engine's machine, or a rootless engine of
the node's own user. `BridgeListeners` is for nodes without: containers share an internal network in
which they cannot see each other, but they can reach each port that this machine opens on all its
addresses.
"""

import os
import socket
import struct
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import urlsplit

import docker
from docker.errors import NotFound

from vantage6.common.errors import ConfigurationError
from vantage6.node.runtime.namespace_helper import listen
from vantage6.node.runtime.namespaces import listen_within, travel

#: Port that algorithms were always given.
PORT = 8080
LOOPBACK = "127.0.0.1"
_CONNECT_SECONDS = 5
#: Take an address that the machine does not have yet.
_IP_FREEBIND = 15


@dataclass(frozen=True, slots=True)
class Reservation:
    """Where an algorithm will find the listener."""

    host: str
    port: int
    #: The listener itself, where it has to exist before the container does.
    listener: socket.socket | None = None


class Listeners(Protocol):
    """A way to let a container reach the node and nothing else."""

    #: Network mode of the containers.
    network: str

    def reserve(self) -> Reservation:
        """Return where the listener of a new container will be."""

    def listen(self, container_id: str, pid: int, port: int, host: str = LOOPBACK) -> socket.socket:
        """Return the listener of a container that runs and has none."""


class NamespaceListeners:
    """A listener inside the container's own network namespace."""

    network = "none"

    def reserve(self) -> Reservation:
        """Return the address that all containers use: their own loopback."""
        return Reservation(LOOPBACK, PORT)

    def listen(self, container_id: str, pid: int, port: int, host: str = LOOPBACK) -> socket.socket:
        """Make the listener in the namespace of the container's process.

        Raises
        ------
        ProcessLookupError
            If the container ended meanwhile.
        OSError
            If the algorithm itself sits on the port.
        """
        return listen_within(container_id, pid, host, port)


class BridgeListeners:
    """A listener on the gateway of an internal network."""

    def __init__(self, network: str, gateway: str, *, is_ahead: bool = False) -> None:
        self.network = network
        self._gateway = gateway
        self._is_ahead = is_ahead

    @classmethod
    def on(
        cls, engine: docker.APIClient, network: str, labels: dict[str, str], *, is_podman: bool
    ) -> Self:
        """Return the listener on an internal network of an engine, made if it is not there."""
        try:
            details = engine.inspect_network(network)
        except NotFound:
            engine.create_network(
                network,
                driver="bridge",
                internal=True,
                check_duplicate=True,
                options={"com.docker.network.bridge.enable_icc": "false"},
                labels=labels,
            )
            details = engine.inspect_network(network)
        pool = details["IPAM"]["Config"][0]
        # Not every engine says it; by convention it is the first address.
        gateway = pool.get("Gateway") or str(next(ip_network(pool["Subnet"]).hosts()))
        # Podman makes the bridge, and with it the gateway, for the first container.
        return cls(network, gateway, is_ahead=is_podman)

    def reserve(self) -> Reservation:
        """Listen on a free port of the gateway."""
        listener = self._listen()
        return Reservation(self._gateway, listener.getsockname()[1], listener)

    def listen(
        self,
        container_id: str,  # noqa: ARG002
        pid: int,  # noqa: ARG002
        port: int,
        host: str = LOOPBACK,  # noqa: ARG002
    ) -> socket.socket:
        """Listen again on the port that a container was given."""
        return self._listen(port)

    def _listen(self, port: int = 0) -> socket.socket:
        if not self._is_ahead:
            return listen(self._gateway, port)
        listener = socket.socket()
        try:
            listener.setsockopt(socket.SOL_IP, _IP_FREEBIND, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._gateway, port))
            listener.listen()
        except OSError:
            listener.close()
            raise
        return listener


def can_enter_containers(engine: str, *, is_rootless: bool) -> bool:
    """Tell whether `NamespaceListeners` works with the engine at an address.

    Raises
    ------
    ConfigurationError
        If it is the rootless engine of another user.
    """
    path = engine_socket(engine)
    return can_enter_namespaces(path) or (is_rootless and is_own(path))


def engine_socket(engine: str) -> Path | None:
    """Return the Unix socket at the address of an engine, if it is one."""
    address = urlsplit(engine)
    return Path(address.path) if address.scheme == "unix" else None


def can_enter_namespaces(engine_socket: Path | None) -> bool:
    """Tell whether root's way into containers works with the engine behind a Unix socket.

    Two things are tried: entering a namespace (our own, which needs the same rights), and
    whether the engine's process is visible from here, as it is not from inside a container.
    """
    if not socket_owner(engine_socket)[0]:
        return False
    namespace = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        travel(namespace, partial(listen, LOOPBACK)).close()
    except OSError:
        return False
    finally:
        os.close(namespace)
    return True


def is_own(engine_socket: Path | None) -> bool:
    """Tell whether our user keeps the rootless engine behind a Unix socket, on this machine.

    Then the containers' namespaces are ours too, and are entered without the rights of root.

    Raises
    ------
    ConfigurationError
        If it is another user, whose engine cannot read what this node gives to algorithms.
    """
    if engine_socket is None:
        return False
    pid, uid = socket_owner(engine_socket)
    if pid and uid != os.getuid():
        raise ConfigurationError(
            f"docker_host: the engine at {engine_socket} is a rootless one of user {uid}; run the "
            "node as that user."
        )
    return pid != 0


def socket_owner(engine_socket: Path | None) -> tuple[int, int]:
    """Return process and user behind a Unix socket; process 0 is none that is visible here."""
    if engine_socket is None:
        return 0, 0
    try:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.settimeout(_CONNECT_SECONDS)
            engine.connect(str(engine_socket))
            credentials = engine.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    except OSError:
        return 0, 0
    pid, uid, _ = struct.unpack("3i", credentials)
    return pid, uid
