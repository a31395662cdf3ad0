"""The station stops what it computes: its own reason arrives, and nothing else leaves."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common.errors import ConfigurationError
from vantage6.node import control
from vantage6.node.control import Control, ask
from vantage6.node.rules.audit import FILE_NAME, entries
from vantage6.node.work.context import NodeContext
from vantage6.node.work.questions import Questions
from vantage6.node.work.scheduler import Scheduler

SECRET = "secret of row 7"
RUNNING = (
    f"print({SECRET!r}, flush=True); open(os.environ['OUTPUT_FILE'], 'w').write({SECRET!r});"
    "open(os.environ['TEMPORARY_FOLDER'] + '/up', 'w'); import time; time.sleep(60)"
)
DONE = f"print({SECRET!r}); open(os.environ['OUTPUT_FILE'], 'w').write({SECRET!r})"


class Node:
    """A node that answers its people."""

    def __init__(self, context: NodeContext, scheduler: Scheduler, folder: Path) -> None:
        self.context, self.scheduler, self.folder = context, scheduler, folder
        self.control = Control(folder, Questions(scheduler).handlers)

    def kill(self, result_id: int, reason: str = "the wrong column") -> dict[str, Any]:
        answer: dict[str, Any] = ask(self.folder, "kill", 40, result_id=result_id, reason=reason)
        return answer

    def events(self, name: str) -> list[dict[str, Any]]:
        return [one for one in entries(self.folder / FILE_NAME) if one["event"] == name]


@pytest.fixture
def make_node(
    make_scheduler: MakeScheduler, make_context: MakeContext, tmp_path: Path
) -> Iterator[Callable[..., Node]]:
    made: list[Node] = []

    def make(**values: Any) -> Node:
        context = make_context(**values)
        made.append(Node(context, make_scheduler(context), tmp_path / "data"))
        return made[-1]

    yield make
    for node in made:
        node.control.close()


def is_up(tmp_path: Path) -> bool:
    return (tmp_path / "data/runs/1/up").exists()


def check_nothing_left(wire: Wire, id_: int) -> None:
    result = wire.results[id_]
    assert result["status"] == "killed by user"
    assert result["reason"]["code"] == "stopped_by_station"
    assert result["reason"]["msg"] == "Stopped by the data station: the wrong column"
    assert result["log"] == ""
    assert not result.get("result")


def test_a_running_result_is_listed_and_stopped_with_its_own_reason(
    wire: Wire, make_node: Callable[..., Node], tmp_path: Path
) -> None:
    node = make_node()
    wire.add(5, RUNNING)
    node.scheduler.accept(5)
    eventually(lambda: is_up(tmp_path))
    (found,) = ask(node.folder, "running")
    assert (found["result_id"], found["state"]) == (5, "running")
    assert (found["organization"], found["user"]) == ("org 1", "alice")
    assert found["memory_bytes"] > 2**20
    assert node.kill(5) == {"stopped": [5], "to be told": []}
    check_nothing_left(wire, 5)
    (event,) = node.events("stopped")
    assert (event["result_id"], event["message"]) == (5, "the wrong column")
    assert event["by"]
    (left,) = node.events("released")
    assert (left["output_bytes"], left["log_bytes"]) == (0, 0)
    assert ask(node.folder, "running") == []
    assert not list((tmp_path / "processes").iterdir())


def test_what_waits_in_the_spool_does_not_leave(wire: Wire, make_node: Callable[..., Node]) -> None:
    node = make_node(share_logs=False)
    wire.add(5, DONE)
    wire.answers["PATCH /result/5"] = (503, {"msg": "Away.", "code": "unavailable"})
    node.scheduler.accept(5)
    eventually(lambda: node.scheduler.report() == ([], [5]))
    (found,) = ask(node.folder, "running")
    assert found["state"] == "to be delivered"
    threading.Timer(0.3, wire.answers.clear).start()
    asked = len(wire.asked)
    node.kill(5)
    eventually(lambda: wire.results[5]["status"] == "killed by user")
    check_nothing_left(wire, 5)
    # Also of what is still tried after the stop, nothing holds more than the reason.
    late = [one.body for one in wire.asked[asked:] if one.method == "PATCH"]
    assert late
    assert all("result" not in body or not body["result"] for body in late[1:])


def test_a_stop_survives_the_end_of_the_node(
    wire: Wire, make_node: Callable[..., Node], make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    node = make_node(share_logs=False)
    wire.add(5, RUNNING)
    node.scheduler.accept(5)
    eventually(lambda: is_up(tmp_path))
    wire.is_down = True
    node.scheduler.stop_run(5, "the wrong column", "root")
    node.scheduler.leave()
    node.control.close()
    wire.is_down = False
    later = make_scheduler(node.context)
    later.adopt()
    eventually(lambda: wire.results[5]["status"] == "killed by user")
    check_nothing_left(wire, 5)


def test_a_result_that_waits_for_its_turn_is_stopped(
    wire: Wire, make_node: Callable[..., Node], tmp_path: Path
) -> None:
    node = make_node(parallel=1)
    wire.add(5, RUNNING)
    wire.add(6, DONE, run_id=2)
    node.scheduler.accept(5)
    node.scheduler.accept(6)
    eventually(lambda: is_up(tmp_path))
    assert node.kill(6)["stopped"] == [6]
    check_nothing_left(wire, 6)
    assert wire.ids("active") == [5]


def test_the_other_results_of_the_run_are_stopped_too(
    wire: Wire, make_node: Callable[..., Node], tmp_path: Path
) -> None:
    node = make_node()
    for id_, run in ((5, 1), (6, 1), (7, 2)):
        wire.add(id_, RUNNING, run_id=run)
        node.scheduler.accept(id_)
    eventually(lambda: wire.ids("active") == [5, 6, 7])
    assert node.kill(5)["stopped"] == [5, 6]
    assert wire.ids("active") == [7]
    answer = ask(node.folder, "kill all", 40, reason="the wrong column")
    assert answer["stopped"] == [7]
    check_nothing_left(wire, 7)


def test_a_result_that_is_not_there_is_named(make_node: Callable[..., Node]) -> None:
    node = make_node()
    with pytest.raises(ConfigurationError, match="no result 99"):
        node.kill(99)


def test_only_the_account_of_the_node_and_root_are_answered(
    make_node: Callable[..., Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = make_node()
    assert (node.folder / "control.sock").stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(control, "_account", lambda _: os.geteuid() + 4321)
    with pytest.raises(ConfigurationError, match="account of the node"):
        ask(node.folder, "running")


def test_a_node_that_does_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not run"):
        ask(tmp_path, "running")
