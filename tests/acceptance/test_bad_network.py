"""Nodes and a researcher behind a network that cuts, delays and truncates what they send."""

import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest

from tests.acceptance.conftest import COUNTING, Stations
from tests.campaign import SEED, effort
from tests.services.flaky import FlakyProxy
from vantage6.client import Client
from vantage6.client.session import NoReply
from vantage6.common.errors import Unavailable
from vantage6.sandbox.federation import PASSWORD, Federation

#: How long tasks are sent.
SECONDS = effort(25)
#: Tasks that run at once; the machine may be small.
MOST_OPEN = 12

_ATTEMPTS = 100
#: After this time a creation whose answer was lost has come about, or never will.
_PAUSE_SECONDS = 1.0

pytestmark = [pytest.mark.slow, pytest.mark.campaign, pytest.mark.timeout(300 + 3 * SECONDS)]

T = TypeVar("T")


@pytest.fixture
def networks() -> Iterator[tuple[FlakyProxy, FlakyProxy]]:
    """Give the ways to the API and to Redis; where they lead is told when both run."""
    with FlakyProxy(0, SEED) as to_api, FlakyProxy(0, SEED + 1) as to_redis:
        yield to_api, to_redis


@pytest.fixture
def stations(tmp_path: Path, networks: tuple[FlakyProxy, FlakyProxy]) -> Iterator[Stations]:
    """Give two stations, one for each transport, that reach the server over a bad network only."""
    to_api, to_redis = networks
    settings = {"broker_for_nodes": f"127.0.0.1:{to_redis.port}"}
    stations = Stations(tmp_path, settings=settings)
    federation = stations.federation
    try:
        federation.start_server()
        to_api.target = federation.port
        url = (federation.folder / "server" / "broker.url").read_text()
        to_redis.target = urlsplit(url).port or 0
        federation.register()
        for name in federation.ids:
            federation.start_node(name, port=to_api.port)
        federation.wait_until_online()
        yield stations
    finally:
        federation.stop()


class Researcher:
    """Sends tasks over the bad network, and repeats only what is safe."""

    def __init__(self, federation: Federation, port: int) -> None:
        self._federation = federation
        self._client = Client("http://127.0.0.1", port, "/api", raise_errors=True)
        self.repeated = 0
        self._patiently(lambda: self._client.authenticate("researcher", PASSWORD))
        key = federation.key_file(next(iter(federation.ids)))
        self._patiently(lambda: self._client.setup_encryption(key))

    def send(self, name: str, receivers: list[str], input_: dict[str, Any]) -> int:
        """Send a task once; one whose answer was lost may be there, so that is looked up."""
        for _ in range(_ATTEMPTS):
            found = self._patiently(lambda: self._client.task.list(name=name)["data"])
            if found:
                return int(found[0]["id"])
            with suppress(NoReply):
                more = {"image": COUNTING, "name": name, "input": input_}
                return self._federation.send(self._client, receivers, "run", **more)
            self.repeated += 1
            time.sleep(_PAUSE_SECONDS)
        raise AssertionError("nothing can be sent")

    def answers(self, task: int) -> list[tuple[str, Any]]:
        """Wait for a task, and return status and answer of each result."""
        self._patiently(lambda: self._client.wait_for_results(task, timeout=120))
        found = self._patiently(lambda: self._client.result.from_task(task))
        return [(result["status"], result["result"]) for result in found]

    def is_complete(self, task: int) -> bool:
        """Tell whether all results of a task are there."""
        return bool(self._patiently(lambda: self._client.task.get(task))["complete"])

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _patiently(self, call: Callable[[], T]) -> T:
        for _ in range(_ATTEMPTS):
            try:
                return call()
            except Unavailable:
                self.repeated += 1
                time.sleep(0.2)
        raise AssertionError("the network never works")


def test_whole_nodes_behind_a_bad_network_lose_and_double_nothing(
    stations: Stations, networks: tuple[FlakyProxy, FlakyProxy], capsys: pytest.CaptureFixture[str]
) -> None:
    federation, (to_api, to_redis) = stations.federation, networks
    names = list(federation.ids)
    ids = [federation.ids[name] for name in names]
    processes = [federation.node(name) for name in names]
    chance, expected, open_ = random.Random(SEED), dict[int, Any](), list[int]()
    with closing(Researcher(federation, to_api.port)) as researcher:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            number = len(expected)
            answer = f"answer {number}"
            if number % 5:
                wait = chance.choice([0, 0.3, 3])
                input_ = {"answer": answer, "seconds": wait}
                receivers = names
                answers: list[Any] = [answer] * len(names)
            else:  # at one station after the other, over each transport
                input_ = {"answer": answer, "ask": ids}
                receivers = [names[number // 5 % 2]]
                answers = [[answer] * len(names)]
            task = researcher.send(f"task {number}", receivers, input_)
            expected[task] = answers
            open_.append(task)
            while len(open_) > MOST_OPEN:
                open_ = [task for task in open_ if not researcher.is_complete(task)]
        for task, answers in expected.items():
            assert researcher.answers(task) == [("completed", answer) for answer in answers]
        repeated = researcher.repeated
    with closing(federation.client("root", "root")) as root:
        tasks = root.request("task")
        results = root.request("result", params={"payload": False})
    assert [federation.node(name) for name in names] == processes
    masters = (len(expected) + 4) // 5
    assert len(tasks) == len(expected) + masters
    runs = stations.runs()
    assert set(runs) == {f"task-{result['id']:09}" for result in results}
    assert set(runs.values()) == {1}
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(tasks)} tasks with {len(results)} results; cut: {to_api.cut} connections to "
            f"the API ({to_api.truncated} within a piece), {to_redis.cut} to Redis; the researcher "
            f"repeated {repeated} requests\n"
        )
    assert to_api.cut > SECONDS / 5
