"""What a node that does not run has left at its container engine."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vantage6.node.instance import Instance

_SECONDS = 30
#: Containers of algorithms in these states are at an end; others are taken over by the next start.
_ENDED = ("created", "exited", "dead")
#: Containers that are of no use without their node, whatever their state.
_HELPERS = ("service", "algorithm-helper")


class Remains:
    """Containers, volumes and networks of one node and no other; none for the process runtime.

    Parameters
    ----------
    instance
        The node.

    Raises
    ------
    EngineUnavailable
        If the engine does not answer.
    """

    def __init__(self, instance: "Instance") -> None:
        self._node = instance.engine_name
        self._containers: list[str] = []
        self._volumes: list[str] = []
        self._networks: list[str] = []
        self._client: Any = None
        if instance.config.runtime == "docker":
            from vantage6.node.runtime.engine import connect

            self._client = connect(instance.config, _SECONDS)

    @property
    def names(self) -> list[str]:
        """What was found."""
        return [*self._containers, *self._volumes, *self._networks]

    def find(self, promised: Collection[int]) -> None:
        """Look for what no result on disk needs, and what runs no more."""
        needed = set(map(str, promised))

        def is_left(container: Mapping[str, Any]) -> bool:
            ended = container["State"] in _ENDED
            return ended and container["Labels"].get("result_id") not in needed

        self._find(is_left, r"\d+-tmpvol")

    def find_all(self) -> None:
        """Look for everything that is the node's."""
        self._find(lambda _: True, r"vol|(vpn|ssh|squid)-vol|\d+-tmpvol")
        if self._client is not None:
            with _answering():
                labels = ["vantage6-type=network", f"node={self._node}"]
                found = self._client.networks(filters={"label": labels})
            self._networks = [one["Name"] for one in found]

    def remove(self) -> None:
        """Remove what was found."""
        with _answering():
            for name in self._containers:
                self._client.remove_container(name, force=True, v=True)
            for name in self._volumes:
                self._client.remove_volume(name)
            for name in self._networks:
                self._client.remove_network(name)

    def close(self) -> None:
        """Leave the engine alone."""
        if self._client is not None:
            self._client.close()

    def _find(self, is_left: Callable[[Mapping[str, Any]], bool], volumes: str) -> None:
        if self._client is None:
            return
        with _answering():
            containers = self._client.containers(
                all=True, filters={"label": [f"node={self._node}"]}
            )
            known = self._client.volumes()["Volumes"] or []
        self._containers = [
            one["Names"][0].lstrip("/")
            for one in containers
            if (kind := one["Labels"].get("vantage6-type")) in _HELPERS
            or (kind == "algorithm" and is_left(one))
        ]
        # Those of 3.11; the engine itself would also match parts of names, and so other nodes.
        ours = re.compile(rf"vantage6-{re.escape(self._node)}-({volumes})")
        self._volumes = [one["Name"] for one in known if ours.fullmatch(one["Name"])]


@contextmanager
def _answering() -> Iterator[None]:
    import requests
    from docker.errors import DockerException

    from vantage6.node.runtime.base import EngineUnavailable

    try:
        yield
    except (DockerException, requests.RequestException) as error:
        raise EngineUnavailable(f"The container engine refuses: {error}") from error
