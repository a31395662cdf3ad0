"""A look at the container engine without running anything on it."""

import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import docker
import requests
from docker.errors import DockerException

from vantage6.common import clock, logs
from vantage6.common.config.node import NodeConfig
from vantage6.node.runtime import seccomp
from vantage6.node.runtime.base import EngineUnavailable

log = logs.get(__name__)

_DEFAULT_SOCKET = "unix:///var/run/docker.sock"
#: Where a rootless engine gets the network of its containers from.
_DEVICE = Path("/dev/net/tun")
#: How far back an engine is asked for what it saw.
_SEEN_SECONDS = 60


def address(config: NodeConfig) -> str:
    """Return where the engine of a node is."""
    return config.docker_host or os.environ.get("DOCKER_HOST") or _DEFAULT_SOCKET


@dataclass(frozen=True, slots=True)
class Facts:
    """What an engine is, and what it cannot do."""

    is_rootless: bool
    version: str
    #: How it keeps images.
    storage: str
    #: It has the small program that passes on signals and collects orphans.
    has_init: bool
    #: What it cannot bound, whatever is configured: memory, processors, processes.
    unbounded: tuple[str, ...]
    #: Version of Podman's own interface; None if it is Docker.
    libpod: str | None = None
    #: Why it cannot apply the node's own seccomp profile; nothing if it can.
    filter_obstacle: str = ""

    @property
    def is_podman(self) -> bool:
        """Whether it only speaks like Docker."""
        return self.libpod is not None

    @property
    def name(self) -> str:
        """Its name, as people know it."""
        return "Podman" if self.is_podman else "Docker"

    @property
    def remedy(self) -> str:
        """What is missing and how to change it, as a sentence; nothing if all is well."""
        if not self.unbounded:
            return ""
        return (
            f"{self.name} cannot limit the {' and '.join(self.unbounded)} of algorithms: let it "
            "have the cgroup controllers (cgroup v2, and in systemd Delegate=yes)."
        )

    @property
    def unfiltered(self) -> str:
        """How algorithms get past the closed network, as a sentence; nothing if they do not."""
        if not self.filter_obstacle:
            return ""
        return (
            f"{self.name} cannot apply the node's seccomp profile: {self.filter_obstacle}. "
            "Algorithms may make AF_VSOCK sockets there, which belong to no network, and reach "
            "services of the machine below a virtual one, and each other. Use an engine and a "
            "kernel with seccomp on x86_64 or aarch64, or keep the kernel modules vsock and "
            "vsock_loopback from being loaded."
        )


def connect(config: NodeConfig, seconds: int, connections: int = 10) -> Any:
    """Return a low-level client of the engine, which has answered.

    Raises
    ------
    EngineUnavailable
        If it does not answer.
    """
    where = urlsplit(address(config))
    try:
        if where.scheme == "unix" and not Path(where.netloc + where.path).exists():
            raise DockerException("there is no such socket")
        return docker.APIClient(
            base_url=address(config), version="auto", timeout=seconds, max_pool_size=connections
        )
    except (DockerException, requests.RequestException) as error:
        raise EngineUnavailable(
            f"No container engine answers at {address(config)}: start Docker or Podman, or set "
            f"docker_host. {closed_device() if os.getuid() else ''}".rstrip()
        ) from error


def warn_of_limits(facts: Facts) -> None:
    """Write into the log of the node what an engine cannot do."""
    if facts.unbounded:
        log.warning("limits without effect", reason=facts.remedy)
    if facts.unfiltered:
        log.warning("not every way out is closed", reason=facts.unfiltered)
    if facts.is_rootless and (remedy := closed_device()):
        log.warning("no network for services of the node", reason=remedy)


def closed_device() -> str:
    """Return why a rootless engine of this account has no network, and the remedy; or nothing."""
    if os.access(_DEVICE, os.R_OK | os.W_OK):
        return ""
    if not _DEVICE.exists():
        return f"A rootless engine needs {_DEVICE}, which is missing: modprobe tun, as root."
    return (
        f"A rootless engine needs {_DEVICE}, which is closed to this account: "
        f"chmod 666 {_DEVICE}, as root; udev does the same on most machines."
    )


def facts(client: Any) -> Facts:
    """Ask an engine what it is.

    Raises
    ------
    EngineUnavailable
        If it does not answer.
    """
    try:
        info, parts = client.info(), client.version(api_version=False).get("Components") or ()
        podman = next((part for part in parts if "Podman" in part.get("Name", "")), None)
        is_rootless = any("rootless" in option for option in info.get("SecurityOptions") or ())
        bounds = {
            "memory": info.get("MemoryLimit"),
            "processors": info.get("CpuCfsQuota") or info.get("CPUCfsQuota"),
            "processes": info.get("PidsLimit"),
        }
        libpod = podman["Details"]["APIVersion"] if podman else None
        if libpod:
            host = _podman_host(client, libpod)
            is_rootless = host["security"]["rootless"]
            if is_rootless:
                # What it says in Docker's language holds for root only.
                given = host.get("cgroupControllers") or ()
                names = {"memory": "memory", "processors": "cpu", "processes": "pids"}
                bounds = {bound: name in given for bound, name in names.items()}
    except (DockerException, requests.RequestException) as error:
        raise EngineUnavailable(f"The container engine does not answer: {error}") from error
    return Facts(
        is_rootless=is_rootless,
        version=info.get("ServerVersion", "?"),
        storage=info.get("Driver", "?"),
        has_init=bool(info.get("InitBinary")),
        unbounded=tuple(name for name, there in bounds.items() if not there),
        libpod=libpod,
        filter_obstacle=_filter_obstacle(info),
    )


def _filter_obstacle(info: Mapping[str, Any]) -> str:
    """Return why an engine cannot apply our seccomp profile, or nothing."""
    if not any("seccomp" in option for option in info.get("SecurityOptions") or ()):
        return "it has no seccomp"
    architecture = info.get("Architecture", "unknown")
    if architecture not in seccomp.ARCHITECTURES:
        return f"the profile does not list the system calls of {architecture}"
    return ""


def _podman_host(client: Any, version: str) -> dict[str, Any]:
    """Return what a Podman says of its machine in its own interface."""
    answer = client.get(f"{client.base_url}/v{version}/libpod/info", timeout=client.timeout)
    answer.raise_for_status()
    host: dict[str, Any] = answer.json()["host"]
    return host


def saw_memory_end(client: docker.APIClient, container: str) -> bool:
    """Tell whether Docker saw a container run out of memory just now.

    Docker writes down how a program ended before it hears of its memory, which comes another way;
    the state of the container does not change then.

    Parameters
    ----------
    client
        Connection to the engine.
    container
        Id of a container that was killed.
    """
    now = int(clock.now().timestamp())
    events = client.events(
        since=now - _SEEN_SECONDS,
        until=now + 1,
        filters={"container": container, "event": "oom"},
    )
    with closing(events):
        return any(True for _ in events)
