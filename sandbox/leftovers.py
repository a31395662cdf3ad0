"""Ends the programs that use the folder of a demonstration, however they were started.

What is mounted in it is unmounted.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import docker
import docker.errors
import docker.utils
import psutil

from vantage6.common.errors import Conflict
from vantage6.sandbox.own_folder import is_own

#: Programs of this project are asked to stop, and killed after these seconds.
_SECONDS = 30
#: The words that tell these programs from an editor or a shell that has a file of the folder open.
_PROGRAMS = {"vnode", "vserver", "redis-server", "valkey-server", "celery", "gunicorn"}


def end_users_of(folder: Path) -> list[str]:
    """End nodes, servers, algorithms, containers and file systems in a folder; return their names.

    Parameters
    ----------
    folder
        The folder of a demonstration. What uses any other is left alone.

    Raises
    ------
    Conflict
        If something stays mounted.
    """
    # SECURITY: below any other folder there can be nodes and servers that are in use.
    if not is_own(folder):
        return []
    found = sorted(_processes(folder), key=lambda user: _place(user[1]))
    ended = [_name(process, command) for process, command in found if _end(process)]
    return ended + _remove_containers(folder) + _unmount(folder)


def _processes(folder: Path) -> Iterator[tuple[psutil.Process, list[str]]]:
    """Give each process that uses a folder, with its command."""
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            if process.pid != os.getpid() and _uses(process, command, folder):
                yield process, command
        except psutil.Error:
            continue  # ended meanwhile, or belongs to another user


def _uses(process: psutil.Process, command: list[str], folder: Path) -> bool:
    values = [value.rpartition("=")[2] for value in command[1:]]
    if _is_ours(command):
        here = Path(process.cwd())
        if any("/" in value and _is_in(here / value, folder) for value in values):
            return True
    # An algorithm without a container, also one of ours, names it in its environment only.
    output = process.environ().get("OUTPUT_FILE")
    return output is not None and _is_in(Path(output), folder)


def _is_ours(command: list[str]) -> bool:
    programs = {Path(word).name.partition(" ")[0].rstrip(":") for word in command[:3]}
    return bool(programs & _PROGRAMS) or any(word.startswith("vantage6.") for word in command[:3])


def _is_in(path: Path, folder: Path) -> bool:
    return Path(os.path.normpath(path)).is_relative_to(folder)


def _place(command: list[str]) -> int:
    """Return when to end a process: nodes first, then what supervises, then the rest."""
    words = " ".join(command)
    if "vnode" in words:
        return 0
    return 1 if "supervisord" in words else 2


def _name(process: psutil.Process, command: list[str]) -> str:
    words = [Path(word).name for word in command[1:]]
    return f"process {process.pid} ({' '.join(words)})"


def _end(process: psutil.Process) -> bool:
    """End a process, and return whether it was there to be ended."""
    try:
        process.terminate()
    except psutil.Error:  # ended meanwhile, or became somebody else's
        return False
    try:
        process.wait(_SECONDS)
    except psutil.TimeoutExpired:
        with suppress(psutil.Error):
            process.kill()
    except psutil.Error:
        pass
    return True


def _remove_containers(folder: Path) -> list[str]:
    try:
        engine = docker.APIClient(**docker.utils.kwargs_from_env(), version="auto", timeout=5)
    except docker.errors.DockerException:
        return []  # no engine, no containers
    names = []
    with closing(engine), suppress(docker.errors.APIError):
        found = engine.containers(all=True, filters={"label": "vantage6-type=algorithm"})
        for container in found:
            if any(_is_in(Path(source), folder) for source in _sources(container)):
                with suppress(docker.errors.NotFound):  # ended and removed meanwhile
                    engine.remove_container(container["Id"], force=True, v=True)
                names.append(f"container {container['Names'][0].lstrip('/')}")
    return names


def _unmount(folder: Path) -> list[str]:
    """Unmount the file systems of runs, which a node leaves for its next life."""
    places = {Path(disk.mountpoint) for disk in psutil.disk_partitions(all=True)}
    below = sorted(place for place in places if _is_in(place, folder.resolve()))
    # Innermost first.
    for place in reversed(below):
        done = subprocess.run(
            ["umount", "--lazy", str(place)],  # noqa: S607
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        if done.returncode:
            raise Conflict(f"{place} stays mounted: {done.stderr.strip()}. Unmount it, and repeat.")
    return [f"file system {place}" for place in below]


def _sources(container: dict[str, Any]) -> list[str]:
    return [mount.get("Source") or "/" for mount in container["Mounts"]]
