"""What a station keeps to itself, writes down, and bounds, while it computes results."""

import errno
import hashlib
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.factories import COMMAND, IMAGE, MIB
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common.encoding import bytes_to_base64s
from vantage6.node.rules.audit import FILE_NAME, entries, verify
from vantage6.node.rules.registries import Registries
from vantage6.node.runtime.base import Image, Pulling
from vantage6.node.runtime.process import ProcessRuntime
from vantage6.node.spool import disk_usage as disk
from vantage6.node.work import context as stations
from vantage6.node.work.periodic import Periodic

WRITE = "open(os.environ['OUTPUT_FILE'], 'w').write({text!r})"
DONE = WRITE.format(text="done")


@pytest.fixture
def read_audit(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Give a function that returns the events of some kinds, from a file that is whole."""

    def read(*events: str) -> list[dict[str, Any]]:
        path = tmp_path / "data" / FILE_NAME
        assert verify(path).broken is None
        return [entry for entry in entries(path) if not events or entry["event"] in events]

    return read


ReadAudit = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def quick_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send logs every 0.1 s."""
    monkeypatch.setattr(stations, "_LOG_SECONDS", 0.1)


def test_audit_tells_who_asked_for_what_and_what_left(
    wire: Wire, make_scheduler: MakeScheduler, read_audit: ReadAudit
) -> None:
    program = "# " + DONE + "\n" + DONE
    wire.add(5, program)
    make_scheduler().accept(5)
    eventually(lambda: wire.ids("completed") == [5])
    asked, started, judged, released = read_audit()
    events = [line["event"] for line in (asked, started, judged, released)]
    assert events == ["asked", "started", "judged", "released"]
    expected = {
        "result_id": 5,
        "task_id": 105,
        "run_id": 1,
        "is_subtask": False,
        "image": IMAGE,
        "database": "default",
        "organization_id": 1,
        "organization": "org 1",
        "user_id": 7,
        "user": "alice",
        "input_bytes": len(program),
        "input_hash": hashlib.sha256(program.encode()).hexdigest(),
    }
    assert asked.items() >= expected.items()
    assert "method" not in asked
    assert started["image_id"] == IMAGE
    assert released["status"] == "completed"
    assert released["output_bytes"] == 4
    assert released["output_hash"] == hashlib.sha256(b"done").hexdigest()


def test_audit_holds_refusals_with_their_reasons(
    wire: Wire, make_scheduler: MakeScheduler, read_audit: ReadAudit
) -> None:
    wire.add(5, DONE)
    make_scheduler(policies={"allowed_users": ["alice"]}).accept(5)
    eventually(lambda: wire.ids("not allowed") == [5])
    (refused,) = read_audit("refused")
    assert refused["code"] == wire.results[5]["reason"]["code"] == "image_not_allowed"
    (released,) = read_audit("released")
    assert released["output_bytes"] == 0
    assert not read_audit("started")


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        (pickle.dumps({"method": "average"}), "legacy"),
        (b"pickle." + pickle.dumps({"method": "average"}), "pickle"),
        (b'{"method": "average"}', "legacy"),
    ],
)
def test_pickled_input_does_not_get_into_an_algorithm(
    wire: Wire, make_scheduler: MakeScheduler, read_audit: ReadAudit, payload: bytes, name: str
) -> None:
    wire.add(5)
    wire.results[5]["input"] = bytes_to_base64s(payload)
    make_scheduler(policies={"allowed_algorithms": ".*"}).accept(5)
    eventually(lambda: wire.ids("not allowed") == [5])
    reason = wire.results[5]["reason"]
    assert reason["code"] == "pickle_not_allowed"
    assert 'data_format="json"' in reason["msg"]
    assert read_audit("asked")[0]["input_format"] == name
    assert read_audit("refused")[0]["code"] == "pickle_not_allowed"
    assert not read_audit("started")


def test_input_in_json_gets_into_an_algorithm(
    wire: Wire, make_scheduler: MakeScheduler, read_audit: ReadAudit
) -> None:
    # A program that begins as JSON does.
    wire.add(5, "json.loads;" + DONE)
    command = (*COMMAND[:2], f"import json; {COMMAND[2]}")
    make_scheduler(policies={"allowed_algorithms": ".*"}, processes={IMAGE: command}).accept(5)
    eventually(lambda: wire.ids("completed") == [5])
    assert read_audit("asked")[0]["input_format"] == "json"


