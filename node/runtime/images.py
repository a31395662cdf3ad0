"""Algorithm images: which exact one will run, and how it comes to this machine."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from itertools import islice
from typing import Any

import docker
import requests
from docker.auth import encode_header, get_config_header
from docker.errors import APIError, create_api_error_from_http_exception
from docker.utils import parse_repository_tag

from vantage6.common import logs
from vantage6.common.backoff import delays
from vantage6.common.cards import LABEL
from vantage6.common.config.node import NodeConfig
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import RefusalError
from vantage6.node.rules.registries import Registries, registry_of
from vantage6.node.runtime.base import Image, Pulling
from vantage6.node.runtime.image_cache import ImageCache

log = logs.get(__name__)

#: To reach the engine, and between two lines on the progress of a pull.
_PULL_SECONDS = (60, 600)
#: What engines and registries say about an image that is not there, or not for us.
_ABSENT = (
    "not found",
    "manifest unknown",
    "does not exist",
    "denied",
    "unauthorized",
    "invalid reference",
)


_PATH = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?"
#: References as engines read them: host, path, tag and digest.
_REFERENCE = re.compile(
    rf"(?:{_HOST}/)?{_PATH}(?:/{_PATH})*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?",
    re.ASCII,
)
_MOST_CHARACTERS = 500
#: How often an engine that answers is asked about an image for which it fails.
_TRIES = 4


class _Troubled(Exception):
    """The engine answers, and fails for one image: as its storage restarts, or at its name."""


class Images:
    """The images of one engine.

    Parameters
    ----------
    client
        Connection to the engine.
    config
        When to pull, how to log in to private registries, and how long to keep what was pulled.
    cache
        The images that the node has pulled itself.
    """

    def __init__(
        self, client: docker.APIClient, config: NodeConfig, cache: ImageCache | None = None
    ) -> None:
        self._client = client
        self._cache = cache or ImageCache()
        self._keep_days = config.keep_images_days
        self._policy = config.pull_policy
        self._registries = Registries(config)
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
        self,
        image: str,
        cancelled: Callable[[], bool],
        pulling: Pulling = nullcontext,
        registries: Registries | None = None,
    ) -> Image:
        """Return an image, pulled if the configuration says so.

        Results run by id: a tag may move between the check of the policy and the start.

        Parameters
        ----------
        image, cancelled, pulling
            As `Runtime.fetch`.
        registries
            Those that may be asked; default: as the configuration says.

        Raises
        ------
        RefusalError
            If there is no such image, or it cannot be pulled.
        """
        _refuse_other_names(image)
        for pause in (*islice(delays(2), _TRIES - 1), None):
            try:
                return self._fetch(image, cancelled, pulling, registries or self._registries)
            except _Troubled as error:
                last = error
                log.warning("the engine fails for an image", image=image, reason=str(error))
                if pause is None or cancelled():
                    break
                time.sleep(pause)
        # SECURITY: an engine that answers is not away. Waiting for it would keep the slot.
        raise _refusal(image, str(last)) from last

    def _fetch(
        self,
        image: str,
        cancelled: Callable[[], bool],
        pulling: Pulling,
        registries: Registries,
    ) -> Image:
        found = None if self._policy == "always" else self._use(image)
        if found is not None:
            return found
        if self._policy == "never":
            raise RefusalError(
                TaskStatus.NO_DOCKER_IMAGE,
                "image_not_found",
                f"The image {image} is not at this node, which does not pull images.",
            )
        # SECURITY: before anything is sent anywhere.
        if not registries.may_ask(image):
            raise RefusalError(
                TaskStatus.NOT_ALLOWED,
                "registry_not_allowed",
                f"The node pulls no images from {registry_of(image)[:255]}: its policies do not "
                "name that registry.",
            )
        with pulling(), self._turn(image):
            # Another result may have pulled it while this one waited for its turn.
            before = self._use(image)
            if before is not None and self._policy == "missing":
                return before
            self._pull(image, cancelled)
            found = self._find(image)
            if found is None:
                raise _refusal(image, "the engine says it did, but has no such image")
            self._remember(image, before, found)
        return found

    def find(self, image: str) -> Image | None:
        """Return an image that is here; `fetch` may find a newer one.

        Raises
        ------
        RefusalError
            If it has no name of an image.
        """
        _refuse_other_names(image)
        try:
            return self._find(image)
        except _Troubled as error:
            log.warning("the engine fails for an image", image=image, reason=str(error))
            return None

    def sweep(self) -> None:
        """Remove one image that this node has pulled, if it was not used for long."""
        if self._keep_days is None:
            return
        with self._cache.lock:
            unused = self._cache.find_unused(self._keep_days)
            if unused is None:
                return
            reference, id_ = unused
            try:
                # Without force: the engine refuses while a container uses it, and what else leads
                # to the image stays.
                self._client.remove_image(reference)
                log.info("image removed", image=reference, unused_days=self._keep_days)
            except APIError as error:
                if error.status_code == requests.codes.conflict:
                    self._cache.touch(id_)
                    return
                if error.status_code != requests.codes.not_found:
                    raise
            self._cache.forget(reference)

    def _remember(self, image: str, before: Image | None, found: Image) -> None:
        """Remember the image of a pull; an image that was there before stays the station's own."""
        if before is None:
            self._cache.add(image, found.id)
        elif before.id != found.id and image in self._cache:
            self._cache.add(image, found.id)
            # The tag leads elsewhere by now; only its digest still names the older image.
            name = parse_repository_tag(image)[0]
            for digest in before.digests - {before.id}:
                self._cache.add(f"{name}@{digest}", before.id)

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

    def _use(self, image: str) -> Image | None:
        """Return an image that is here; from then on it counts as used, and stays."""
        with self._cache.lock:
            found = self._find(image)
            if found is not None:
                self._cache.touch(found.id)
            return found

    def volumes(self, image_id: str) -> tuple[str, ...]:
        """Return the folders that an image declares as volumes."""
        found = self._client.inspect_image(image_id)  # type: ignore[no-untyped-call]
        return tuple(found["Config"].get("Volumes") or ())

    def _find(self, image: str) -> Image | None:
        try:
            found = self._client.inspect_image(image)  # type: ignore[no-untyped-call]
        except APIError as error:
            if error.status_code in {requests.codes.not_found, requests.codes.bad_request}:
                return None
            if error.is_server_error() and self._client.ping():
                raise _Troubled(str(error.explanation or error)) from error
            raise
        # Engines leave the algorithm of the hash out, or do not.
        id_ = f"sha256:{str(found['Id']).rpartition(':')[2]}"
        known = {digest.rpartition("@")[2] for digest in found.get("RepoDigests") or ()}
        labels = (found.get("Config") or {}).get("Labels") or {}
        return Image(id_, frozenset({id_, *known}), labels.get(LABEL))

    def _pull(self, image: str, cancelled: Callable[[], bool]) -> None:
        log.info("image pull started", image=image)
        try:
            with self._progress(image) as lines:
                for line in lines:
                    if "error" in line:
                        raise _refusal(image, str(line["error"]))
                    if cancelled():
                        raise RefusalError(TaskStatus.KILLED, "killed", "Killed during the pull.")
        except APIError as error:
            raise _refusal(image, str(error.explanation or error)) from error
        log.info("image pulled", image=image)

    @contextmanager
    def _progress(self, image: str) -> Iterator[Iterator[dict[str, Any]]]:
        """Begin a pull and give what the engine tells of it; leaving ends it.

        The library's own method leaves the connection of a pull that is given up open.
        """
        client = self._client
        repository, tag = parse_repository_tag(image)
        # SECURITY: by the same rule as the policies. The library takes another host for Docker
        # Hub, and would hand the login there to it.
        registry = registry_of(image)
        login = self._logins.get(registry)
        # Without a login of ours, that of the node's user counts (`docker login`).
        header = encode_header(login) if login else get_config_header(client, registry)
        response = client.post(
            f"{client.base_url}/v{client.api_version}/images/create",
            params={"fromImage": repository, "tag": tag or "latest"},
            headers={"X-Registry-Auth": header} if header else {},
            stream=True,
            timeout=_PULL_SECONDS,
        )
        with closing(response):
            try:
                response.raise_for_status()
            except requests.HTTPError as error:
                raise create_api_error_from_http_exception(error) from error
            yield (json.loads(line) for line in response.iter_lines() if line)


