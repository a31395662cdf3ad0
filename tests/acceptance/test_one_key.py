"""Two stations with one key: every result is computed once, and both logs say what to do."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.acceptance.conftest import Stations
from tests.waiting import eventually
from vantage6.client import Client
from vantage6.sandbox.programs import BIN

#: What the message of the refused station says.
ADVICE = ("Another node works with this key", "stop one of the two", "a node of its own")

Start = Callable[[Path], "subprocess.Popen[str]"]

pytestmark = pytest.mark.slow


@pytest.fixture
def second(stations: Stations, tmp_path: Path) -> Iterator[Start]:
    """Give a function that starts a second station with the key of alpha, in another folder."""
    first = stations.federation.node_file("alpha")
    started: list[subprocess.Popen[str]] = []

    def start(data: Path) -> "subprocess.Popen[str]":
        content = yaml.safe_load(first.read_text())
        content["application"]["task_dir"] = str(data)
        file = tmp_path / "second.yaml"
        file.write_text(yaml.safe_dump(content))
        process = subprocess.Popen(
            [BIN / "vnode", "start", "--attach", "--config", file],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def log_of_alpha(stations: Stations) -> str:
    return (stations.federation.folder / "alpha" / "node.log").read_text()


def test_a_second_station_with_the_same_key_is_refused(
    stations: Stations, client: Client, second: Start, tmp_path: Path
) -> None:
    other = second(tmp_path / "data")
    said, _ = other.communicate(timeout=30)
    assert other.returncode == 13, said
    assert all(words in said for words in ADVICE), said
    # The first one goes on.
    stations.check(client, [stations.send(client, "alpha")])


def test_a_station_that_stopped_leaves_its_place_at_once(
    stations: Stations, client: Client, second: Start, tmp_path: Path
) -> None:
    stations.federation.stop_node("alpha")
    other = second(tmp_path / "data")
    stations.check(client, [stations.send(client, "alpha")])
    other.terminate()
    assert other.wait(30) == 0


def test_a_copy_of_a_running_station_takes_its_place_once(
    stations: Stations, client: Client, second: Start, tmp_path: Path
) -> None:
    federation = stations.federation
    begun = stations.send(client, "alpha", seconds=3)
    eventually(lambda: client.task.get(begun)["status"] == "active")
    (tmp_path / "data").mkdir()
    for name in ("instance", "last_processes.json"):
        shutil.copy(federation.folder / "alpha" / "node" / name, tmp_path / "data")
    first = federation.node("alpha")
    assert first is not None
    other = second(tmp_path / "data")
    first.wait(90)
    federation.stop_node("alpha")
    said = log_of_alpha(stations)
    assert all(words in said for words in ADVICE), said
    # As a supervisor starts it again.
    assert federation.start_node("alpha").wait(60) == 13
    federation.stop_node("alpha")
    assert other.poll() is None
    later = [stations.send(client, "alpha") for _ in range(3)]
    stations.check(client, later)
    other.terminate()
    assert other.wait(30) == 0