def test_killed_result_is_written_down_as_dropped(
    wire: Wire, make_scheduler: MakeScheduler, read_audit: ReadAudit
) -> None:
    wire.add(5, "import time; time.sleep(60)")
    scheduler = make_scheduler()
    scheduler.accept(5)
    eventually(lambda: wire.ids("active") == [5])
    scheduler.kill(5)
    eventually(lambda: read_audit("dropped"))
    assert not read_audit("released")


def test_nothing_is_computed_while_it_cannot_be_written_down(
    wire: Wire, make_scheduler: MakeScheduler, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wire.add(5, "open(os.environ['TEMPORARY_FOLDER'] + '/ran', 'w');" + DONE)
    scheduler = make_scheduler()
    tried = threading.Event()
    write = os.write

    def full(descriptor: int, content: bytes) -> int:
        if b'"event"' in content:
            tried.set()
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, content)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        scheduler.accept(5)
        assert tried.wait(10)
        assert not (tmp_path / "data/runs/1/ran").exists()
    eventually(lambda: wire.ids("completed") == [5])


def test_subtask_and_what_the_listener_refuses_are_written_down(
    wire: Wire, make_scheduler: MakeScheduler, read_audit: ReadAudit
) -> None:
    program = """
import json, urllib.request, urllib.error
def ask(method, path, body=None, token=open(os.environ['TOKEN_FILE']).read()):
    request = urllib.request.Request(
        os.environ['HOST'] + ':' + os.environ['PORT'] + path,
        json.dumps(body).encode() if body else None,
        {'Authorization': 'Bearer ' + token, 'Content-Type': 'application/json'}, method=method)
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except urllib.error.HTTPError as error:
        error.close()
ask('POST', '/task', {'image': 'a/b', 'organizations': [{'id': 2, 'input': 'aGVsbG8='}]})
ask('GET', '/user')
ask('DELETE', '/task')
ask('GET', '/task/1', token='another')
"""
    wire.answers["POST /task"] = (201, {"id": 9, "results": []})
    wire.add(5, program + DONE)
    make_scheduler().accept(5)
    eventually(lambda: wire.ids("completed") == [5])
    (subtask,) = read_audit("subtask")
    assert subtask["organizations"] == [2]
    assert subtask["image"] == "a/b"
    assert subtask["input_hashes"] == [hashlib.sha256(b"hello").hexdigest()]
    denied = [(entry["request"], entry["status"]) for entry in read_audit("denied")]
    assert denied == [("GET /user", 404), ("DELETE /task", 405), ("GET /task/1", 401)]


@pytest.mark.usefixtures("quick_logs")
def test_log_is_sent_while_the_algorithm_runs(wire: Wire, make_scheduler: MakeScheduler) -> None:
    shared = "import time; go = os.environ['TEMPORARY_FOLDER'] + '/go'\n"
    wire.add(
        5,
        shared + "print('one', flush=True)\nwhile not os.path.exists(go): time.sleep(0.02)\n"
        "print('two')\n" + DONE,
    )
    wire.add(6, shared + "open(go, 'w');" + DONE, parent={"id": 105})
    scheduler = make_scheduler()
    scheduler.accept(5)
    eventually(lambda: "one" in wire.results[5].get("log", ""))
    assert wire.ids("active") == [5]
    scheduler.accept(6)
    eventually(lambda: wire.ids("completed") == [5, 6])
    assert wire.results[5]["log"] == "one\ntwo\n"
    logs = [a.body for a in wire.asked if a.method == "PATCH" and "status" not in a.body]
    # Only what has changed is sent.
    assert logs[0] == {"log": "one\n"}
    assert len(logs) <= 2


@pytest.mark.usefixtures("quick_logs")
def test_site_keeps_logs_to_itself(wire: Wire, make_scheduler: MakeScheduler) -> None:
    wire.add(
        5, "import time; print('secret', flush=True); time.sleep(0.5); raise SystemExit('secret')"
    )
    make_scheduler(share_logs=False).accept(5)
    eventually(lambda: wire.ids("crashed") == [5])
    assert "secret" not in str([asked.body for asked in wire.asked if asked.method == "PATCH"])
    assert "share_logs" in wire.results[5]["log"]
    assert wire.results[5]["reason"]["code"] == "exit_code"


def test_output_above_the_rule_does_not_leave(
    wire: Wire, make_scheduler: MakeScheduler, read_audit: ReadAudit
) -> None:
    wire.add(5, DONE)
    make_scheduler(
        policies={"allowed_algorithms": ".*", "allow_pickle": True, "max_output_bytes": 3}
    ).accept(5)
    eventually(lambda: wire.ids("not allowed") == [5])
    assert wire.results[5]["reason"]["code"] == "output_not_allowed"
    assert "result" not in wire.results[5]
    assert read_audit("released")[0]["output_bytes"] == 0


