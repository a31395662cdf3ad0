"""The algorithms that take part in the VPN: how they reach others, and how others reach them.

An algorithm keeps its empty network. Its connections to addresses of the VPN end at a listener of
the node's in its own namespace, from where the node carries the bytes into the VPN; for each of
its ports the node listens in the VPN. Nothing of the machine's own network is changed.
"""

import random
import socket
import struct
import subprocess
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import docker

from vantage6.client.node_client import NodeClient
from vantage6.common import logs
from vantage6.common.errors import V6Error
from vantage6.node.runtime.namespace_helper import listen
from vantage6.node.runtime.namespaces import connect_within, within
from vantage6.node.runtime.relay import CONNECT_SECONDS, Relay
from vantage6.node.services.container import ServiceContainer
from vantage6.node.services.peers import Peers
from vantage6.node.services.vpn import DEVICE
from vantage6.node.services.vpn_filter import program

log = logs.get(__name__)

#: Label of a container that takes part.
LABEL = "vpn"
_FIRST_PORT, _LAST_PORT = 49152, 65534
_TRIES = 100
#: As many as the server takes for a result.
_MOST_PORTS = 100
#: Where an algorithm listens whose image declares nothing.
_DEFAULT_PORT = 8888
#: Others know the port of an algorithm before the algorithm listens.
_PATIENCE_SECONDS, _LOOK_SECONDS = 10.0, 0.1
_SO_ORIGINAL_DST = 80
_COMMAND_SECONDS = 30


