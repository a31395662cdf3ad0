"""The name of an image reaches the engine as a name, and as nothing else."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import docker
import pytest

from tests.node.factories import make_config
from vantage6.node.outcomes import RefusalError
from vantage6.node.runtime.images import Images

DIGEST = "sha256:" + "a" * 64


class Engine(BaseHTTPRequestHandler):
    """Answers a ping, and is at a loss with each image, as Podman with some names."""

    asked: list[str]
    logins: list[str | None]
    #: What is answered about each image.
    status: int

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        is_ping = self.path.endswith("/_ping")
        self.send_response(200 if is_ping else self.status)
        self.end_headers()
        self.wfile.write(b"OK")

    def do_POST(self) -> None:
        type(self).logins.append(self.headers.get("X-Registry-Auth"))
        self.send_response(500)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def make_images(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Images]]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    Engine.asked, Engine.logins, Engine.status = [], [], 500
    server = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    client = docker.APIClient(f"tcp://127.0.0.1:{server.server_port}", version="1.41", timeout=10)
    try:
        yield lambda **values: Images(client, make_config(**values))
    finally:
        client.close()
        server.shutdown()
        server.server_close()


@pytest.fixture
def images(make_images: Callable[..., Images]) -> Images:
    return make_images(pull_policy="missing")


def refusal_of(images: Images, name: str) -> str:
    with pytest.raises(RefusalError) as caught:
        images.fetch(name, lambda: False)
    return caught.value.reason.code


@pytest.mark.parametrize(
    "name",
    [
        "reg.example/demo/../../../libpod/manifests/127.0.0.1:9/x",
        "reg.example/demo/../../../containers/other",
        "reg.example/./x",
        "..",
        "reg.example/demo/A:B:0",
        "reg.example//x",
        "reg.example/x/",
        "/x",
        "x?all=1",
        "x#y",
        "x%2f..%2fy",
        "x\\..\\y",
        "a b",
        "-x",
        "x:" + "t" * 129,
        "x@sha256:abc",
        f"x@{DIGEST}@{DIGEST}",
        "x\n",
        "\u0661",
        "x" * 501,
        "",
    ],
)
def test_nothing_is_asked_about_what_is_no_name(images: Images, name: str) -> None:
    assert refusal_of(images, name) == "image_not_found"
    assert Engine.asked == []


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "vantage6/statistics",
        "harbor2.vantage6.ai/demo/average",
        f"harbor2.vantage6.ai/demo/average:1.0@{DIGEST}",
        "localhost:5000/a_b/c__d/e--f:V_1.0-rc",
        "[::1]:5000/a",
        "REG.example:443/a",
        DIGEST,
    ],
)
def test_a_result_does_not_wait_for_ever_for_an_engine_that_answers(
    images: Images, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("vantage6.node.runtime.images.time.sleep", pauses.append)
    assert refusal_of(images, name) == "pull_failed"
    assert [path.rpartition("/")[2] for path in Engine.asked] == ["json", "_ping"] * 4
    # None after the last try, when nothing is waited for any more.
    assert len(pauses) == 3


@pytest.mark.parametrize(
    ("name", "user"),
    [
        ("demo/average", "hub"),
        ("docker.io/demo/average", "hub"),
        ("reg.example/average", "own"),
        ("Intranet/average", None),
        ("other.example/average", None),
    ],
)
def test_a_login_goes_to_its_own_registry_only(
    make_images: Callable[..., Images], name: str, user: str | None
) -> None:
    """Engines take a capital letter for the sign of a host."""
    logins = [
        {"registry": "docker.io", "username": "hub", "password": "secret"},
        {"registry": "reg.example", "username": "own", "password": "secret"},
    ]
    images = make_images(pull_policy="always", docker_registries=logins)
    Engine.status = 404
    refusal_of(images, name)
    (shown,) = Engine.logins
    sent = json.loads(base64.urlsafe_b64decode(shown)).get("username") if shown else None
    assert sent == user


def test_a_name_is_judged_in_no_time(images: Images) -> None:
    started = time.thread_time()
    for name in (
        "a-" * 250,
        "a_" * 250,
        "a." * 249 + "/",
        "a" * 499 + "!",
        "-" * 500,
        "a_" * 249 + "!",
    ):
        refusal_of(images, name)
    assert time.thread_time() - started < 3
