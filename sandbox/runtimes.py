"""How the stations of a sandbox run algorithms: in containers where that works at once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import docker
import docker.errors

from vantage6.common.errors import Unavailable
from vantage6.sandbox import statistics
from vantage6.sandbox.federation import AS_PROCESSES, IMAGE, IN_CONTAINERS

_SECONDS = 5


@dataclass(frozen=True)
class Chosen:
    """Settings of a node, and what a person has to know about them."""

    settings: dict[str, Any]
    remark: str = ""


def choose(
    wanted: str, environment: Mapping[str, str] = os.environ, *, image: str = IMAGE
) -> Chosen:
    """Return how algorithms run.

    Parameters
    ----------
    wanted
        ``containers``, ``processes``, or ``auto``.
    environment
        Where the address of the engine stands.
    image
        What the engine has to have.

    Raises
    ------
    Unavailable
        If containers are wanted, and there is no engine or no image.
    """
    if wanted == "processes":
        return _as_processes("as you asked for")
    missing = _missing(environment, image)
    if not missing:
        return Chosen(dict(IN_CONTAINERS))
    if wanted == "containers":
        raise Unavailable(
            f"{missing} Without containers: `vantage6 sandbox start --runtime processes`."
        )
    return _as_processes(f"because {missing[0].lower()}{missing[1:].rstrip('.')}")


def with_statistics(
    settings: Mapping[str, Any], environment: Mapping[str, str] = os.environ
) -> dict[str, Any] | None:
    """Return settings of a node that runs the functions of the statistics as well.

    Parameters
    ----------
    settings
        As `choose` gives them.
    environment
        Where the address of the engine stands.

    Returns
    -------
    dict or None
        None where the engine has no image of them, or their libraries are not installed.
    """
    if settings["runtime"] != "process":
        return None if _missing(environment, statistics.IMAGE) else dict(settings)
    if statistics.missing_library():
        return None
    return {**settings, "processes": {**settings["processes"], **statistics.PROCESSES}}


def _as_processes(why: str) -> Chosen:
    return Chosen(
        dict(AS_PROCESSES), f"algorithms run as plain processes, which nothing isolates, {why}."
    )


def _missing(environment: Mapping[str, str], image: str) -> str:
    """Return what is missing for containers, and what to do; empty if nothing is."""
    try:
        engine = docker.from_env(timeout=_SECONDS, environment=dict(environment))
        try:
            engine.images.get(image)
        finally:
            engine.close()
    except docker.errors.ImageNotFound:
        return f"The container engine has no image {image} (`docker pull {image}` gets it)."
    except docker.errors.DockerException:
        return "No container engine answers (start Docker, or set DOCKER_HOST)."
    return ""
