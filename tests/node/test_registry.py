"""Images of a private registry with a password."""

import io
import json
import random
import socket
import tarfile
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.node.factories import make_claim, make_config
from tests.services.docker import own_suffix
from tests.services.registry import PASSWORD, USER, registry
from vantage6.common import clock
from vantage6.node.outcomes import RefusalError
from vantage6.node.rules.findings import PolicyRequest
from vantage6.node.rules.policy import Policy
from vantage6.node.runtime.base import Image
from vantage6.node.runtime.image_cache import ImageCache
from vantage6.node.runtime.images import Images

pytestmark = pytest.mark.slow

_NAME = "private/algorithm"
KEPT = f"vantage6-test/moving{own_suffix()}"


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
    assert "may not read it" in caught.value.reason.message
    assert "auth" not in caught.value.reason.message.replace(address, "")
    assert "wrong" not in caught.value.reason.message


def test_rule_for_a_digest_holds_for_what_a_tag_leads_to(
    engine: docker.APIClient, address: str, digest: str
) -> None:
    reference = f"{address}/{_NAME}:1"
    try:
        image = fetched(engine, reference)
    finally:
        forget(engine, reference)
    asked = PolicyRequest.by(make_claim(image=reference), digests=image.digests)
    name = reference.removesuffix(":1")
    Policy(make_config(policies={"allowed_algorithms": f"{name}@{digest}"})).check(asked)
    other = f"{name}@sha256:{'0' * 64}"
    with pytest.raises(RefusalError) as caught:
        Policy(make_config(policies={"allowed_algorithms": other})).check(asked)
    assert caught.value.reason.code == "image_not_allowed"


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
            fetched(engine, f"{other}@{other_digest}")
            assert pulling.is_alive()
        finally:
            forget(engine, f"{other}@{other_digest}")
            given_up.set()
            slow.close()
            pulling.join(60)
    assert not pulling.is_alive()
    assert ended
    assert ended[0] in {"killed", "pull_failed"}


@pytest.fixture
def pulled_file(tmp_path: Path) -> Path:
    """Give the place where a node keeps what it has pulled."""
    return tmp_path / "images.json"


def keeper(engine: docker.APIClient, reference: str, file: Path, **values: Any) -> Images:
    """Return the images of a node that removes what it pulled, in one of its lives."""
    login = {"registry": reference.partition("/")[0], "username": USER, "password": PASSWORD}
    values = {"pull_policy": "missing", "docker_registries": [login], **values}
    return Images(engine, make_config(**values), ImageCache(file))


def age(file: Path, days: float) -> None:
    """Let all uses be some days older."""
    images = json.loads(file.read_text())
    for image in images.values():
        older = clock.parse(image["used_at"]) - timedelta(days=days)
        image["used_at"] = older.isoformat()
    file.write_text(json.dumps(images))


def is_here(engine: docker.APIClient, reference: str) -> bool:
    """Tell whether an image is on this machine."""
    try:
        engine.inspect_image(reference)
    except docker.errors.ImageNotFound:
        return False
    return True


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_pulled_image_goes_when_it_was_not_used_for_long(
    engine: docker.APIClient, address: str, digest: str, pulled_file: Path, by: str
) -> None:
    reference = f"{address}/{_NAME}" + (":1" if by == "tag" else f"@{digest}")
    forget(engine, reference)
    images = keeper(engine, reference, pulled_file)
    image = images.fetch(reference, lambda: False)
    age(pulled_file, 29)
    keeper(engine, reference, pulled_file).sweep()
    assert is_here(engine, image.id)
    age(pulled_file, 2)
    keeper(engine, reference, pulled_file, keep_images_days=None).sweep()
    assert is_here(engine, image.id)
    keeper(engine, reference, pulled_file).sweep()
    assert not is_here(engine, image.id)
    assert json.loads(pulled_file.read_text()) == {}


def test_use_by_another_name_counts(
    engine: docker.APIClient, address: str, digest: str, pulled_file: Path
) -> None:
    reference = f"{address}/{_NAME}:1"
    try:
        keeper(engine, reference, pulled_file).fetch(reference, lambda: False)
        age(pulled_file, 31)
        images = keeper(engine, reference, pulled_file)
        images.fetch(f"{address}/{_NAME}@{digest}", lambda: False)
        images.sweep()
        assert is_here(engine, reference)
    finally:
        forget(engine, reference)


def test_image_of_a_container_stays(
    engine: docker.APIClient, address: str, digest: str, pulled_file: Path
) -> None:
    reference = f"{address}/{_NAME}:1"
    image = keeper(engine, reference, pulled_file).fetch(reference, lambda: False)
    container = engine.create_container(image.id, command=["none"])["Id"]
    try:
        age(pulled_file, 31)
        images = keeper(engine, reference, pulled_file)
        images.sweep()
        assert is_here(engine, reference)
    finally:
        engine.remove_container(container)
    # It counts as used until then.
    images.sweep()
    assert is_here(engine, reference)
    age(pulled_file, 31)
    keeper(engine, reference, pulled_file).sweep()
    assert not is_here(engine, reference)


def test_image_that_was_there_before_is_not_the_nodes_to_remove(
    engine: docker.APIClient, address: str, digest: str, pulled_file: Path
) -> None:
    reference = f"{address}/{_NAME}:1"
    try:
        fetched(engine, reference)
        keeper(engine, reference, pulled_file, pull_policy="always").fetch(reference, lambda: False)
        assert not pulled_file.exists()
    finally:
        forget(engine, reference)


def test_what_a_tag_led_to_before_goes_too(
    engine: docker.APIClient, address: str, pulled_file: Path
) -> None:
    name = f"{address}/private/moving"
    reference = f"{name}:1"
    put(engine, name)
    images = keeper(engine, reference, pulled_file, pull_policy="always")
    first = images.fetch(reference, lambda: False)
    engine.tag(first.id, KEPT, "kept")
    try:
        put(engine, name)
        engine.tag(first.id, name, "1")
        second = images.fetch(reference, lambda: False)
        assert second.id != first.id
        age(pulled_file, 31)
        images = keeper(engine, reference, pulled_file, pull_policy="always")
        for _ in range(2):
            images.sweep()
        assert not is_here(engine, second.id)
        # Another name leads to it.
        assert is_here(engine, f"{KEPT}:kept")
        assert not engine.inspect_image(first.id)["RepoDigests"]
    finally:
        forget(engine, f"{KEPT}:kept")


def test_node_that_does_not_know_any_more_removes_nothing(
    engine: docker.APIClient, address: str, digest: str, pulled_file: Path
) -> None:
    reference = f"{address}/{_NAME}:1"
    try:
        keeper(engine, reference, pulled_file).fetch(reference, lambda: False)
        pulled_file.write_text("[1]")
        keeper(engine, reference, pulled_file).sweep()
        assert is_here(engine, reference)
    finally:
        forget(engine, reference)


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
