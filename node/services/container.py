"""A container of the node's own in which a service runs."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import docker
import requests
from docker.errors import DockerException, NotFound

from vantage6.common import logs
from vantage6.common.config.services import SERVICES_IMAGE
from vantage6.common.errors import ConfigurationError
from vantage6.node.outcomes import RefusalError
from vantage6.node.runtime.base import EngineUnavailable
from vantage6.node.runtime.docker import DockerRuntime
from vantage6.node.runtime.namespaces import connect_within, within
from vantage6.node.runtime.relay import CONNECT_SECONDS

log = logs.get(__name__)

T = TypeVar("T")

_TYPE = "service"
_LOG_LINES = 20
_MEMORY_BYTES = 512 * 2**20
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
            Its image; fetched like those of algorithms, if it is not the one that is built here.
        command
            Program and arguments, in place of those of the image.
        **host
            What it may do, beyond nothing.

        Raises
        ------
        ConfigurationError
            If it cannot be started.
        """
        try:
            id_ = self._find_image(image)
            self.remove()
            made = self._engine.create_container(
                image=id_,
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
                    mem_limit=_MEMORY_BYTES,
                    **host,
                ),
            )
            self._engine.start(made["Id"])
        except (
            ConfigurationError,
            RefusalError,
            DockerException,
            requests.RequestException,
        ) as error:
            self.remove()
            raise ConfigurationError(f"{self._setting}: {error}") from error

    def _find_image(self, image: str) -> str:
        """Return the id of an image."""
        if image == SERVICES_IMAGE:
            return find_built_image(self._engine)
        return self._runtime.fetch(image, lambda: False).id

    def connect(self, port: int) -> socket.socket:
        """Return a connection to a port of the container's own loopback, which only it has.

        Raises
        ------
        OSError
            If the container does not run, or does not answer.
        """
        details = self.inspect()
        return connect_within(
            details["Id"], details["State"]["Pid"], "127.0.0.1", port, CONNECT_SECONDS
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
        return inspect_running(self._engine, self.name)

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
        _remove(self._engine, self.name)


def find_built_image(engine: docker.APIClient) -> str:
    """Return the id of the image of services that is built on this machine.

    Raises
    ------
    ConfigurationError
        If it is not there; says how to build it.
    """
    try:
        # SECURITY: never pulled. Nobody publishes it, and anybody could under its name.
        id_: str = engine.inspect_image(SERVICES_IMAGE)["Id"]  # type: ignore[no-untyped-call]
    except NotFound as error:
        raise ConfigurationError(
            f"the image {SERVICES_IMAGE} is not on this machine; build it with "
            f"`docker build --tag {SERVICES_IMAGE} {Path(__file__).parent}`, or name another one."
        ) from error
    return id_


def inspect_running(engine: docker.APIClient, name: str) -> dict[str, Any]:
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
        left = engine.containers(all=True, filters={"label": labels})
    except (DockerException, requests.RequestException) as error:
        raise EngineUnavailable(f"The container engine does not answer: {error}") from error
    for found in left:
        _remove(engine, found["Id"])


def _remove(engine: docker.APIClient, container: str) -> None:
    try:
        engine.remove_container(container, force=True, v=True)
    except NotFound:
        pass
    except (DockerException, requests.RequestException) as error:
        log.warning("container not removed", container=container, reason=str(error))
