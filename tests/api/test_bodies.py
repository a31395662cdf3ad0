"""Bodies of requests at a real API: large ones take their turn, and nobody waits for a slow one."""

import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil
import pytest

from tests.api.client import Api
from tests.api.conftest import Server, configured
from tests.models.factories import World, make_task, result_of
from tests.services.process import Process
from vantage6.api.http import bodies
from vantage6.common.config import Instance
from vantage6.common.config.instance import FILE_VARIABLE
from vantage6.models.tables import Payload
from vantage6.sandbox.ports import free_port
from vantage6.server import supervision

pytestmark = pytest.mark.slow

MEGA = 2**20
LIMIT = 12 * MEGA
#: An upload that counts as large.
LARGE = 10 * MEGA


@pytest.fixture
def instance(instance: Instance) -> Instance:
    """Let the API listen, and take large bodies."""
    return configured(instance, port=free_port(), max_body_bytes=LIMIT)


@dataclass
class Uploads:
    """An API as a process, and results that wait for what their node computed."""

    process: Process
    port: int
    token: str
    results: Iterator[int]

    def begin(self, *, size: int | None = None) -> "Upload":
        """Send the head of a request: with a length, or for chunks."""
        return Upload(self, next(self.results), size)

    def send(self, body: bytes) -> tuple[int, str]:
        """Send a whole body, and return status and code of the answer."""
        return self.begin(size=len(body)).send(body).answer()

    def memory(self) -> float:
        """Return what the API takes in MiB, shared pages in parts."""
        process = psutil.Process(self.process.pid)
        every = [process, *process.children(recursive=True)]
        return sum(one.memory_full_info().pss for one in every) / MEGA


@dataclass
class Upload:
    """One request that is being sent."""

    uploads: Uploads
    result: int
    size: int | None
    _socket: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self.uploads.port), timeout=30)
        length = (
            "Transfer-Encoding: chunked" if self.size is None else f"Content-Length: {self.size}"
        )
        head = (
            f"PATCH /api/result/{self.result} HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {self.uploads.token}",
            "Content-Type: application/json",
            length,
            "\r\n",
        )
        self.send("\r\n".join(head).encode())

    def send(self, some: bytes) -> "Upload":
        self._socket.sendall(some)
        return self

    def chunk(self, some: bytes) -> "Upload":
        return self.send(f"{len(some):x}\r\n".encode() + some + b"\r\n")

    def give_up(self) -> None:
        self._socket.close()

    def answer(self) -> tuple[int, str]:
        """Return status and code."""
        with self._socket, self._socket.makefile("rb") as file:
            status = int(file.readline().split()[1])
            length = 0
            while line := file.readline().strip().lower():
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            return status, json.loads(file.read(length)).get("code", "")


@pytest.fixture
def uploads(server: Server, api: Api, world: World, tmp_path: Path) -> Iterator[Uploads]:
    """Give an API as `vserver start` runs it, with many results to upload."""
    instance = server.instance
    made = [make_task(world.north, [world.amsterdam]) for _ in range(40)]
    results = [result_of(task, world.amsterdam).id for task in made]
    settings = supervision.GUNICORN_SETTINGS
    process = Process(
        [
            *(sys.executable, "-m", "gunicorn", "-c", str(settings)),
            "vantage6.api.app:from_environment()",
        ],
        tmp_path / "api.log",
        environment={**os.environ, FILE_VARIABLE: str(instance.file), "MALLOC_ARENA_MAX": "1"},
    )
    port = instance.config.port

    def answers() -> bool:
        try:
            return httpx2.get(f"http://127.0.0.1:{port}/api/version", timeout=2).status_code == 200
        except httpx2.HTTPError:
            return False

    process.wait_until(answers)
    yield Uploads(process, port, api.token(world.amsterdam_north), iter(results))
    process.kill()
    assert "request failed" not in process.log.read_text()


def report(size: int) -> bytes:
    """Return a body of a size, which reports a result."""
    frame = {"status": "completed", "finished_at": "2030-01-01T00:00:00+00:00", "result": ""}
    return json.dumps({**frame, "result": "x" * (size - len(json.dumps(frame)))}).encode()


@pytest.mark.parametrize("number", [8, 32])
def test_memory_does_not_grow_with_the_number_of_senders(uploads: Uploads, number: int):
    body = report(LARGE)
    for _ in range(4):
        assert uploads.send(body)[0] == 200
    before = peak = uploads.memory()
    begun = [uploads.begin(size=len(body)) for _ in range(number)]
    answers: list[tuple[int, str]] = []
    threads = [
        threading.Thread(target=lambda one=one: answers.append(one.send(body).answer()))
        for one in begun
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        peak = max(peak, uploads.memory())
    assert [status for status, _ in answers] == [200] * number
    # Two processes with one body each, which takes about 40 MiB while it is stored. Eight at once
    # would take 320.
    assert peak - before < 150


def test_a_slow_sender_keeps_no_other_large_upload_waiting(uploads: Uploads):
    body = report(LARGE)
    with ExitStack() as ends:
        # More than there are processes, so that each has one.
        for _ in range(6):
            slow = uploads.begin(size=len(body)).send(body[:-1])
            ends.callback(slow.give_up)
        for _ in range(4):
            assert uploads.send(body)[0] == 200
    assert slow.result not in [
        row.result_id for row in Payload.select().where(Payload.kind == "result")
    ]


@pytest.mark.parametrize("size", [1000, bodies.LARGE_BYTES, LARGE, LIMIT])
def test_a_body_in_chunks_is_taken_like_any_other(uploads: Uploads, size: int):
    body = report(size)
    upload = uploads.begin()
    for start in range(0, size, 100_000):
        upload.chunk(body[start : start + 100_000])
    assert upload.chunk(b"").answer()[0] == 200
    stored = Payload.get(Payload.result == upload.result, Payload.kind == "result").content
    assert stored == json.loads(body)["result"]


def test_a_body_in_chunks_may_be_as_large_as_any_other(uploads: Uploads):
    upload = uploads.begin()
    for _ in range(12):
        upload.chunk(b" " * MEGA)
    assert upload.chunk(b" ").chunk(b"").answer() == (413, "http_413")
    assert uploads.begin(size=LIMIT + 1).answer() == (413, "http_413")


def test_a_large_body_that_is_no_json_is_refused_and_gives_its_turn_on(uploads: Uploads):
    for body in (b"x" * LARGE, report(LARGE)[:-1], b'{"result": 7' + b" " * LARGE + b"}"):
        for _ in range(4):
            assert uploads.send(body) == (400, "invalid")
    assert uploads.send(report(LARGE))[0] == 200


@pytest.mark.parametrize("sent", [b"", report(LARGE)], ids=["small", "large"])
def test_a_body_that_breaks_off_is_no_failure_of_the_server(uploads: Uploads, sent: bytes):
    upload = uploads.begin()
    if sent:
        upload.chunk(sent)
    assert upload.send(b"no number\r\n").answer() == (400, "body_incomplete")
    for _ in range(4):
        uploads.begin().send(b"ff\r\nabc").give_up()
        uploads.begin(size=LARGE).send(sent[:-1]).give_up()
    assert uploads.send(report(LARGE))[0] == 200
