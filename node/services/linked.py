"""Containers of the station that algorithms may use."""

import socket

import docker

from vantage6.common import logs
from vantage6.node.runtime.namespaces import connect_within
from vantage6.node.runtime.relay import CONNECT_SECONDS
from vantage6.node.services.container import inspect_running

log = logs.get(__name__)


class LinkedService:
    """A container that the station runs by itself, under a name for algorithms.

    It may come and go: it is looked for at every connection, by its exact name.

    Parameters
    ----------
    alias
        Name for algorithms.
    container
        Name of the container.
    engine
        Where it runs.
    is_rootless
        Whether that is an engine whose networks are none of this machine's.
    """

    def __init__(
        self, alias: str, container: str, engine: docker.APIClient, *, is_rootless: bool = False
    ) -> None:
        self.name = self.host = alias
        self._container = container
        self._engine = engine
        self._is_rootless = is_rootless
        try:
            self.ports()
        except OSError as error:
            log.error(f"docker_services.{alias}: not there yet", reason=str(error))

    def ports(self) -> tuple[int, ...]:
        """Return the TCP ports that the container declares.

        Raises
        ------
        OSError
            If it does not run.
        """
        declared = (
            inspect_running(self._engine, self._container)["Config"].get("ExposedPorts") or {}
        )
        return tuple(
            sorted(int(port.partition("/")[0]) for port in declared if port.endswith("/tcp"))
        )

    def ready(self) -> None:
        """Return if the container runs.

        Raises
        ------
        OSError
            If it does not.
        """
        inspect_running(self._engine, self._container)

    def connect(self, port: int) -> socket.socket:
        """Return a connection to a port of the container.

        Raises
        ------
        OSError
            If it does not run, or does not answer.
        """
        # Not its loopback, from where some services let everybody in.
        details = inspect_running(self._engine, self._container)
        for network in details["NetworkSettings"]["Networks"].values():
            if address := network.get("IPAddress"):
                if self._is_rootless:
                    pid = details["State"]["Pid"]
                    return connect_within(details["Id"], pid, address, port, CONNECT_SECONDS)
                return socket.create_connection((address, port), CONNECT_SECONDS)
        raise ConnectionError(
            f"docker_services.{self.name}: {self._container!r} has no network of its own"
        )

    def close(self) -> None:
        """Leave the container alone: it is not ours."""
