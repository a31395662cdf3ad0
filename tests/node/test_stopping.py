"""The station stops what it computes: its own reason arrives, and nothing else leaves."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.slow_line import SlowLine
from tests.node.threads import wait_for_threads_of
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common.errors import ConfigurationError
from vantage6.node import control
from vantage6.node.control import Control, ask
from vantage6.node.rules.audit import FILE_NAME, entries
from vantage6.node.runtime.base import EngineUnavailable
from vantage6.node.work.contact import Contact
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
        self.control = Control(folder, Questions(scheduler, context.runtime, Contact()).handlers)

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
    assert node.kill(5) == {"stopped": [5], "left before": [], "to be told": []}
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


def test_an_upload_that_is_under_way_is_broken_off(
    wire: Wire, make_node: Callable[..., Node]
) -> None:
    big = "open(os.environ['OUTPUT_FILE'], 'wb').truncate(40_000_000)"
    with SlowLine(wire.port, 2**20) as line:
        wire.port = line.port
        node = make_node(limits={"file_bytes": 2**26}, share_logs=False)
        wire.add(5, big)
        node.scheduler.accept(5)
        assert line.is_stuck.wait(30)
        threading.Timer(0.3, line.go_on.set).start()
        assert node.kill(5) == {"stopped": [5], "left before": [], "to be told": []}
    check_nothing_left(wire, 5)
    assert not any(one.body.get("result") for one in wire.asked if one.method == "PATCH")


def test_what_the_server_may_have_already_is_not_called_stopped(
    wire: Wire, make_node: Callable[..., Node], tmp_path: Path
) -> None:
    node = make_node(share_logs=False)
    wire.add(6, RUNNING)
    node.scheduler.accept(6)
    eventually(lambda: wire.ids("active") == [6])
    shared = "import time; go = os.environ['TEMPORARY_FOLDER'] + '/go'\n"
    wire.add(5, shared + f"while not os.path.exists(go): time.sleep(0.02)\n{DONE}")
    node.scheduler.accept(5)
    eventually(lambda: "active" in wire.results[5]["status"])
    wire.held["PATCH /result/5"] = threading.Event()
    (tmp_path / "data/runs/1/go").touch()
    eventually(lambda: any((one.body or {}).get("result") for one in wire.asked))
    threading.Timer(0.3, wire.held["PATCH /result/5"].set).start()
    assert node.kill(5) == {"stopped": [6], "left before": [5], "to be told": []}
    assert wire.results[5]["status"] == "completed"
    check_nothing_left(wire, 6)
    stopped = {one["result_id"]: one["left_before"] for one in node.events("stopped")}
    assert stopped == {5: True, 6: False}


def test_a_second_stop_does_not_lose_the_first(wire: Wire, make_node: Callable[..., Node]) -> None:
    node = make_node(share_logs=False)
    wire.add(5, RUNNING)
    node.scheduler.accept(5)
    eventually(lambda: wire.ids("active") == [5])
    wire.answers["PATCH /result/5"] = (503, {"msg": "Away.", "code": "unavailable"})
    node.scheduler.stop_run(5, "the wrong column", "root")
    eventually(lambda: node.scheduler.report() == ([], [5]))
    node.scheduler.stop_run(5, "another reason", "root")
    wire.answers.clear()
    eventually(lambda: wire.results[5]["status"] == "killed by user")
    check_nothing_left(wire, 5)


def test_the_silence_of_the_engine_keeps_no_result_from_being_stopped(
    wire: Wire, make_node: Callable[..., Node], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = make_node(parallel=2, share_logs=False)
    for id_ in (5, 6, 7):
        wire.add(id_, RUNNING, run_id=1)
        node.scheduler.accept(id_)
    eventually(lambda: len(wire.ids("active")) == 2)
    runtime = node.context.runtime
    kill, silent = runtime.kill, threading.Event()
    silent.set()

    def kill_if_there(result_id: int) -> None:
        if silent.is_set():
            raise EngineUnavailable("It does not answer.")
        kill(result_id)

    monkeypatch.setattr(runtime, "kill", kill_if_there)
    threading.Timer(0.5, silent.clear).start()
    assert node.kill(5) == {"stopped": [5, 6, 7], "left before": [], "to be told": []}
    for id_ in (5, 6, 7):
        check_nothing_left(wire, id_)
    assert not list((tmp_path / "processes").iterdir())


def test_a_stopped_algorithm_that_runs_on_makes_no_sub_tasks(
    wire: Wire, make_node: Callable[..., Node], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = make_node(share_logs=False)
    wire.add(
        5,
        "import time, urllib.request; open(os.environ['TEMPORARY_FOLDER'] + '/up', 'w')\n"
        "go = os.environ['TEMPORARY_FOLDER'] + '/go'\n"
        "while not os.path.exists(go): time.sleep(0.05)\n"
        "try: urllib.request.urlopen(f\"{os.environ['HOST']}:{os.environ['PORT']}\")\n"
        "except urllib.error.HTTPError: open(os.environ['TEMPORARY_FOLDER'] + '/open', 'w')\n"
        "except Exception: open(os.environ['TEMPORARY_FOLDER'] + '/closed', 'w')\n"
        "time.sleep(60)",
    )
    node.scheduler.accept(5)
    eventually(lambda: is_up(tmp_path))
    with monkeypatch.context() as silence:
        silence.setattr(node.context.runtime, "kill", raise_silence)
        node.scheduler.stop_run(5, "the wrong column", "root")
        folder = tmp_path / "data/runs/1"
        (folder / "go").touch()
        eventually(lambda: (folder / "closed").exists() or (folder / "open").exists())
        assert (folder / "closed").exists()
    eventually(lambda: wire.results[5]["status"] == "killed by user")


def test_a_stopped_algorithm_ends_before_the_server_is_told(
    wire: Wire, make_node: Callable[..., Node], make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    node = make_node(share_logs=False)
    wire.add(5, RUNNING)
    node.scheduler.accept(5)
    eventually(lambda: is_up(tmp_path))
    node.scheduler.leave()
    (entry,) = node.context.spool.entries()
    entry.mark_stopped("the wrong column")
    wire.answers["PATCH /result/5"] = (503, {"msg": "Away.", "code": "unavailable"})
    make_scheduler(node.context).adopt()
    eventually(lambda: node.context.runtime.memory_bytes(5) in (None, 0))
    assert wire.results[5]["status"] == "active"


def raise_silence(_: int) -> None:
    raise EngineUnavailable("It does not answer.")


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


def test_a_node_that_leaves_during_a_stop_works_on_nothing_more(
    wire: Wire, make_node: Callable[..., Node], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would write beside the next life of the node, and try for ever."""
    node = make_node(share_logs=False)
    wire.add(5, RUNNING)
    node.scheduler.accept(5)
    eventually(lambda: is_up(tmp_path))
    kill = node.context.runtime.kill

    def leave_first(result_id: int) -> None:
        patch.undo()
        node.scheduler.leave()
        kill(result_id)

    with monkeypatch.context() as patch:
        patch.setattr(node.context.runtime, "kill", leave_first)
        node.scheduler.stop_run(5, "the wrong column", "root")
    wait_for_threads_of(node.scheduler)
    assert wire.ids("active") == [5]
    (entry,) = node.context.spool.entries()
    assert (entry.stop_reason(), entry.outcome()) == ("the wrong column", None)


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


def test_what_is_no_question_is_refused(make_node: Callable[..., Node]) -> None:
    node = make_node()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.path.relpath(node.folder / "control.sock"))
        connection.sendall(b"[1]\n")
        assert b"no question" in connection.recv(2**16)


def test_a_slow_engine_keeps_no_list_and_no_stop_waiting(
    wire: Wire, make_node: Callable[..., Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = make_node()
    wire.add(5, RUNNING)
    node.scheduler.accept(5)
    eventually(lambda: wire.ids("active") == [5])
    answered = threading.Event()
    monkeypatch.setattr(node.context.runtime, "memory_bytes", lambda _: answered.wait(60))
    (found,) = ask(node.folder, "running")
    assert found["memory_bytes"] is None
    stopped = node.scheduler.stop_run(5, "the wrong column", "root")
    assert stopped == {5: False}
    answered.set()


def test_a_node_that_does_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not run"):
        ask(tmp_path, "running")
