"""What a rootless Podman does not do for those who speak Docker's language."""

import resource
from pathlib import Path
from typing import Any

import requests
from docker.errors import create_api_error_from_http_exception

from vantage6.common.config.node import NodeConfig
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import RefusalError
from vantage6.node.runtime import confinement
from vantage6.node.runtime.namespaces import is_process_of


def bound(client: Any, version: str, container_id: str, config: NodeConfig) -> None:
    """Bound the files of a container that was created; Podman leaves that out unless it is root.

    Podman makes the container's process, which then waits for the start. It becomes and begins
    other programs within its limits, so there is no moment without them.

    Raises
    ------
    RefusalError
        If the limits cannot be set.
    docker.errors.APIError
        If Podman refuses, for example since there is no such user in the image.
    """
    address = f"{client.base_url}/v{version}/libpod/containers/{container_id}/init"
    # Again for a container that waits already, it changes nothing.
    answer = client.post(address, timeout=client.timeout)
    try:
        answer.raise_for_status()
    except requests.HTTPError as error:
        create_api_error_from_http_exception(error)
    pid = client.inspect_container(container_id)["State"]["Pid"]
    try:
        if not is_process_of(container_id, Path(f"/proc/{pid}")):
            raise ProcessLookupError(f"process {pid} is not the container's")
        for name, most in confinement.ulimits(config).items():
            number = getattr(resource, f"RLIMIT_{name.upper()}")
            resource.prlimit(pid, number, (most, most))
    except OSError as error:
        raise RefusalError(
            TaskStatus.START_FAILED,
            "start_failed",
            f"The size of the algorithm's files could not be limited: {error}",
        ) from error
