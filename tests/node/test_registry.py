"""Images of a private registry with a password."""

import io
import random
import socket
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import docker
import pytest

from tests.node.factories import make_claim, make_config
from tests.services.registry import PASSWORD, USER, registry
from vantage6.node.outcomes import RefusalError
from vantage6.node.policy import Asked, Policy
from vantage6.node.runtime.base import Image
from vantage6.node.runtime.images import Images

pytestmark = pytest.mark.slow

_NAME = "private/algorithm"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of the registry."""
    with registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture(scope="module")
def digest(engine: docker.APIClient, address: str) -> str:
    """Put an image into the registry, and return its digest."""
    return put(engine, f"{address}/{_NAME}")


def put(engine: docker.APIClient, name: str) -> str:
    """Put an image with the tag 1 into the registry, and return its digest."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("content")
        entry.size = 200_000
        # Cannot be compressed, so that its way takes time.
        tar.addfile(entry, io.BytesIO(random.randbytes(entry.size)))
    engine.import_image_from_data(archive.getvalue(), name, "1")
    login = {"username": USER, "password": PASSWORD}
    said = list(engine.push(name, "1", auth_config=login, stream=True, decode=True))
    forget(engine, f"{name}:1")
    return next(line["aux"]["Digest"] for line in said if "aux" in line)


def forget(engine: docker.APIClient, reference: str) -> None:
    """Remove an image from this machine."""
    with suppress(docker.errors.ImageNotFound):
        engine.remove_image(reference, force=True)


def fetched(engine: docker.APIClient, reference: str, password: str = PASSWORD) -> Image:
    """Return an image as a node with a password gets it."""
    host = reference.partition("/")[0]
    login = {"registry": host, "username": USER, "password": password}
    config = make_config(pull_policy="missing", docker_registries=[login])
    return Images(engine, config).fetch(reference, lambda: False)


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_image_is_pulled_with_the_configured_password(
    engine: docker.APIClient, address: str, digest: str, by: str
) -> None:
    reference = f"{address}/{_NAME}" + (":1" if by == "tag" else f"@{digest}")
    forget(engine, reference)
    try:
        image = fetched(engine, reference)
        assert engine.inspect_image(image.id)["Id"] == image.id
        assert digest in image.digests
    finally:
        forget(engine, reference)


def test_wrong_password_is_told(engine: docker.APIClient, address: str, digest: str) -> None:
    with pytest.raises(RefusalError) as caught:
        fetched(engine, f"{address}/{_NAME}@{digest}", "wrong")
    assert caught.value.reason.code == "image_not_found"
    assert "auth" in caught.value.reason.message
    assert "wrong" not in caught.value.reason.message


def test_rule_for_a_digest_holds_for_what_a_tag_leads_to(
    engine: docker.APIClient, address: str, digest: str
) -> None:
    reference = f"{address}/{_NAME}:1"
    try:
        image = fetched(engine, reference)
    finally:
        forget(engine, reference)
    asked = Asked.by(make_claim(image=reference), digests=image.digests)
    name = reference.removesuffix(":1")
    Policy(make_config(policies={"allowed_algorithms": f"{name}@{digest}"})).check(asked)
    other = f"{name}@sha256:{'0' * 64}"
    with pytest.raises(RefusalError) as caught:
        Policy(make_config(policies={"allowed_algorithms": other})).check(asked)
    assert caught.value.reason.code == "image_not_allowed"


# The library leaves the connection of a pull that is given up to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_registry_that_trickles_holds_up_no_other_pull(
    engine: docker.APIClient, address: str, digest: str
) -> None:
    other = f"{address}/private/other"
    other_digest = put(engine, other)
    with closing(_Trickle(address)) as slow:
        reference = f"{slow.address}/{_NAME}:1"
        given_up = threading.Event()
        ended: list[str] = []

        def pull() -> None:
            login = {"registry": slow.address, "username": USER, "password": PASSWORD}
            config = make_config(pull_policy="missing", docker_registries=[login])
            try:
                Images(engine, config).fetch(reference, given_up.is_set)
            except RefusalError as refusal:
                ended.append(refusal.reason.code)

        pulling = threading.Thread(target=pull)
        pulling.start()
        try:
            assert slow.began.wait(20)
            before = time.monotonic()
            fetched(engine, f"{other}@{other_digest}")
            assert time.monotonic() - before < 10
            assert pulling.is_alive()
        finally:
            forget(engine, f"{other}@{other_digest}")
            given_up.set()
            slow.close()
            pulling.join(60)
    assert not pulling.is_alive()
    assert ended
    assert ended[0] in {"killed", "pull_failed"}


class _Trickle:
    """Stands before a registry, and lets 2 kB a second through."""

    def __init__(self, address: str) -> None:
        host, port = address.split(":")
        self._behind = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._closed = threading.Event()
        self.began = threading.Event()
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """Let nothing through any more."""
        self._closed.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(caller,))
            thread.start()
            self._threads.append(thread)

    def _serve(self, caller: socket.socket) -> None:
        with suppress(OSError), caller, socket.create_connection(self._behind) as registry_:
            caller.settimeout(0.05)
            registry_.settimeout(0.05)
            while not self._closed.is_set():
                with suppress(TimeoutError):
                    asked = caller.recv(65536)
                    if not asked:
                        return
                    registry_.sendall(asked)
                with suppress(TimeoutError):
                    answer = registry_.recv(2048)
                    if not answer:
                        return
                    caller.sendall(answer)
                    if len(answer) == 2048:
                        self.began.set()
                        self._closed.wait(1)
