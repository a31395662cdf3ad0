"""The node works on where something beside its work fails."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.node.factories import COMMAND, IMAGE, write_database
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common.selection import Selection
from vantage6.node.control import Control
from vantage6.node.daemon import Node
from vantage6.node.instance import Instance

DONE = "open(os.environ['OUTPUT_FILE'], 'w').write('done')"

Start = Callable[[], None]


@pytest.fixture
def start(wire: Wire, tmp_path: Path) -> Iterator[Start]:
    """Give a function that starts a node in this process, whose data folder is `data`."""
    write_database(tmp_path)
    content: dict[str, Any] = {
        "api_key": "key",
        "server_url": "http://127.0.0.1",
        "port": wire.port,
        "task_dir": str(tmp_path / "data"),
        "databases": {"default": "patients.csv"},
        "encryption": {"enabled": False},
        "runtime": "process",
        "processes": {IMAGE: list(COMMAND)},
    }
    file = tmp_path / "station.yaml"
    file.write_text(yaml.safe_dump({"application": content}))
    (tmp_path / "data").mkdir(mode=0o700)
    wire.lease_seconds = 1
    with ExitStack() as ends:

        def run() -> None:
            stop = threading.Event()
            node = Node(Instance.find(Selection(file=file)), stop)
            thread = threading.Thread(target=node.run)
            ends.callback(thread.join, 30)
            ends.callback(stop.set)
            thread.start()

        yield run


def test_a_folder_that_holds_no_sockets_keeps_no_node_from_working(
    wire: Wire, start: Start, tmp_path: Path
) -> None:
    # As little as a file system without sockets lets it be made.
    (tmp_path / "data/control.sock").mkdir()
    wire.add(5, DONE)
    start()
    eventually(lambda: wire.ids("completed") == [5])


def test_old_copies_that_cannot_be_removed_keep_no_lease_from_being_renewed(
    wire: Wire, start: Start, tmp_path: Path
) -> None:
    (tmp_path / "data/released").write_text("a file in the way")
    wire.add(5, DONE)
    start()
    eventually(lambda: wire.ids("completed") == [5])


def test_policies_that_the_server_could_not_take_are_told_again(wire: Wire, start: Start) -> None:
    wire.queued["PATCH /node/7"] = [(503, {"msg": "Away.", "code": "unavailable"})]
    start()
    eventually(
        lambda: [one.method for one in wire.asked if one.path == "/node/7"].count("PATCH") > 1
    )


def test_folders_of_other_threads_keep_their_modes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(_: int) -> int:
        raise AssertionError("it is that of all threads")

    monkeypatch.setattr(os, "umask", change)
    control = Control(tmp_path, {})
    assert (tmp_path / "control.sock").stat().st_mode & 0o777 == 0o600
    control.close()
