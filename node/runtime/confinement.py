"""Everything that a container is not allowed to do, in one place."""

import os
import posixpath
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.types import DeviceRequest, HostConfig, LogConfig, Mount, Ulimit

from vantage6.common.config.node import NodeConfig
from vantage6.node.runtime import seccomp
from vantage6.node.runtime.engine import Facts

_CPU_PERIOD = 100_000
_SCRATCH = "/tmp"  # noqa: S108 (the container's own)
_LEAST_SCRATCH = 2**20
#: What a process may have open at once; engines differ in what they give unasked.
_OPEN_FILES = 1024
#: What engines hide unasked: an own list takes the place of theirs.
_MASKED_BY_ENGINES = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
)
#: The disks of this machine: names of other runs and their files, and what they write just now;
#: and how the machine was started.
_MASKED = (
    "/proc/cmdline",
    "/proc/diskstats",
    "/proc/partitions",
    "/sys/block",
    "/sys/class/block",
    "/sys/dev/block",
    "/sys/devices/virtual/block",
    "/sys/fs/ext4",
)
#: Nobody on this machine owns anything under these numbers.
_NOBODY = "65532:65532"
#: One of the numbers that only a rootless engine uses, which own nothing either.
_SUBORDINATE = -1


@dataclass(frozen=True, slots=True)
class Account:
    """Who an algorithm is."""

    #: ``uid:gid`` in its container; None for whoever the image says.
    name: str | None
    #: The same on this machine, where it can be told.
    outside: tuple[int, int] | None
    #: How a rootless engine is to bring both together, if not in its usual way.
    mapping: str = ""

    def may_read(self, path: Path) -> bool:
        """Tell whether it may read a file of this machine, by the file's mode."""
        if self.outside is None:
            return True  # a name of the image's own; the algorithm will see
        uid, gid = self.outside
        found = path.stat()
        if uid == found.st_uid:
            return bool(found.st_mode & stat.S_IRUSR)
        if gid == found.st_gid:
            return bool(found.st_mode & stat.S_IRGRP)
        return bool(found.st_mode & stat.S_IROTH)


def account(config: NodeConfig, facts: Facts) -> Account:
    """Return who algorithms are with an engine.

    With a rootless engine of ours they are our own user: a subordinate one could not read what we
    may read, and we could not measure or remove what it writes. Podman maps our number to itself;
    with Docker we are number 0 inside, which without capabilities is a number like any other.
    """
    own = (os.getuid(), os.getgid())
    if config.algorithm_user == "image":
        return Account(None, own if facts.is_rootless else (0, 0))
    if config.algorithm_user:
        return Account(config.algorithm_user, _outside(config.algorithm_user, facts))
    if os.getuid() == 0:
        return Account(_NOBODY, _outside(_NOBODY, facts))
    if facts.is_rootless and not facts.is_podman:
        return Account("0:0", own)
    return Account("{}:{}".format(*own), own, "keep-id" if facts.is_rootless else "")


def _outside(name: str, facts: Facts) -> tuple[int, int] | None:
    """Return who a user of a container is on this machine."""
    uid, _, gid = name.partition(":")
    if not (uid.isdecimal() and gid.isdecimal()):
        return None
    if not facts.is_rootless:
        return int(uid), int(gid)
    return (
        os.getuid() if uid == "0" else _SUBORDINATE,
        os.getgid() if gid == "0" else _SUBORDINATE,
    )


def ulimits(config: NodeConfig) -> dict[str, int]:
    """Return the limits of each single process of a container."""
    return {"fsize": config.limits.file_bytes, "core": 0, "nofile": _OPEN_FILES}


def system_calls(facts: Facts, folder: Path | None) -> str:
    """Return the security option with the system calls that are let through.

    Parameters
    ----------
    facts
        The engine; nothing where it can apply no profile of ours.
    folder
        Folder of the node; None if it has none.
    """
    if facts.unfiltered:
        return ""
    return seccomp.option(is_podman=facts.is_podman, folder=folder)


def volumes(config: NodeConfig, declared: Iterable[str], own: list[Mount]) -> list[Mount]:
    """Return what covers the volumes that an image declares.

    SECURITY: the engine would make folders of the station's disk for them, which nothing bounds.
    These are of the container's memory and of a bounded size, also where the image has files.

    Parameters
    ----------
    config
        The limits.
    declared
        Folders that are volumes by the image's own word.
    own
        What is mounted anyway.
    """
    taken = {mount["Target"] for mount in own} | {_SCRATCH}
    wanted = sorted({posixpath.normpath("/" + path.strip("/")) for path in declared} - taken)
    return [
        Mount(
            path,
            None,
            type="tmpfs",
            tmpfs_size=max(config.limits.memory_bytes // len(wanted), _LEAST_SCRATCH),
            tmpfs_mode=0o1777,
        )
        for path in wanted
    ]


def host_config(
    client: docker.APIClient,
    config: NodeConfig,
    *,
    network: str,
    mounts: list[Mount],
    hosts: dict[str, str],
    mapping: str,
    with_init: bool,
    with_cpus: bool,
    system_calls: str,
    is_podman: bool = False,
) -> HostConfig:
    """Return the part of a container's definition that confines it.

    Parameters
    ----------
    client
        Connection to the engine, which decides how limits are spelled.
    config
        The limits.
    network
        Network mode of the container.
    mounts
        The only parts of this machine that it sees.
    hosts
        Names that the container resolves, and their addresses.
    mapping
        How a rootless engine maps the users of the container; nothing for its usual way.
    with_init
        Let a small init process pass on signals and collect orphans.
    with_cpus
        Bound the processors.
    system_calls
        Security option with the system calls that are let through; nothing for the engine's own.
    is_podman
        Say what is hidden in Podman's words.
    """
    limits = config.limits
    # Some engines refuse what they cannot do; that they cannot was said at the start.
    cpus = limits.cpus if with_cpus else None
    made: HostConfig = client.create_host_config(
        # SECURITY: the program is not trusted.
        network_mode=network,
        cap_drop=["ALL"],
        security_opt=[
            "no-new-privileges",
            *([system_calls] if system_calls else ()),
            *([f"mask={':'.join(_MASKED)}"] if is_podman else ()),
        ],
        read_only=True,
        ipc_mode="private",
        mounts=mounts,
        extra_hosts=hosts,
        # HOME and all other scratch; counts as memory of the container.
        tmpfs={_SCRATCH: f"rw,exec,nosuid,nodev,mode=1777,size={limits.memory_bytes}"},
        mem_limit=limits.memory_bytes,
        # Equal to the memory: no swap.
        memswap_limit=limits.memory_bytes,
        pids_limit=limits.pids,
        cpu_period=_CPU_PERIOD if cpus else None,
        cpu_quota=int(cpus * _CPU_PERIOD) if cpus else None,
        ulimits=[Ulimit(name=name, soft=most, hard=most) for name, most in ulimits(config).items()],
        # Keeps at least the part of the log that is sent, and bounds what it takes on disk.
        log_config=LogConfig(
            type="json-file", config={"max-size": str(4 * limits.log_bytes), "max-file": "2"}
        ),
        init=True if with_init else None,
        device_requests=(
            [DeviceRequest(count=-1, capabilities=[["gpu"]])]
            if config.algorithm_device_requests.gpu
            else None
        ),
    )
    # The library knows Docker's values only.
    made.update({"UsernsMode": mapping} if mapping else {})
    # SECURITY: Podman adds to what it hides; Docker hides this and nothing else.
    made.update({} if is_podman else {"MaskedPaths": [*_MASKED_BY_ENGINES, *_MASKED]})
    return made