@dataclass
class Member:
    """One algorithm in the VPN."""

    result_id: int
    container: str
    pid: int
    #: Port of the algorithm, and its label.
    ports: dict[int, str | None]
    #: Port of the algorithm to that in the VPN, which is kept over reconnections.
    inner_ports: dict[int, int] = field(default_factory=dict)
    outward: Relay | None = None
    inward: list[Relay] = field(default_factory=list)

    def dial(self, port: int) -> socket.socket:
        """Connect to a port of the algorithm; waits a moment for one that has just begun."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return connect_within(self.container, self.pid, "127.0.0.1", port, CONNECT_SECONDS)
            except ConnectionRefusedError:
                if time.monotonic() > end:
                    raise
            time.sleep(_LOOK_SECONDS)

    def answer(self, port: int, _: socket.socket) -> socket.socket:
        """Connect to a port of the algorithm for a member of the VPN."""
        return self.dial(port)

    def shut(self) -> None:
        """Accept no more connections."""
        for relay in self.inward:
            relay.close()
        self.inward.clear()


class Members:
    """All algorithms of this node that are in the VPN.

    Parameters
    ----------
    engine
        What runs them.
    server
        Shows their ports to other algorithms.
    container
        Where the VPN's device is.
    subnet
        The only addresses that they reach.

    Raises
    ------
    ConfigurationError
        If this machine lacks a program for it.
    """

    def __init__(
        self,
        engine: docker.APIClient,
        server: NodeClient,
        container: ServiceContainer,
        subnet: IPv4Network,
    ) -> None:
        self._engine = engine
        self._server = server
        self._container = container
        self._subnet = subnet
        self._ip, self._iptables = program("ip"), program("iptables")
        self._lock, self._telling = threading.Lock(), threading.Lock()
        self._members: dict[int, Member] = {}
        self._address: IPv4Address | None = None

    def connected(self, address: IPv4Address) -> None:
        """Open the ports of all members under a new address."""
        with self._lock:
            self._address = address
            members = list(self._members.values())
            for member in members:
                member.shut()
                self._open(member)
        for member in members:
            self._announce(member)

    def join(self, result_id: int, container: str, peers: Peers) -> None:
        """Let a running algorithm take part, if its container says that it may.

        Parameters
        ----------
        result_id
            What it computes.
        container
            Where it runs.
        peers
            The algorithms that it may reach.
        """
        try:
            details = self._engine.inspect_container(container)
            config, pid = details["Config"], details["State"]["Pid"]
            if not config["Labels"].get(LABEL) or not pid:
                return
            member = Member(result_id, details["Id"], pid, _ports(config))
            listener = within(member.container, pid, self._way_out)
        except Exception as error:  # an algorithm without a VPN is better than none
            log.error("algorithm not in the VPN", result_id=result_id, reason=str(error))
            return
        member.outward = Relay(listener, partial(self._dial_out, peers), "VPN")
        with self._lock:
            self._members[result_id] = member
            if self._address is not None:
                self._open(member)
        self._announce(member)

    def leave(self, result_id: int) -> None:
        """Close the ports of an algorithm that ended."""
        with self._lock:
            member = self._members.pop(result_id, None)
            if member is not None:
                member.shut()
        if member is not None and member.outward is not None:
            member.outward.close()
            self._announce(member)

    def _way_out(self) -> socket.socket:
        """Lead what goes to the VPN to a listener of ours; called in the algorithm's namespace."""
        listener = listen("127.0.0.1")
        port = str(listener.getsockname()[1])
        subnet = str(self._subnet)
        rule = ["OUTPUT", "-d", subnet, "-p", "tcp", "-j", "REDIRECT", "--to-ports", port]
        for command in (
            [self._ip, "route", "replace", "local", subnet, "dev", "lo"],
            # What an earlier life of the node left leads nowhere.
            [self._iptables, "-w", "-t", "nat", "-F", "OUTPUT"],
            [self._iptables, "-w", "-t", "nat", "-A", *rule],
        ):
            done = subprocess.run(  # noqa: S603 (every part of it is ours)
                command, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False
            )
            if done.returncode:
                listener.close()
                raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
        return listener

    def _dial_out(self, peers: Peers, caller: socket.socket) -> socket.socket:
        """Connect to where an algorithm wanted to go."""
        raw = caller.getsockopt(socket.SOL_IP, _SO_ORIGINAL_DST, 16)
        port, packed = struct.unpack_from("!2xH4s", raw)
        address = IPv4Address(packed)
        # SECURITY: whatever was done to the rules in its namespace, this is as far as it gets.
        if address not in self._subnet:
            raise ConnectionRefusedError(f"{address} is not in the VPN")
        if not peers.has(str(address), port):
            raise ConnectionRefusedError(f"{address}:{port} does not belong to the task")
        if address == self._address:
            return self._dial_here(port)
        return self._container.inside(
            lambda: socket.create_connection((str(address), port), CONNECT_SECONDS)
        )

    def _dial_here(self, inner_port: int) -> socket.socket:
        """Connect to another algorithm of this node."""
        with self._lock:
            found = [
                (member, port)
                for member in self._members.values()
                for port, taken in member.inner_ports.items()
                if taken == inner_port
            ]
        if not found:
            raise ConnectionRefusedError(f"no algorithm has port {inner_port}")
        member, port = found[0]
        return member.dial(port)

    def _open(self, member: Member) -> None:
        """Listen in the VPN for a member. The lock is held."""
        for port in member.ports:
            wanted = member.inner_ports.pop(port, 0)
            try:
                listener = self._container.inside(partial(self._listener, wanted))
            except OSError as error:
                log.error("port not open", result_id=member.result_id, reason=str(error))
                continue
            member.inner_ports[port] = listener.getsockname()[1]
            member.inward.append(Relay(listener, partial(member.answer, port), "algorithm"))

    def _announce(self, member: Member) -> None:
        """Tell the server where an algorithm listens now."""
        # One after the other, or an end could be overtaken by a beginning.
        with self._telling:
            self._tell("delete", "port", params={"result_id": member.result_id})
            with self._lock:
                is_in = self._members.get(member.result_id) is member
                inner_ports = dict(member.inner_ports) if is_in else {}
            for port, inner_port in inner_ports.items():
                label = member.ports[port]
                body = {"port": inner_port, "label": label, "result_id": member.result_id}
                self._tell("post", "port", json=body)

    def _listener(self, wanted: int) -> socket.socket:
        """Listen on a port of the VPN; called in the namespace of its container."""
        for attempt in range(_TRIES):
            port = wanted if wanted and not attempt else random.randint(_FIRST_PORT, _LAST_PORT)  # noqa: S311
            listener = socket.socket()
            try:
                # Only for who comes through the VPN.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, DEVICE.encode())
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((str(self._address), port))
                listener.listen()
            except OSError:
                listener.close()
            else:
                return listener
        raise OSError("no port is free in the VPN")

    def _tell(self, method: str, endpoint: str, **content: Any) -> None:
        try:
            self._server.request(method, endpoint, **content)
        except V6Error as error:
            log.warning("ports not told", reason=str(error))


def _ports(config: dict[str, Any]) -> dict[int, str | None]:
    """Return the ports that an image declares, and their labels."""
    declared = sorted({int(port.partition("/")[0]) for port in config.get("ExposedPorts") or {}})
    if not declared:
        return {_DEFAULT_PORT: None}
    # Each costs a listener, and an image may declare them all.
    if len(declared) > _MOST_PORTS:
        log.warning("not all ports of the image are open", declared=len(declared), open=_MOST_PORTS)
    return {port: config["Labels"].get(f"p{port}") for port in declared[:_MOST_PORTS]}
