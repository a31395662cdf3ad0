"""Ends the programs that use the folder of a demonstration, however they were started."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import docker.errors
import docker.utils
import psutil

#: Programs of this project are asked to stop, and killed after these seconds.
_SECONDS = 30
#: The words that tell these programs from an editor or a shell that has a file of the folder open.
_PROGRAMS = {"vnode", "vserver", "redis-server", "valkey-server", "celery", "gunicorn"}


def end_users_of(folder: Path) -> list[str]:
    """End nodes, servers, algorithms and containers that use a folder, and return their names."""
    found = sorted(_processes(folder), key=lambda one: one.place)
    names = [one.name for one in found if _end(one.process)]
    return names + _remove_containers(folder)


@dataclass(frozen=True, slots=True)
class _Found:
    """A process, with what cannot be asked any more once it has ended."""

    process: psutil.Process
    #: When to end it: nodes first, then what supervises, then the rest.
    place: int
    name: str


def _processes(folder: Path) -> Iterator[_Found]:
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and _uses(process, folder):
                yield _Found(process, _place(process), _name(process))
        except psutil.Error:
            continue  # ended meanwhile, or belongs to another user


def _uses(process: psutil.Process, folder: Path) -> bool:
    command = process.cmdline()
    values = [value.rpartition("=")[2] for value in command[1:]]
    if _is_ours(command):
        here = Path(process.cwd())
        return any("/" in value and _is_in(here / value, folder) for value in values)
    # An algorithm without a container names the folder in its environment only.
    output = process.environ().get("OUTPUT_FILE")
    return output is not None and _is_in(Path(output), folder)


def _is_ours(command: list[str]) -> bool:
    programs = {Path(word).name.partition(" ")[0].rstrip(":") for word in command[:3]}
    return bool(programs & _PROGRAMS) or any(word.startswith("vantage6.") for word in command[:3])


def _is_in(path: Path, folder: Path) -> bool:
    return Path(os.path.normpath(path)).is_relative_to(folder)


def _place(process: psutil.Process) -> int:
    command = " ".join(process.cmdline())
    if "vnode" in command:
        return 0
    return 1 if "supervisord" in command else 2


def _name(process: psutil.Process) -> str:
    words = [Path(word).name for word in process.cmdline()[1:]]
    return f"process {process.pid} ({' '.join(words)})"


def _end(process: psutil.Process) -> bool:
    """End a process; return whether it ends."""
    try:
        process.terminate()
        try:
            process.wait(_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False  # of another user
    return True


def _remove_containers(folder: Path) -> list[str]:
    try:
        engine = docker.APIClient(**docker.utils.kwargs_from_env(), version="auto", timeout=5)
        found = engine.containers(all=True, filters={"label": "vantage6-type=algorithm"})
    except docker.errors.DockerException:
        return []  # no engine, no containers
    names = []
    for container in found:
        if any(_is_in(Path(source), folder) for source in _sources(container)):
            engine.remove_container(container["Id"], force=True, v=True)
            names.append(f"container {container['Names'][0].lstrip('/')}")
    return names


def _sources(container: dict[str, Any]) -> list[str]:
    return [mount.get("Source") or "/" for mount in container["Mounts"]]
