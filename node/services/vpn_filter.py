"""What the container of the VPN reaches: the servers of the VPN, and the VPN."""

import os
import shutil
import socket
import subprocess
from contextlib import suppress
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path

from vantage6.common.errors import ConfigurationError
from vantage6.common.vpn_profile import Remote
from vantage6.node.services.container import ServiceContainer

_DEVICE = "tun0"
#: What the container waits for.
GO = "/tmp/open"  # noqa: S108 (the container's own)
_MOST_REMOTES = 32
_SECONDS = 30
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


class VpnFilter:
    """The packet filter of the container, set before OpenVPN begins.

    SECURITY: OpenVPN speaks with the gateways of its profile. To all else at the station, and
    beyond, its container has no way.

    Parameters
    ----------
    subnet
        Addresses of the VPN.
    """

    def __init__(self, subnet: IPv4Network) -> None:
        self.remotes: list[Remote] = []
        self._subnet = str(subnet)
        self._iptables = program("iptables")
        #: The process for which it was done.
        self._pid = 0

    def close_in(self, container: ServiceContainer) -> None:
        """Close the network of a container, and let its program begin; once for each start.

        Raises
        ------
        OSError
            If the container does not run, or the filter cannot be set.
        """
        pid = int(container.inspect()["State"]["Pid"])
        if pid == self._pid:
            return
        container.inside(partial(self._run_all, list(self._rules())))
        Path(f"/proc/{pid}/root{GO}").touch()
        self._pid = pid

    def _rules(self) -> list[list[str]]:
        """Return the rules, the closing ones first."""
        rules = [["-P", chain, "DROP"] for chain in ("INPUT", "OUTPUT", "FORWARD")]
        rules += [["-F"], ["-A", "INPUT", "-i", "lo", "-j", "ACCEPT"]]
        rules += [["-A", "OUTPUT", "-o", "lo", "-j", "ACCEPT"]]
        for chain, side, way in (("INPUT", "-s", "-i"), ("OUTPUT", "-d", "-o")):
            rules.append(["-A", chain, way, _DEVICE, side, self._subnet, "-j", "ACCEPT"])
        for one in self.remotes:
            protocol = ["-p", one.protocol]
            server = [*protocol, "-d", one.host, "--dport", str(one.port), "-j", "ACCEPT"]
            answer = [*protocol, "-s", one.host, "--sport", str(one.port), "-j", "ACCEPT"]
            rules += [["-A", "OUTPUT", *server], ["-A", "INPUT", *answer]]
        return rules

    def _run_all(self, rules: list[list[str]]) -> None:
        for rule in rules:
            done = subprocess.run(  # noqa: S603 (every part of it is ours)
                [self._iptables, "-w", *rule],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
            if done.returncode:
                raise OSError(f"iptables {' '.join(rule)}: {done.stderr.strip()}")


def resolve(remotes: list[Remote]) -> list[Remote]:
    """Return servers by their addresses, which their container does not look up.

    Raises
    ------
    OSError
        If none of them has an address.
    """
    found = []
    for one in remotes[:_MOST_REMOTES]:
        with suppress(socket.gaierror, UnicodeError):
            for *_, address in socket.getaddrinfo(one.host, one.port, socket.AF_INET):
                found.append(replace(one, host=str(address[0])))
    if not found:
        names = ", ".join(one.host for one in remotes) or "no server"
        raise OSError(f"the VPN configuration names {names}, which has no address here")
    return list(dict.fromkeys(found))


def program(name: str) -> str:
    """Return where a program is that the VPN needs.

    Raises
    ------
    ConfigurationError
        If it is not installed; says what to install.
    """
    found = shutil.which(name, path=_PATH)
    if found is None:
        raise ConfigurationError(
            f"vpn_subnet: the program `{name}` is missing; install iproute2 and iptables."
        )
    return found
