"""What an algorithm reaches besides the node's proxy: services, each under its own name and port.

A container has no network. Every link is a listener of the node's in the namespace of that one
container, from which the node carries bytes to the service.
"""

import json
import socket
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from vantage6.common import logs
from vantage6.node.runtime.listeners import NamespaceListeners
from vantage6.node.runtime.relay import CONNECT_SECONDS, Relay

log = logs.get(__name__)

#: Connects to a service by the name and port that algorithms use; raises OSError.
Dial = Callable[[str, int], socket.socket]

LABEL = "links"
_NETWORK = "127.0.0."
#: Where the first host appears in a container: on its loopback, clear of the proxy's port.
FIRST_ADDRESS = f"{_NETWORK}2"
_MOST_HOSTS = 250


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """One service, as an algorithm finds it."""

    host: str
    port: int


def dial_directly(host: str, port: int) -> socket.socket:
    """Connect to a service under its real name."""
    return socket.create_connection((host, port), CONNECT_SECONDS)


def addresses(links: Iterable[Link]) -> dict[str, str]:
    """Return the address within a container for each host, in the order of the links."""
    hosts = list(dict.fromkeys(link.host for link in links))[:_MOST_HOSTS]
    return {host: f"{_NETWORK}{number}" for number, host in enumerate(hosts, start=2)}


def to_label(links: Iterable[Link]) -> str:
    """Return a form for the label of a container."""
    return json.dumps([[link.host, link.port] for link in links])


def from_label(text: str | None) -> list[Link]:
    """Return the links that `to_label` wrote into a label; none without a label."""
    return [Link(host, port) for host, port in json.loads(text or "[]")]


class Links:
    """The open links of all containers.

    Parameters
    ----------
    dial
        How services are reached.
    """

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._relays: defaultdict[int, list[Relay]] = defaultdict(list)

    def open(self, result_id: int, details: dict[str, Any], listeners: NamespaceListeners) -> None:
        """Open every link of a running container that its label names."""
        links = from_label(details["Config"]["Labels"].get(LABEL))
        hosts = addresses(links)
        for link in links:
            try:
                listener = listeners.listen(
                    details["Id"], details["State"]["Pid"], link.port, hosts[link.host]
                )
            except OSError as error:
                log.error(
                    "service not open", result_id=result_id, host=link.host, reason=str(error)
                )
                continue
            connect = partial(self._connect, link)
            self._relays[result_id].append(Relay(listener, connect, f"{link.host}:{link.port}"))

    def _connect(self, link: Link, _: socket.socket) -> socket.socket:
        return self._dial(link.host, link.port)

    def close(self, result_id: int) -> None:
        """Close all links of a container."""
        for relay in self._relays.pop(result_id, ()):
            relay.close()
