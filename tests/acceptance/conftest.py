"""Federations of two stations, started once."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.services.docker import own_suffix
from vantage6.client import Client
from vantage6.sandbox.federation import IN_CONTAINERS, Federation

AGES = {"alpha": [45, 62, 71, 75], "beta": [28, 39, 47, 59]}
COUNTING = "test/counting"


class Stations:
    """Two stations whose algorithm counts how often it runs; beta gets messages from Redis."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.count_file = folder / "counts"
        self.count_file.touch()
        command = [sys.executable, str(Path(__file__).with_name("counting.py"))]
        self.federation = Federation(
            folder / "federation",
            AGES,
            runtime={
                "runtime": "process",
                "processes": {COUNTING: command},
                "algorithm_env": {"COUNT_FILE": str(self.count_file)},
            },
            # Whatever dies, both transports are there.
            node_settings={"beta": {"transport": "redis"}},
            **options,
        )

    def send(self, client: Client, *names: str, seconds: float = 0, answer: Any = 1) -> int:
        """Send a task that takes some seconds, and return its id."""
        return self.federation.send(
            client,
            names or tuple(AGES),
            "run",
            image=COUNTING,
            input={"seconds": seconds, "answer": answer},
        )

    def runs(self) -> Counter[str]:
        """Return how often each result was computed, by the name of its folder."""
        return Counter(self.count_file.read_text().split())

    def check(self, client: Client, tasks: list[int], seconds: float = 90) -> None:
        """Fail unless each result of the tasks arrived and was computed once."""
        for task in tasks:
            found = self.federation.results(client, task, seconds)
            assert {result["status"] for result in found.values()} == {"completed"}
            for result in found.values():
                assert self.runs()[f"task-{result['id']:09}"] == 1


@pytest.fixture(scope="session")
def running_stations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stations]:
    """Give a server with two nodes."""
    stations = Stations(tmp_path_factory.mktemp("stations"), encrypted=False)
    try:
        stations.federation.start()
        yield stations
    finally:
        stations.federation.stop()


@pytest.fixture
def stations(running_stations: Stations) -> Stations:
    """Give the stations with everything running, whatever the last test did to them."""
    federation = running_stations.federation
    federation.wait_until_ready()
    for name in federation.ids:
        if federation.node(name) is None:
            federation.start_node(name)
    federation.wait_until_online()
    return running_stations


@pytest.fixture
def client(stations: Stations) -> Iterator[Client]:
    """Give the client of the researcher."""
    with closing(stations.federation.client()) as client:
        yield client


@pytest.fixture(scope="session")
def contained(tmp_path_factory: pytest.TempPathFactory, average_image: str) -> Iterator[Federation]:
    """Give an encrypted federation whose nodes run the averaging algorithm in containers."""
    folder = tmp_path_factory.mktemp("contained")
    federation = Federation(folder, AGES, runtime=IN_CONTAINERS, suffix=own_suffix())
    try:
        federation.start()
        yield federation
    finally:
        federation.stop()
