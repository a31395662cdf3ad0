"""Algorithms in containers: no network, no privileges, limits on everything.

The low-level client of docker-py is used because each of its methods is one request. A result
costs create, start, inspect, wait, inspect, logs, and remove when it has been delivered.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import APIError, NotFound
from docker.types import Healthcheck

from vantage6.common import clock, logs
from vantage6.common.backoff import delays
from vantage6.common.config.node import NodeConfig
from vantage6.node.claims import folder_name
from vantage6.node.outcomes import SIGKILL_CODE, SIGTERM_CODE, Exit
from vantage6.node.rules.registries import Registries
from vantage6.node.runtime import confinement, podman
from vantage6.node.runtime.base import (
    Answer,
    ContainerPaths,
    EngineUnavailable,
    Handle,
    Image,
    Pulling,
    RunSpec,
    end_of,
    environment,
    is_cut,
)
from vantage6.node.runtime.engine import address, connect, facts, saw_memory_end, warn_of_limits
from vantage6.node.runtime.image_cache import ImageCache
from vantage6.node.runtime.images import Images
from vantage6.node.runtime.links import (
    LABEL,
    Dial,
    Links,
    addresses,
    dial_directly,
    to_label,
)
from vantage6.node.runtime.listeners import (
    BridgeListeners,
    Listeners,
    NamespaceListeners,
    can_enter_containers,
)
from vantage6.node.runtime.mounts import DATA, TEMPORARY, database_address, links_of, mounts
from vantage6.node.runtime.start_failures import start_failed

log = logs.get(__name__)

_REQUEST_SECONDS = 60
#: One for each container that is waited for.
_CONNECTIONS = 128
#: Lines that are read for a look at the log of a running container.
_LIVE_LINES = 1000
_GONE = frozenset({404, 409})
#: Exit codes of a container that its engine ended.
_SIGNALS = frozenset({SIGKILL_CODE, SIGTERM_CODE})
#: For so long it is seen whether the engine ends too.
_PINGS, _PING_SECONDS = 10, 0.3


class DockerRuntime:
    """Runs algorithms in containers of one engine.

    Parameters
    ----------
    name
        Name of the node; part of the names of its containers.
    config
        Limits, image policy and the engine's address.
    dial
        How the services are reached that algorithms may use.
    folder
        Where it keeps what it has to know in its next life; None to keep nothing.

    Raises
    ------
    EngineUnavailable
        If the engine does not answer.
    """

    def __init__(
        self,
        name: str,
        config: NodeConfig,
        dial: Dial = dial_directly,
        folder: Path | None = None,
    ) -> None:
        self._name = name
        self._config = config
        self._client: docker.APIClient = connect(config, _REQUEST_SECONDS, _CONNECTIONS)
        self.facts = facts(self._client)
        self._account = confinement.account(config, self.facts)
        self._system_calls = confinement.system_calls(self.facts, folder)
        warn_of_limits(self.facts)
        self._links = Links(dial)
        self._images = Images(self._client, config, ImageCache(folder and folder / "images.json"))
        self.listeners = self._choose_listeners()

    @property
    def engine(self) -> docker.APIClient:
        """The connection to the engine."""
        return self._client

    def fetch(
        self,
        image: str,
        cancelled: Callable[[], bool],
        pulling: Pulling = nullcontext,
        registries: Registries | None = None,
    ) -> Image:
        """Return an image, pulled if it has to be."""
        with _engine():
            return self._images.fetch(image, cancelled, pulling, registries)

    def find_image(self, image: str) -> Image | None:
        """Return an image that is here, without asking a registry."""
        with _engine():
            return self._images.find(image)

    def create(self, spec: RunSpec) -> Handle:
        """Create the container of a result, or return the one that exists.

        Its name comes from the result, so that the engine itself refuses a second one.
        """
        reservation = self.listeners.reserve()
        paths = ContainerPaths(
            io=f"{DATA}/{folder_name(spec.result_id)}",
            temporary=TEMPORARY,
            database=database_address(spec),
            host=f"http://{reservation.host}",
            port=reservation.port,
        )
        path = spec.database.path
        if path is not None and not self._account.may_read(path):
            log.warning(
                "database closed to algorithms: change the mode of its file, or algorithm_user",
                database=spec.database.label,
                algorithm_user=self._account.name,
            )
        name = self._container(spec.result_id)
        with _engine():
            try:
                made = self._create(name, spec, paths)
            except APIError as error:
                if reservation.listener:
                    reservation.listener.close()
                existing = self._existing(name)
                if existing is None:
                    raise start_failed(str(error.explanation or error)) from error
                return existing
        return Handle(spec.result_id, made["Id"], reservation.port, listener=reservation.listener)

    def start(self, handle: Handle, answer: Answer) -> Handle:
        """Start a created container; one that was started before is left as it is."""
        with _engine():
            try:
                if handle.started_at is None:
                    if self.facts.libpod and self.facts.is_rootless:
                        podman.bound(self._client, self.facts.libpod, handle.id, self._config)
                    self._client.start(handle.id)
                details = self._client.inspect_container(handle.id)
            except APIError as error:
                raise start_failed(str(error.explanation or error)) from error
            self._open_listener(handle, details, answer)
        return replace(_handle(details), listener=None)

    def find(self, result_id: int, answer: Answer) -> Handle | None:
        """Return the container of a result; one that was only created is started."""
        with _engine():
            existing = self._existing(self._container(result_id))
        return None if existing is None else self.start(existing, answer)

    def log(self, result_id: int, most: int) -> str:
        """Return the end of what a container has printed."""
        name = self._container(result_id)
        with _engine():
            raw = self._client.logs(name, stdout=True, stderr=True, tail=_LIVE_LINES)
        return end_of(raw, most)

    def wait(self, handle: Handle) -> Exit:
        """Block until the container ends; outlives restarts of the engine."""
        pauses, was_away = delays(), False
        while True:
            try:
                timed_out = self._wait(handle)
                self._links.close(handle.result_id)
                exit_ = self._exit(handle, timed_out)
                return replace(exit_, engine_stopped=self._was_stopped(exit_, was_away))
            except NotFound:
                return Exit(None)
            except (EngineUnavailable, requests.RequestException) as error:
                was_away = True
                log.warning("engine does not answer", result_id=handle.result_id, error=str(error))
                threading.Event().wait(next(pauses))

    def _was_stopped(self, exit_: Exit, was_away: bool) -> bool:
        """Tell whether the end of the engine ended a container, by the signals that it sends."""
        if exit_.timed_out or exit_.out_of_memory or exit_.code not in _SIGNALS:
            return False
        if not was_away and exit_.code == SIGTERM_CODE:
            # The engine ends its containers first and itself a moment later.
            try:
                for _ in range(_PINGS):
                    self._client.ping()
                    threading.Event().wait(_PING_SECONDS)
            except (APIError, requests.RequestException):
                return True
        return was_away

    def kill(self, result_id: int) -> None:
        """End a container at once."""
        with _engine(), _unless_gone():
            self._client.kill(self._container(result_id))

    def memory_bytes(self, result_id: int) -> int | None:
        """Return how much memory a container uses; None where that is not known."""
        told: dict[str, Any] = {}
        with _engine(), _unless_gone():
            told = self._client.stats(self._container(result_id), stream=False, one_shot=True)
        return (told.get("memory_stats") or {}).get("usage")

    def remove(self, result_id: int) -> None:
        """Remove a container, running or not."""
        self._links.close(result_id)
        with _engine(), _unless_gone():
            self._client.remove_container(self._container(result_id), force=True, v=True)

    def sweep(self, keep: set[int]) -> None:
        """Remove this node's containers whose result is not in `keep`."""
        labels = ["vantage6-type=algorithm", f"node={self._name}"]
        with _engine():
            containers = self._client.containers(all=True, filters={"label": labels})
        for result_id in {int(found["Labels"]["result_id"]) for found in containers} - keep:
            log.warning("container without result removed", result_id=result_id)
            self.remove(result_id)

    def sweep_images(self) -> None:
        """Remove an image that this node pulled and did not use for long, if there is one."""
        with _engine():
            self._images.sweep()

    def close(self) -> None:
        """Close the idle connections to the engine."""
        self._client.close()

    def _existing(self, name: str) -> Handle | None:
        # Not every engine says by its status code that a name is taken.
        try:
            return _handle(self._client.inspect_container(name))
        except NotFound:
            return None

    def _container(self, result_id: int) -> str:
        return f"vantage6-{self._name}-result-{result_id}"

    def _create(self, name: str, spec: RunSpec, paths: ContainerPaths) -> dict[str, Any]:
        links = links_of(spec)
        seen = mounts(spec)
        declared = self._images.volumes(spec.image)
        made: dict[str, Any] = self._client.create_container(
            image=spec.image,
            command=[],  # the image's own
            name=name,
            user=self._account.name,
            environment=environment(spec, paths),
            labels={
                "vantage6-type": "algorithm",
                "node": self._name,
                "result_id": str(spec.result_id),
                "port": str(paths.port),
                LABEL: to_label(links),
                "vpn": "yes" if spec.vpn else "",
            },
            healthcheck=Healthcheck(test=["NONE"]),
            host_config=confinement.host_config(
                self._client,
                self._config,
                network=self.listeners.network,
                mounts=[*seen, *confinement.volumes(self._config, declared, seen)],
                hosts=addresses(links),
                mapping=self._account.mapping,
                # Some engines come without it, and refuse containers that ask for it.
                with_init=self.facts.has_init,
                with_cpus="processors" not in self.facts.unbounded,
                system_calls=self._system_calls,
                is_podman=self.facts.is_podman,
            ),
        )
        return made

    def _choose_listeners(self) -> Listeners:
        if can_enter_containers(address(self._config), is_rootless=self.facts.is_rootless):
            return NamespaceListeners()
        log.warning(
            "weaker isolation: containers can reach ports that this machine opens on all its "
            "addresses; run the node as root on the engine's machine, or beside a rootless engine "
            "of its own user, to close them in completely"
        )
        labels = {"vantage6-type": "network", "node": self._name}
        with _engine():
            return BridgeListeners.on(
                self._client,
                f"vantage6-{self._name}-net",
                labels,
                is_podman=self.facts.is_podman,
            )

    def _open_listener(self, handle: Handle, details: dict[str, Any], answer: Answer) -> None:
        if details["State"]["Status"] != "running":
            if handle.listener:
                handle.listener.close()
            return
        try:
            listener = handle.listener or self.listeners.listen(
                details["Id"], details["State"]["Pid"], handle.port
            )
        except ProcessLookupError:
            log.debug("container ended before its listener was open", result_id=handle.result_id)
        except OSError as error:
            # Not every algorithm needs the listener.
            log.error("listener not open", result_id=handle.result_id, reason=str(error))
        else:
            answer(listener)
            if isinstance(self.listeners, NamespaceListeners):
                self._links.open(handle.result_id, details, self.listeners)

    def _wait(self, handle: Handle) -> bool:
        """Block until the container ends; return whether its time was over."""
        seconds = self._config.limits.seconds
        if seconds is not None and handle.started_at is not None:
            seconds = max(1.0, seconds - (clock.now() - handle.started_at).total_seconds())
        try:
            self._client.wait(handle.id, timeout=ceil(seconds) if seconds else None)
        except requests.RequestException as error:
            # The engine answers at once with headers and the rest when the container ends, hence
            # the time-out may come as a broken connection.
            if seconds is None or "timed out" not in str(error).lower():
                raise
        else:
            return False
        self.kill(handle.result_id)
        self._client.wait(handle.id, timeout=_REQUEST_SECONDS)
        return True

    def _exit(self, handle: Handle, timed_out: bool) -> Exit:
        state = self._client.inspect_container(handle.id)["State"]
        raw = self._client.logs(handle.id, stdout=True, stderr=True)
        return Exit(
            code=state["ExitCode"],
            log=end_of(raw, self._config.limits.log_bytes),
            out_of_memory=state["OOMKilled"]
            or (
                state["ExitCode"] == SIGKILL_CODE
                # Podman does not always notice; nothing else ends a program of its like that.
                and (self.facts.is_podman or saw_memory_end(self._client, handle.id))
            ),
            timed_out=timed_out,
            log_cut=is_cut(raw, self._config.limits.log_bytes),
        )


@contextmanager
def _engine() -> Iterator[None]:
    """Turn the engine's silence into `EngineUnavailable`."""
    try:
        yield
    except requests.RequestException as error:
        # What the engine refuses by name will not become right by waiting.
        if isinstance(error, APIError) and not error.is_server_error():
            raise
        raise EngineUnavailable(f"The container engine does not answer: {error}") from error


@contextmanager
def _unless_gone() -> Iterator[None]:
    """Forgive the engine for not having what should go, or for removing it already."""
    try:
        yield
    except APIError as error:
        if error.status_code not in _GONE:
            raise


def _handle(details: dict[str, Any]) -> Handle:
    labels, state = details["Config"]["Labels"], details["State"]
    started_at = None if state["Status"] == "created" else clock.parse(state["StartedAt"])
    ids = int(labels["result_id"]), details["Id"]
    return Handle(*ids, int(labels["port"]), started_at, state.get("Pid"))
