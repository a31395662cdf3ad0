"""A container of the node's own in which a service runs."""

import socket
import time
from collections.abc import Callable
from typing import Any, TypeVar

import docker
import requests
from docker.errors import DockerException, NotFound

from vantage6.common import logs
from vantage6.common.errors import ConfigurationError
from vantage6.node.outcomes import RefusalError
from vantage6.node.runtime.base import EngineUnavailable
from vantage6.node.runtime.docker import DockerRuntime
from vantage6.node.runtime.door import within

log = logs.get(__name__)

T = TypeVar("T")

_TYPE = "service"
_CONNECT_SECONDS = 10
_LOG_LINES = 20
_LOG = docker.types.LogConfig(type="json-file", config={"max-size": "10m", "max-file": "2"})


class ServiceContainer:
    """One container, made anew at each start of the node.

    Parameters
    ----------
    runtime
        The engine, and the images.
    node
        Name of the node.
    kind
        Which service; part of the name of the container.
    setting
        What to name when something is wrong with the image.
    """

    def __init__(self, runtime: DockerRuntime, node: str, kind: str, setting: str) -> None:
        self._runtime = runtime
        self._engine = runtime.engine
        self._node = node
        self._setting = setting
        self.name = f"vantage6-{node}-{kind}"

    def start(self, image: str, command: list[str], **host: Any) -> None:
        """Make the container and start it.

        Parameters
        ----------
        image
            Its image; fetched like those of algorithms.
        command
            Program and arguments, whatever the image says.
        **host
            What it may do, beyond nothing.

        Raises
        ------
        ConfigurationError
            If it cannot be started.
        """
        try:
            found = self._runtime.fetch(image, lambda: False)
            self.remove()
            made = self._engine.create_container(
                image=found.id,
                entrypoint=command[:1],
                command=command[1:],
                name=self.name,
                user=host.pop("user", None),
                labels={"vantage6-type": _TYPE, "node": self._node},
                host_config=self._engine.create_host_config(
                    security_opt=["no-new-privileges"],
                    read_only=True,
                    tmpfs={"/tmp": "", "/run": "mode=1777"},  # noqa: S108 (the container's own)
                    cap_drop=["ALL"],
                    restart_policy={"Name": "always"},
                    log_config=_LOG,
                    pids_limit=64,
                    **host,
                ),
            )
            self._engine.start(made["Id"])
        except (RefusalError, DockerException, requests.RequestException) as error:
            raise ConfigurationError(f"{self._setting}: {error}") from error

    def connect(self, port: int) -> socket.socket:
        """Return a connection to a port of the container's own loopback, which only it has.

        Raises
        ------
        OSError
            If the container does not run, or does not answer.
        """
        return self.inside(
            lambda: socket.create_connection(("127.0.0.1", port), timeout=_CONNECT_SECONDS)
        )

    def inside(self, call: Callable[[], T]) -> T:
        """Call a function in the network namespace of the container.

        Raises
        ------
        OSError
            If the container does not run, or as the function raises it.
        """
        details = self.inspect()
        return within(details["Id"], details["State"]["Pid"], call)

    def inspect(self) -> dict[str, Any]:
        """Return what the engine knows of the container.

        Raises
        ------
        ConnectionError
            If it does not run.
        """
        return inspected(self._engine, self.name)

    def is_running(self) -> bool:
        """Tell whether the container runs."""
        try:
            self.inspect()
        except ConnectionError:
            return False
        return True

    def wait_for(self, port: int, seconds: float) -> None:
        """Wait until a port answers.

        Raises
        ------
        ConfigurationError
            With what the container printed, if it does not; the container is gone then.
        """
        end = time.monotonic() + seconds
        while True:
            try:
                return self.connect(port).close()
            except OSError as error:
                if time.monotonic() > end:
                    said = self.log()
                    self.remove()
                    raise ConfigurationError(
                        f"{self._setting}: the service does not start; it says: {said}"
                    ) from error
            time.sleep(0.05)

    def log(self) -> str:
        """Return the end of what the container printed."""
        try:
            raw: bytes = self._engine.logs(self.name, tail=_LOG_LINES)
        except (DockerException, requests.RequestException) as error:
            return str(error)
        return raw.decode("utf-8", "replace").strip()

    def remove(self) -> None:
        """Remove the container, if there is one."""
        try:
            self._engine.remove_container(self.name, force=True, v=True)
        except NotFound:
            pass
        except (DockerException, requests.RequestException) as error:
            log.warning("container not removed", container=self.name, reason=str(error))


def inspected(engine: docker.APIClient, name: str) -> dict[str, Any]:
    """Return what the engine knows of a running container with exactly this name.

    Raises
    ------
    ConnectionError
        If there is none, or the engine does not answer.
    """
    try:
        details: dict[str, Any] = engine.inspect_container(name)
    except (DockerException, requests.RequestException) as error:
        raise ConnectionError(f"no container {name!r}: {error}") from error
    # The engine also takes the beginning of an id for a name.
    if details["Name"] != f"/{name}":
        raise ConnectionError(f"no container has the name {name!r}")
    if not details["State"]["Running"]:
        raise ConnectionError(f"the container {name!r} does not run")
    return details


def sweep(engine: docker.APIClient, node: str) -> None:
    """Remove the service containers that an earlier life of a node left.

    Raises
    ------
    EngineUnavailable
        If the engine does not answer.
    """
    labels = [f"vantage6-type={_TYPE}", f"node={node}"]
    try:
        for found in engine.containers(all=True, filters={"label": labels}):
            engine.remove_container(found["Id"], force=True, v=True)
    except (DockerException, requests.RequestException) as error:
        raise EngineUnavailable(f"The container engine does not answer: {error}") from error
