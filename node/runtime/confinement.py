"""Everything that a container is not allowed to do, in one place."""

import os
import stat
from pathlib import Path

import docker
from docker.types import DeviceRequest, HostConfig, LogConfig, Mount, Ulimit

from vantage6.common.config.node import NodeConfig

_CPU_PERIOD = 100_000
#: What a process may have open at once; engines differ in what they give unasked.
_OPEN_FILES = 1024
#: Nobody on this machine owns anything under this number.
_NOBODY = "65532:65532"


def user(config: NodeConfig) -> str | None:
    """Return who the algorithm is inside its container; None for whoever the image says."""
    if config.algorithm_user == "image":
        return None
    own = f"{os.getuid()}:{os.getgid()}"
    return config.algorithm_user or (_NOBODY if os.getuid() == 0 else own)


def may_read(path: Path, user_: str | None) -> bool:
    """Tell whether a user of a container may read a file of this machine, by its mode."""
    uid, _, gid = (user_ or "0:0").partition(":")
    if not (uid.isdecimal() and gid.isdecimal()):
        return True  # a name of the image's own; the algorithm will see
    found = path.stat()
    if int(uid) == found.st_uid:
        return bool(found.st_mode & stat.S_IRUSR)
    if int(gid) == found.st_gid:
        return bool(found.st_mode & stat.S_IRGRP)
    return bool(found.st_mode & stat.S_IROTH)


def host_config(
    client: docker.APIClient,
    config: NodeConfig,
    *,
    network: str,
    mounts: list[Mount],
    hosts: dict[str, str],
    with_init: bool,
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
    with_init
        Let a small init process pass on signals and collect orphans.
    """
    limits = config.limits
    return client.create_host_config(
        # SECURITY: the program is not trusted. The engine's default seccomp profile stays on.
        network_mode=network,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        read_only=True,
        ipc_mode="private",
        mounts=mounts,
        extra_hosts=hosts,
        # HOME and all other scratch; counts as memory of the container.
        tmpfs={"/tmp": f"rw,exec,nosuid,nodev,mode=1777,size={limits.memory_bytes}"},  # noqa: S108
        mem_limit=limits.memory_bytes,
        # Equal to the memory: no swap.
        memswap_limit=limits.memory_bytes,
        pids_limit=limits.pids,
        cpu_period=_CPU_PERIOD if limits.cpus else None,
        cpu_quota=int(limits.cpus * _CPU_PERIOD) if limits.cpus else None,
        ulimits=[
            Ulimit(name="fsize", soft=limits.file_bytes, hard=limits.file_bytes),
            Ulimit(name="core", soft=0, hard=0),
            Ulimit(name="nofile", soft=_OPEN_FILES, hard=_OPEN_FILES),
        ],
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