@pytest.mark.parametrize(
    "program",
    [
        "\nfor i in range(60): open(f'{folder}/{i}', 'wb').write(bytes(65536))",
        "\nfor i in range(3000): open(f'{folder}/{i}', 'w').close()",
        "\nfor i in range(400): os.mkdir('d' * 200); os.chdir('d' * 200)",
    ],
    ids=["many files", "empty files", "folders nested too deep"],
)
def test_disk_of_a_run_is_bounded(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path, program: str
) -> None:
    program = "folder = os.environ['TEMPORARY_FOLDER']; os.chdir(folder)" + program
    wire.add(5, program + "\nimport time; time.sleep(60)")
    make_scheduler(limits={"disk_bytes": MIB}).accept(5)
    eventually(lambda: wire.ids("crashed") == [5])
    assert wire.results[5]["reason"]["code"] == "disk_limit"
    eventually(lambda: not list((tmp_path / "data/runs/1").iterdir()))


def test_what_is_not_there_takes_no_room(tmp_path: Path) -> None:
    assert disk.room([tmp_path / "none"], 0) == 0
    (tmp_path / "file").write_bytes(b"x")
    assert disk.room([tmp_path], 16_383) == -1
    assert disk.room([tmp_path], 20_000) == 3616


def test_measurements_come_quicker_as_room_shrinks() -> None:
    assert [disk.pause(left) for left in (-1, 0, 2**20, 2**29, 2**40)] == [0.1, 0.1, 0.1, 0.25, 0.5]


def test_visit_may_come_again_sooner_than_usual() -> None:
    rounds, times = Periodic("test", 60), []

    def visit() -> float | None:
        times.append(time.monotonic())
        return 0.05 if len(times) < 4 else None

    with rounds.every(visit, after=0.01):
        eventually(lambda: len(times) == 4)
        time.sleep(0.2)
    rounds.close()
    assert len(times) == 4
    assert times[3] - times[0] < 5


class SlowPulls(ProcessRuntime):
    """A runtime whose images arrive when they are let in."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.arrived = threading.Event()
        self.pulling: list[str] = []

    def fetch(
        self,
        image: str,
        cancelled: Callable[[], bool],
        pulling: Pulling = nullcontext,
        registries: Registries | None = None,
    ) -> Image:
        """Wait for an image whose name says that it is slow."""
        if image.startswith("slow"):
            with pulling():
                self.pulling.append(image)
                while not self.arrived.wait(0.02) and not cancelled():
                    pass
            image = IMAGE
        return super().fetch(image, cancelled, registries=registries)


@pytest.fixture
def slow(make_context: MakeContext, tmp_path: Path) -> Iterator[Any]:
    """Give a station with one place, to which slow images come when `arrived` is set."""
    config = make_context().config
    runtime = SlowPulls(tmp_path / "processes", config.processes, config.limits)
    yield make_context(runtime=runtime, parallel=1)
    runtime.arrived.set()


def test_slow_pull_blocks_nobody_and_gets_its_place_back(
    wire: Wire, slow: Any, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    wire.add(1, DONE, image="slow/one")
    wire.add(2, DONE, image="slow/two")
    wire.add(3, DONE)
    wire.add(4, DONE)
    scheduler = make_scheduler(slow)
    for id_ in (1, 2, 3, 4):
        scheduler.accept(id_)
    eventually(lambda: wire.ids("completed") == [3, 4])
    assert slow.runtime.pulling == ["slow/one", "slow/two"]
    shared = "import time; go = os.environ['TEMPORARY_FOLDER'] + '/go'\n"
    wire.add(5, shared + "while not os.path.exists(go): time.sleep(0.02)\n" + DONE)
    scheduler.accept(5)
    eventually(lambda: wire.ids("active") == [5])
    slow.runtime.arrived.set()
    # Never two at once: those that come back wait for the place.
    assert wire.ids("active") == [5]
    (tmp_path / "data/runs/1/go").touch()
    eventually(lambda: wire.ids("completed") == [1, 2, 3, 4, 5])


def test_result_that_is_killed_during_its_pull_is_gone(
    wire: Wire, slow: Any, make_scheduler: MakeScheduler
) -> None:
    wire.add(1, DONE, image="slow/one")
    wire.add(2, DONE)
    scheduler = make_scheduler(slow)
    scheduler.accept(1)
    eventually(lambda: slow.runtime.pulling)
    scheduler.kill(1)
    scheduler.accept(2)
    eventually(lambda: wire.ids("completed") == [2])
    assert eventually(lambda: scheduler.report() == ([], []))
