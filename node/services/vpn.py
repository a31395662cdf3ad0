"""The connection of a node to the VPN in which algorithms meet."""

import fcntl
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from vantage6.client.node_client import NodeClient
from vantage6.common import logs
from vantage6.common.errors import ConfigurationError, V6Error
from vantage6.common.private import write_private
from vantage6.node.backoff import delays
from vantage6.node.services.container import ServiceContainer

log = logs.get(__name__)

DEVICE = "tun0"
_FILE = "/etc/vantage6.ovpn"
_CONNECT_SECONDS = 60.0
_LOOK_SECONDS = 0.2
_WATCH_SECONDS = 5.0
_MOST_PAUSE_SECONDS = 300.0
_STOP_SECONDS = 15
_SIOCGIFADDR = 0x8915

_COMMAND = [
    "openvpn",
    "--config",
    _FILE,
    # What follows overrides the file, which comes from elsewhere. SECURITY: no programs.
    *("--script-security", "0"),
    *("--dev", DEVICE, "--dev-type", "tun"),
    "--disable-dco",
    "--auth-nocache",
    *("--pull-filter", "ignore", "redirect-gateway"),
    *("--pull-filter", "ignore", "ifconfig-ipv6"),
    *("--pull-filter", "ignore", "route-ipv6"),
    *("--pull-filter", "ignore", "dhcp-option"),
]


@dataclass(frozen=True, slots=True)
class Device:
    """The device of the VPN; what listens on it has to start anew when any of this changes."""

    address: IPv4Address
    index: int
    namespace: int


class Vpn:
    """Keeps the connection, whatever happens to it; nothing else of the node depends on it.

    Parameters
    ----------
    server
        Gives the configuration, and shows our address to others.
    container
        Where OpenVPN runs.
    image
        Its image.
    subnet
        What our address has to belong to.
    folder
        Where the configuration is kept.
    on_connected
        Called with our address after every connection.
    """

    def __init__(
        self,
        server: NodeClient,
        container: ServiceContainer,
        image: str,
        subnet: IPv4Network,
        folder: Path,
        on_connected: Callable[[IPv4Address], None],
    ) -> None:
        self._server = server
        self._container = container
        self._image = image
        self._subnet = subnet
        self._file = folder / "vpn.ovpn"
        self._on_connected = on_connected
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="vpn", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leave the VPN."""
        self._stopped.set()
        self._thread.join(_STOP_SECONDS)
        self._container.remove()
        self._tell({"clear_ip": True})

    def _keep(self) -> None:
        pauses = delays(most=_MOST_PAUSE_SECONDS)
        while not self._stopped.is_set():
            try:
                if found := self._connect():
                    self._accept(found)
                    pauses = delays(most=_MOST_PAUSE_SECONDS)
                    self._watch(found)
            except (V6Error, OSError) as error:
                log.error("vpn_subnet: no VPN", reason=str(error))
            except Exception:
                log.exception("vpn_subnet: no VPN")
            self._stopped.wait(next(pauses))

    def _connect(self) -> Device | None:
        """Connect with the configuration that is there, with fresh keys, or with a new one."""
        steps = [self._given]
        if self._file.exists():
            steps = [lambda: None, self._renewed, self._given]
        for step in steps:
            step()
            self._container.start(
                self._image,
                _COMMAND,
                binds={str(self._file): {"bind": _FILE, "mode": "ro"}},
                cap_add=["NET_ADMIN"],
                devices=["/dev/net/tun:/dev/net/tun:rwm"],
                # Nobody of the VPN gets any further than here.
                sysctls={"net.ipv4.ip_forward": "0", "net.ipv6.conf.all.disable_ipv6": "1"},
            )
            found = self._wait()
            if found is not None or self._stopped.is_set():
                return found
            log.warning("VPN not connected", openvpn=self._container.log()[-2000:])
        return None

    def _given(self) -> None:
        self._write(self._server.request("get", "vpn")["ovpn_config"])

    def _renewed(self) -> None:
        """Put fresh keys into the configuration, whose old ones may have run out."""
        body = {"vpn_config": self._file.read_text(errors="replace")}
        try:
            self._write(self._server.request("post", "vpn/update", json=body)["ovpn_config"])
        except V6Error as error:
            log.warning("VPN keys not renewed", reason=str(error))

    def _write(self, configuration: str) -> None:
        write_private(self._file, configuration.replace("\r\n", "\n"))

    def _wait(self) -> Device | None:
        """Return the device as soon as it has an address; None if it gets none in time."""
        end = time.monotonic() + _CONNECT_SECONDS
        while not self._stopped.wait(_LOOK_SECONDS):
            if device := self._look():
                return device
            if time.monotonic() > end:
                break
        return None

    def _look(self) -> Device | None:
        try:
            return self._container.inside(device)
        except OSError:
            return None

    def _accept(self, found: Device) -> None:
        if found.address not in self._subnet:
            self._container.remove()
            self._tell({"clear_ip": True})
            raise ConfigurationError(
                f"vpn_subnet: the VPN gave the address {found.address}, which is not in "
                f"{self._subnet}"
            )
        log.info("VPN connected", address=str(found.address))
        self._tell({"ip": str(found.address)})
        self._on_connected(found.address)

    def _watch(self, known: Device) -> None:
        """Return when the connection is lost; whenever OpenVPN makes a new one, accept it."""
        while not self._stopped.wait(_WATCH_SECONDS):
            found = self._look()
            if found == known:
                continue
            if found is None and self._container.is_running():
                found = self._wait()
            if found is None:
                log.warning("VPN lost")
                return
            self._accept(found)
            known = found

    def _tell(self, change: dict[str, object]) -> None:
        me = self._server.whoami
        try:
            if me is not None:
                self._server.request("patch", f"node/{me.id_}", json=change)
        except V6Error as error:
            log.warning("VPN address not told", reason=str(error))


def device() -> Device:
    """Return the device of the VPN in the present namespace.

    Raises
    ------
    OSError
        If there is none, or it has no address.
    """
    with socket.socket(type=socket.SOCK_DGRAM) as any_socket:
        wanted = struct.pack("256s", DEVICE.encode())
        found = fcntl.ioctl(any_socket, _SIOCGIFADDR, wanted)
    namespace = Path("/proc/thread-self/ns/net").stat().st_ino
    return Device(IPv4Address(found[20:24]), socket.if_nametoindex(DEVICE), namespace)
