"""A look at the container engine without running anything on it."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import docker
import requests
from docker.errors import DockerException

from vantage6.common.config.node import NodeConfig
from vantage6.node.runtime.base import EngineUnavailable

_DEFAULT_SOCKET = "unix:///var/run/docker.sock"


def address(config: NodeConfig) -> str:
    """Return where the engine of a node is."""
    return config.docker_host or os.environ.get("DOCKER_HOST") or _DEFAULT_SOCKET


def connect(config: NodeConfig, seconds: int) -> Any:
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
        return docker.APIClient(base_url=address(config), version="auto", timeout=seconds)
    except (DockerException, requests.RequestException) as error:
        raise EngineUnavailable(
            f"No container engine answers at {address(config)}: start Docker or Podman, or set "
            "docker_host."
        ) from error
