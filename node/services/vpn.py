"""The connection of a node to the VPN in which algorithms meet."""

import fcntl
import os
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
from vantage6.common.backoff import delays
from vantage6.common.errors import ConfigurationError, V6Error
from vantage6.common.secret_files import write_private
from vantage6.common.vpn_profile import Profile, UnknownDirective
from vantage6.node.services.container import ServiceContainer
from vantage6.node.services.vpn_filter import GO, VpnFilter, resolve

log = logs.get(__name__)

DEVICE = "tun0"
_FILE = "/etc/vantage6.ovpn"
#: Nobody, as whom OpenVPN runs.
_USER = "65532"
_CONNECT_SECONDS = 60.0
_LOOK_SECONDS = 0.2
_WATCH_SECONDS = 5.0
_MOST_PAUSE_SECONDS = 300.0
_STOP_SECONDS = 15
_SIOCGIFADDR = 0x8915

#: SECURITY: OpenVPN has never been root, and keeps one right: to configure its own network.
_BEFORE = f"""\
chmod 666 /dev/net/tun
while [ ! -e {GO} ]; do sleep 0.1; done
exec setpriv --reuid {_USER} --regid {_USER} --clear-groups --inh-caps=-all,+net_admin \
    --ambient-caps=-all,+net_admin --bounding-set=-all,+net_admin -- "$@"
"""
_COMMAND = [
    *("sh", "-ec", _BEFORE, "sh"),
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
    """Keeps the connection, and renews it when it ends; nothing else of the node depends on it.

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
        #: What the server gave, and what OpenVPN reads.
        self._file, self._read = folder / "vpn.ovpn", folder / "openvpn.conf"
        self._filter = VpnFilter(subnet)
        self._on_connected = on_connected
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="vpn", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leave the VPN."""
        self._stopped.set()
        self._thread.join(_STOP_SECONDS)
        self._container.remove()
        self._tell(None)

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
        steps = [self._fetch]
        if self._file.exists():
            steps = [lambda: None, self._renew, self._fetch]
        for step in steps:
            try:
                step()
                self._prepare()
            except UnknownDirective as error:
                log.error("VPN configuration refused", reason=error.message)
                continue
            self._container.start(
                self._image,
                _COMMAND,
                user="0:0",
                binds={str(self._read): {"bind": _FILE, "mode": "ro"}},
                cap_add=["NET_ADMIN", "SETUID", "SETGID", "SETPCAP"],
                devices=["/dev/net/tun:/dev/net/tun:rwm"],
                # Nobody of the VPN gets any further than here.
                sysctls={"net.ipv4.ip_forward": "0", "net.ipv6.conf.all.disable_ipv6": "1"},
            )
            found = self._wait()
            if found is not None or self._stopped.is_set():
                return found
            log.warning("VPN not connected", openvpn=self._container.log()[-2000:])
        return None

    def _prepare(self) -> None:
        """Write what OpenVPN reads: what we know, with the addresses of its servers.

        Raises
        ------
        UnknownDirective
            If the configuration has anything else.
        OSError
            If no server has an address.
        """
        profile = Profile.parse(self._file.read_text(errors="replace"))
        remotes = resolve(profile.remotes())
        self._filter.remotes = remotes
        write_private(self._read, profile.at(remotes).text())
        os.chown(self._read, int(_USER), int(_USER))

    def _fetch(self) -> None:
        self._write(self._server.request("get", "vpn")["ovpn_config"])

    def _renew(self) -> None:
        """Put fresh keys into the configuration, whose old ones may have run out."""
        body = {"vpn_config": self._file.read_text(errors="replace")}
        try:
            self._write(self._server.request("post", "vpn/update", json=body)["ovpn_config"])
        except V6Error as error:
            log.warning("VPN keys not renewed", reason=str(error))

    def _write(self, configuration: str) -> None:
        # SECURITY: refused here, before it is kept; the server may be mistaken, or worse.
        write_private(self._file, Profile.parse(configuration).text())

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
            # The engine may have started it anew meanwhile, with a network that is open.
            self._filter.close_in(self._container)
            return self._container.inside(device)
        except OSError:
            return None

    def _accept(self, found: Device) -> None:
        if found.address not in self._subnet:
            self._container.remove()
            self._tell(None)
            raise ConfigurationError(
                f"vpn_subnet: the VPN gave the address {found.address}, which is not in "
                f"{self._subnet}"
            )
        log.info("VPN connected", address=str(found.address))
        self._tell(str(found.address))
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

    def _tell(self, address: str | None) -> None:
        try:
            if self._server.whoami is not None:
                self._server.tell_address(address)
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
