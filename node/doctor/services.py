"""What the services need that a node opens to its algorithms; only those that are configured."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import requests
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_ssh_private_key,
)
from docker.errors import DockerException, NotFound

from vantage6.common.cli.doctor import Check, Doubtful, Failed, Skipped
from vantage6.common.config.services import SERVICES_IMAGE, TunnelConfig
from vantage6.common.errors import ConfigurationError
from vantage6.node.doctor.station import StationChecks
from vantage6.node.instance import Instance
from vantage6.node.runtime import engine
from vantage6.node.runtime.listeners import can_enter_containers
from vantage6.node.services.container import find_built_image, inspect_running
from vantage6.node.services.tunnels import Tunnel
from vantage6.node.services.vpn_filter import program

_TUN = Path("/dev/net/tun")
_TUNNEL_SECONDS = 15
#: How long a service behind a tunnel has to hang up if it is not there.
_HANG_UP_SECONDS = 1


class ServiceChecks:
    """Looks at the services of one node.

    Parameters
    ----------
    instance
        The node.
    station
        What was found on its machine; the engine above all.
    """

    def __init__(self, instance: Instance, station: StationChecks) -> None:
        self._config = instance.config
        self._base = instance.base
        self._station = station

    def checks(self) -> Iterator[Check]:
        """Yield the checks of what is configured."""
        config = self._config
        if config.services:
            yield "services", self._rights
        if config.whitelist:
            yield "whitelist", self._whitelist
        for tunnel in config.ssh_tunnels:
            yield f"tunnel {tunnel.hostname}", partial(self._tunnel, tunnel)
        for alias, container in config.docker_services.items():
            yield f"linked {alias}", partial(self._check_linked, alias, container)
        if config.vpn_subnet:
            yield "vpn", self._vpn

    def _rights(self) -> str:
        self._engine()
        facts = self._station.facts
        is_rootless = facts is not None and facts.is_rootless
        if not can_enter_containers(engine.address(self._config), is_rootless=is_rootless):
            raise Failed(
                "They need a node on the machine of its engine, as root or as the user of a "
                f"rootless one: run it so, or take these out: {', '.join(self._config.services)}."
            )
        return "The node may open them to single containers."

    def _engine(self) -> Any:
        client = self._station.engine
        if client is None:
            raise Skipped("There is no engine to ask.")
        return client

    def _whitelist(self) -> str:
        config = self._config.whitelist
        if config is None or not config.ports or not (config.domains or config.ips):
            raise Doubtful("It opens nothing: it needs `ports`, and `domains` or `ips`.")
        return self._image("images.squid", self._config.images.squid)

    def _image(self, setting: str, image: str) -> str:
        client = self._engine()
        try:
            if image == SERVICES_IMAGE:
                find_built_image(client)
            client.inspect_image(image)
        except ConfigurationError as error:
            raise Failed(f"{setting}: {error.message}") from error
        except NotFound as error:
            if self._config.pull_policy == "never":
                raise Failed(
                    f"{setting}: {image} is not here, and pull_policy is never: load the image."
                ) from error
            raise Doubtful(f"{setting}: {image} is not here: the start will fetch it.") from error
        except (DockerException, requests.RequestException) as error:
            raise Failed(f"{setting}: the engine refuses {image}: {error}") from error
        return f"The image {image} is here."

    def _tunnel(self, config: TunnelConfig) -> str:
        setting = f"ssh-tunnels.{config.hostname}"
        ssh, forward = config.ssh, config.tunnel.dest
        key = self._base / Path(ssh.identity.key).expanduser()
        self._check_key(f"{setting}.ssh.identity.key", key)
        with closing(Tunnel(config, self._base)) as tunnel:
            end = time.monotonic() + _TUNNEL_SECONDS
            while not (tunnel.is_open or tunnel.said or time.monotonic() > end):
                time.sleep(0.05)
            if not tunnel.is_open:
                raise Failed(f"{setting}: {_advice(tunnel.said, config)}")
            with tunnel.connect(config.tunnel.bind.port) as connection:
                connection.settimeout(_HANG_UP_SECONDS)
                if _hangs_up(connection):
                    raise Failed(
                        f"{setting}: {ssh.host} lets us in, but nothing answers there at "
                        f"{forward.ip}:{forward.port}: check tunnel.dest."
                    )
        if key.stat().st_mode & 0o077:
            raise Doubtful(f"Others may read {key}: chmod 600 {key}")
        return f"{ssh.host}:{ssh.port} is the right one and leads to {forward.ip}:{forward.port}."

    def _check_key(self, setting: str, key: Path) -> None:
        if not os.access(key, os.R_OK):
            raise Failed(f"{setting}: {key} does not exist or may not be read.")
        content = key.read_bytes()
        load = load_ssh_private_key if b"OPENSSH" in content else load_pem_private_key
        try:
            load(content, None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise Failed(
                f"{setting}: {key} is not a private key without pass phrase; make one with "
                "ssh-keygen."
            ) from error

    def _check_linked(self, alias: str, container: str) -> str:
        try:
            found = inspect_running(self._engine(), container)
        except ConnectionError as error:
            raise Failed(
                f"docker_services.{alias}: {error}: start it, or correct the name."
            ) from error
        ports = ", ".join(sorted(found["Config"].get("ExposedPorts") or {}))
        return f"{container} runs and declares {ports or 'no ports'}."

    def _vpn(self) -> str:
        if not _TUN.exists():
            raise Failed(f"vpn_subnet: there is no {_TUN}: load it (modprobe tun).")
        program("ip"), program("iptables")
        return self._image("images.vpn_client", self._config.images.vpn_client)


def _advice(said: str, config: TunnelConfig) -> str:
    """Return what to do about the last words of the SSH client."""
    ssh = config.ssh
    if "verification failed" in said or "host key" in said.lower():
        return (
            f"{ssh.host}:{ssh.port} has another key than ssh.fingerprint says: compare it with "
            f"what ssh-keyscan -p {ssh.port} {ssh.host} prints, and ask its administrator why."
        )
    if "Permission denied" in said:
        return (
            f"{ssh.host} refuses {ssh.identity.username} with this key: check ssh.identity, and "
            f"that the public half is in the account's authorized_keys."
        )
    return f"the tunnel is closed ({said or 'no answer'}): check ssh.host and ssh.port."


def _hangs_up(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        # A service that waits for a question, as most do.
        return False
    except OSError:
        return True