def _refuse_other_names(image: str) -> None:
    """Refuse what is no name of an image, before the engine or a registry is asked for it.

    SECURITY: the library puts a name into the path of a request to the engine. With ``..`` in it
    the request would be another one.

    Raises
    ------
    RefusalError
        If it is an address as copied from a browser, or follows not the grammar of references.
    """
    scheme, separator, name = image.partition("://")
    if separator:
        raise RefusalError(
            TaskStatus.NO_DOCKER_IMAGE,
            "image_not_found",
            f"{image} is an address and not the name of an image: leave out {scheme}://"
            + (f", as in {name.rstrip('/')}." if name else "."),
        )
    if len(image) > _MOST_CHARACTERS or not _REFERENCE.fullmatch(image):
        raise RefusalError(
            TaskStatus.NO_DOCKER_IMAGE,
            "image_not_found",
            "The image has no valid name. Write it as [registry/]name[:tag][@digest] in small "
            "letters.",
        )


def _refusal(image: str, explanation: str) -> RefusalError:
    """Return the refusal for a pull; an absent image is told from a registry that is down.

    SECURITY: what engine and registry say tells of the station's network. It goes to the node's log
    and no further.
    """
    text = explanation.lower()
    absent = any(sign in text for sign in _ABSENT)
    log.warning("image not pulled", image=image, absent=absent, reason=explanation[:2000])
    if absent:
        return RefusalError(
            TaskStatus.NO_DOCKER_IMAGE,
            "image_not_found",
            f"The image {image} does not exist, or this node may not read it. Check its name and "
            "tag.",
        )
    return RefusalError(
        TaskStatus.FAILED,
        "pull_failed",
        f"The image {image} could not be pulled. Try again later; the administrator of the node "
        "finds the cause in its log.",
    )
