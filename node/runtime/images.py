"""Algorithm images: which exact one will run, and how it comes to this machine."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import docker
import requests
from docker.auth import resolve_repository_name
from docker.errors import APIError
from docker.utils import parse_repository_tag

from vantage6.common import logs
from vantage6.common.config.node import NodeConfig
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import RefusalError
from vantage6.node.runtime.base import Image, Pulling

log = logs.get(__name__)

_HUB = "docker.io"
#: What engines and registries say about an image that is not there, or not for us.
_ABSENT = (
    "not found",
    "manifest unknown",
    "does not exist",
    "denied",
    "unauthorized",
    "invalid reference",
)


class Images:
    """The images of one engine.

    Parameters
    ----------
    client
        Connection to the engine.
    config
        When to pull, and how to log in to private registries.
    """

    def __init__(self, client: docker.APIClient, config: NodeConfig) -> None:
        self._client = client
        self._policy = config.pull_policy
        self._logins = {
            login.registry: {
                "username": login.username,
                "password": login.password.get_secret_value(),
            }
            for login in config.docker_registries
        }
        #: A lock for each image that is pulled now, and how many hold it or wait for it.
        self._pulls: dict[str, tuple[threading.Lock, int]] = {}
        self._guard = threading.Lock()

    def fetch(
        self, image: str, cancelled: Callable[[], bool], pulling: Pulling = nullcontext
    ) -> Image:
        """Return an image, pulled if the configuration says so.

        Results run by id: a tag may move between the check of the policy and the start.

        Raises
        ------
        RefusalError
            If there is no such image, or it cannot be pulled.
        """
        found = None if self._policy == "always" else self._find(image)
        if found is not None:
            return found
        if self._policy == "never":
            raise RefusalError(
                TaskStatus.NO_DOCKER_IMAGE,
                "image_not_found",
                f"The image {image} is not at this node, which does not pull images.",
            )
        with pulling(), self._turn(image):
            # Another result may have pulled it while this one waited for its turn.
            found = self._find(image) if self._policy == "missing" else None
            if found is None:
                self._pull(image, cancelled)
                found = self._find(image)
        if found is None:
            raise _failed(image, "the engine says it did, but has no such image")
        return found

    @contextmanager
    def _turn(self, image: str) -> Iterator[None]:
        """Let one result at a time pull the same image."""
        with self._guard:
            lock, users = self._pulls.get(image, (threading.Lock(), 0))
            self._pulls[image] = lock, users + 1
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, users = self._pulls.pop(image)
                if users > 1:
                    self._pulls[image] = lock, users - 1

    def _find(self, image: str) -> Image | None:
        try:
            found = self._client.inspect_image(image)  # type: ignore[no-untyped-call]
        except APIError as error:
            # A reference that is no reference gets its explanation from the attempt to pull it.
            if error.status_code not in {requests.codes.not_found, requests.codes.bad_request}:
                raise
            return None
        # Engines leave the algorithm of the hash out, or do not.
        id_ = f"sha256:{found['Id'].rpartition(':')[2]}"
        known = {digest.rpartition("@")[2] for digest in found.get("RepoDigests") or ()}
        return Image(id_, frozenset({id_, *known}))

    def _pull(self, image: str, cancelled: Callable[[], bool]) -> None:
        log.info("image pull started", image=image)
        registry, _ = resolve_repository_name(parse_repository_tag(image)[0])
        login = self._logins.get(_HUB if registry == "index.docker.io" else registry)
        try:
            # Without a login of ours, docker-py uses that of the node's user (`docker login`).
            stream = self._client.pull(image, stream=True, decode=True, auth_config=login)
            for line in stream:
                if "error" in line:
                    raise _failed(image, str(line["error"]))
                if cancelled():
                    stream.close()
                    raise RefusalError(TaskStatus.KILLED, "killed", "Killed during the pull.")
        except APIError as error:
            raise _failed(image, str(error.explanation or error)) from error
        log.info("image pulled", image=image)


def _failed(image: str, explanation: str) -> RefusalError:
    """Return the refusal for a pull; an absent image is told from a registry that is down."""
    text = explanation.lower()
    absent = any(sign in text for sign in _ABSENT)
    return RefusalError(
        TaskStatus.NO_DOCKER_IMAGE if absent else TaskStatus.FAILED,
        "image_not_found" if absent else "pull_failed",
        f"The image {image} could not be pulled: {explanation}",
    )
