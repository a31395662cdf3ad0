"""What one request may cost: the memory of a real API under bodies and lists that are large."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from tests.api.api_process import MEGA, served
from tests.api.client import Api
from tests.api.conftest import Server, configured
from tests.models.factories import IMAGE, World, make_task, make_user, result_of
from tests.services.process import Process
from vantage6.common.config import Instance
from vantage6.models.store import results
from vantage6.models.tables import User
from vantage6.sandbox.ports import free_port

pytestmark = pytest.mark.slow

#: Many small values, which take hundreds of times their length once they are parsed.
BOMB = b'{"name": [' + b"[],[],[]," * (42 * MEGA // 9) + b"[]]}"
TEXT = "x" * (2 * MEGA)


@pytest.fixture
def instance(instance: Instance) -> Instance:
    """Let one process listen, and take large bodies."""
    return configured(instance, port=free_port(), max_body_bytes=64 * MEGA, workers=1)


@dataclass
class Running:
    """An API in one process, and what it takes at most."""

    address: str
    api: Api
    process: Process

    def ask(self, who: User | None, method: str, path: str, **given: Any) -> httpx2.Response:
        """Send a request."""
        headers = {"Content-Type": "application/json"}
        if who is not None:
            headers["Authorization"] = f"Bearer {self.api.token(who)}"
        return httpx2.request(method, self.address + path, headers=headers, timeout=120, **given)

    def more(self, job: Callable[[], None]) -> float:
        """Return by how many MiB the most that the process ever took has grown."""
        before = self._peak()
        job()
        return self._peak() - before

    def _peak(self) -> float:
        (worker,) = psutil.Process(self.process.pid).children()
        text = Path(f"/proc/{worker.pid}/status").read_text()
        return int(text.partition("VmHWM:")[2].split()[0]) / 1024


@pytest.fixture
def running(server: Server, tmp_path: Path) -> Iterator[Running]:
    """Give an API as a process."""
    address = f"http://127.0.0.1:{server.instance.config.port}/api"
    with served(server.instance, tmp_path / "api.log") as process:
        yield Running(address, server.api, process)


def at_once(number: int, job: Callable[[], None]) -> None:
    """Do something in a number of threads."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            job()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failures, failures


def test_a_viewer_cannot_make_the_server_read_a_task(running: Running, world: World):
    viewer = make_user(world.amsterdam, "Viewer")

    def send() -> None:
        # The refusal may come while it is still being sent.
        with suppress(httpx2.TransportError):
            assert running.ask(viewer, "POST", "/task", content=BOMB).status_code == 401

    assert running.more(lambda: at_once(4, send)) < 40
    assert running.ask(viewer, "POST", "/task", content=b"{}").status_code == 401


def test_many_small_values_are_refused_before_they_are_parsed(running: Running, world: World):
    researcher = make_user(world.amsterdam, "Researcher")

    def send() -> None:
        answer = running.ask(researcher, "POST", "/task", content=BOMB)
        assert (answer.status_code, answer.json()["code"]) == (400, "too_many_values")

    # The body itself, which is read in parts; one at a time.
    assert running.more(lambda: at_once(4, send)) < 200


@pytest.mark.parametrize("path", ["/user", "/role", "/collaboration", "/node", "/organization"])
def test_only_what_holds_inputs_and_results_may_be_large(running: Running, world: World, path: str):
    root = make_user(world.amsterdam, "Root")

    def send() -> None:
        content = b'{"name": "' + b"x" * 2 * MEGA + b'"}'
        assert running.ask(root, "POST", path, content=content).status_code == 413

    assert running.more(lambda: at_once(8, send)) < 40


@pytest.fixture
def large(server: Server, world: World) -> list[int]:
    """Give results of 2 MB each, 120 MB in all."""
    made = [make_task(world.north, [world.amsterdam, world.berlin]) for _ in range(30)]
    ids = [result_of(task, place).id for task in made for place in (world.amsterdam, world.berlin)]
    for id_ in ids:
        results.put(id_, {"result": TEXT})
    return ids


@pytest.mark.parametrize("query", ["result", "result?page=1&per_page=100", "task?include=results"])
def test_a_list_of_large_results_is_never_in_memory_as_a_whole(
    running: Running, large: list[int], world: World, query: str
):
    viewer = make_user(world.amsterdam, "Viewer")

    def read() -> None:
        headers = {"Authorization": f"Bearer {running.api.token(viewer)}"}
        address = f"{running.address}/{query}"
        with httpx2.stream("GET", address, headers=headers, timeout=120) as answer:
            assert answer.status_code == 200
            received = b"".join(answer.iter_bytes())
        assert received.count(TEXT.encode()) == len(large)
        rows = json.loads(received)
        if query.startswith("task"):
            rows = [row for task in rows for row in task["results"]]
        assert sorted(row["id"] for row in rows) == sorted(large)
        assert {row["result"] for row in rows} == {TEXT}

    assert running.more(lambda: at_once(4, read)) < 80


def test_a_task_is_still_as_large_as_the_server_allows(running: Running, world: World):
    researcher = make_user(world.amsterdam, "Researcher")
    body = {
        "collaboration_id": world.north.id,
        "organizations": [{"id": world.berlin.id, "input": "x" * (50 * MEGA)}],
        "image": IMAGE,
    }
    answer = running.ask(researcher, "POST", "/task", content=json.dumps(body).encode())
    assert answer.status_code == 201
    id_ = answer.json()["results"][0]["id"]
    assert len(running.ask(researcher, "GET", f"/result/{id_}").json()["input"]) == 50 * MEGA
