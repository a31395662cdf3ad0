"""Which image runs, and why one cannot be had. The registries are this machine's own."""

import socket
import threading

import docker
import pytest

from tests.node.factories import IMAGE, make_config
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import RefusalError
from vantage6.node.runtime.images import Images

_UNKNOWN = b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'

pytestmark = pytest.mark.slow


def test_image_runs_by_its_id(engine: docker.APIClient, program_image: str) -> None:
    found = Images(engine, make_config(pull_policy="missing")).fetch(program_image, lambda: False)
    assert found.id == engine.inspect_image(IMAGE)["Id"]


def test_registry_that_is_down_is_not_a_missing_image(engine: docker.APIClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(RefusalError) as caught:
        Images(engine, make_config(pull_policy="missing")).fetch(
            f"127.0.0.1:{port}/a/b:1", lambda: False
        )
    assert caught.value.status == TaskStatus.FAILED
    assert caught.value.reason.code == "pull_failed"
    assert f"127.0.0.1:{port}" in caught.value.reason.message


@pytest.mark.parametrize("reference", ["UPPER/case", "a b", "-x"])
def test_garbled_reference_is_refused(engine: docker.APIClient, reference: str) -> None:
    images = Images(engine, make_config(pull_policy="missing"))
    with pytest.raises(RefusalError) as caught:
        images.fetch(reference, lambda: False)
    assert caught.value.reason.code in {"image_not_found", "pull_failed"}


@pytest.mark.parametrize("policy", ["missing", "always", "never"])
def test_an_image_that_is_here_is_known_before_a_registry_is_asked(
    engine: docker.APIClient, program_image: str, policy: str
) -> None:
    found = Images(engine, make_config(pull_policy=policy)).find(program_image)
    assert found is not None
    assert found.id in found.digests


def test_registry_gets_the_configured_login(engine: docker.APIClient) -> None:
    login = {"username": "me", "password": "word"}
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as registry:
        address = f"127.0.0.1:{registry.getsockname()[1]}"

        def serve() -> None:
            registry.settimeout(10)
            for answer in (
                b"401 Unauthorized\r\nWWW-Authenticate: Basic realm=x",
                b"404 Not Found",
                b"404 Not Found",
            ):
                while True:
                    with registry.accept()[0] as caller:
                        request = caller.recv(65536)
                        if not request.startswith(b"GET") and not request.startswith(b"HEAD"):
                            continue  # the engine tries TLS first
                        asked.append(request)
                        caller.sendall(
                            b"HTTP/1.1 " + answer + b"\r\nContent-Type: application/json\r\n"
                            b"Connection: close\r\n\r\n" + _UNKNOWN
                        )
                    break

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        config = make_config(
            pull_policy="always", docker_registries=[{"registry": address, **login}]
        )
        with pytest.raises(RefusalError) as caught:
            Images(engine, config).fetch(f"{address}/a/b:1", lambda: False)
    assert caught.value.reason.code == "image_not_found", caught.value
    assert any(b"Authorization: Basic bWU6d29yZA==" in request for request in asked)
