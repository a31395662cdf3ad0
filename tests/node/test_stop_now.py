"""`vnode stop --now` ends everything, whatever state the node, the engine and the disk are in."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.factories import COMMAND, IMAGE, make_config
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.node.cli import main
from vantage6.node.control import account_name
from vantage6.node.rules.audit import FILE_NAME, Audit, entries
from vantage6.node.runtime.base import EngineUnavailable
from vantage6.node.runtime.process import ProcessRuntime
from vantage6.node.spool.spool import Spool

Vnode = Callable[..., Result]

#: Holds the lock of a node and the socket for questions, and answers none.
HANGS = """
import fcntl, os, socket, sys, time
os.chdir(sys.argv[1])
file = os.open("lock", os.O_RDWR | os.O_CREAT)
fcntl.flock(file, fcntl.LOCK_EX)
os.write(file, str(os.getpid()).encode())
if sys.argv[2] == "deaf":
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("control.sock")
    listener.listen()
print("up", flush=True)
time.sleep(60)
"""


@pytest.fixture
def vnode(tmp_path: Path) -> Vnode:
    """Give a function that runs a command on the node whose data folder is `data`."""
    settings: dict[str, Any] = {
        "api_key": "key",
        "server_url": "http://127.0.0.1",
        "encryption": {"enabled": False},
        "task_dir": str(tmp_path / "data"),
        "runtime": "process",
        "processes": {IMAGE: list(COMMAND)},
    }
    file = tmp_path / "station.yaml"
    file.write_text(yaml.safe_dump({"application": settings}))
    return lambda *words: CliRunner().invoke(main, [*words, "--config", str(file)])


@pytest.fixture
def left(
    wire: Wire, make_context: MakeContext, make_scheduler: MakeScheduler, tmp_path: Path
) -> Callable[[], bool]:
    """Have a node leave an algorithm, and give a function that tells whether it runs."""
    config = make_config()
    runtime = ProcessRuntime(tmp_path / "data/processes", config.processes, config.limits)
    scheduler = make_scheduler(make_context(runtime))
    wire.add(5, "import time; time.sleep(60)")
    scheduler.accept(5)
    eventually(lambda: wire.ids("active") == [5])
    scheduler.leave()
    return lambda: bool(runtime.memory_bytes(5))


@pytest.fixture
def hang(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Give a function that starts a node that does not answer."""
    started: list[subprocess.Popen[str]] = []

    def start(kind: str) -> None:
        command = [sys.executable, "-c", HANGS, str(tmp_path / "data"), kind]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"

    yield start
    for process in started:
        process.kill()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_node_that_hangs_keeps_nothing_running(
    left: Callable[[], bool],
    vnode: Vnode,
    hang: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    force: tuple[str, ...],
) -> None:
    monkeypatch.setattr("vantage6.node.control.KILL_SECONDS", 0.5)
    hang("deaf")
    assert left()
    done = vnode("stop", "--now", *force)
    assert done.exit_code == 0, done.output
    assert "Stopped: result 5." in done.output
    eventually(lambda: not left())


def test_what_the_engine_did_not_end_is_ended_by_the_next_call(
    left: Callable[[], bool], vnode: Vnode, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as silence:
        silence.setattr(ProcessRuntime, "kill", raise_silence)
        failed = vnode("stop", "--now")
    assert failed.exit_code != 0
    assert "result 5" in failed.output
    assert left()
    done = vnode("stop", "--now")
    assert done.exit_code == 0, done.output
    assert "Stopped: result 5." in done.output
    eventually(lambda: not left())


def test_a_full_disk_keeps_nothing_running(
    left: Callable[[], bool], vnode: Vnode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Audit, "record", raise_full)
    assert vnode("stop", "--now").exit_code == 0
    eventually(lambda: not left())


def test_the_account_on_record_is_the_one_of_the_kernel(
    left: Callable[[], bool], vnode: Vnode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "somebody-else")
    assert vnode("stop", "--now").exit_code == 0
    (event,) = [one for one in entries(tmp_path / "data" / FILE_NAME) if one["event"] == "stopped"]
    assert event["by"] == account_name(os.geteuid())


def test_a_result_that_the_server_may_have_is_named(
    wire: Wire, make_scheduler: MakeScheduler, vnode: Vnode, tmp_path: Path
) -> None:
    scheduler = make_scheduler(share_logs=False)
    wire.add(5, "open(os.environ['OUTPUT_FILE'], 'w').write('secret')")
    wire.answers["PATCH /result/5"] = (503, {"msg": "Away.", "code": "unavailable"})
    scheduler.accept(5)
    eventually(lambda: any((one.body or {}).get("result") for one in wire.asked))
    scheduler.leave()
    done = vnode("stop", "--now")
    assert "Too late for result 5" in done.output
    (entry,) = Spool(tmp_path / "data").entries()
    assert entry.stop_reason()


def test_a_node_that_takes_no_questions_is_told_from_one_that_does_not_run(
    tmp_path: Path, vnode: Vnode, hang: Callable[[str], None]
) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    assert "does not run" in vnode("running").output
    hang("old")
    said = vnode("running").output
    assert "takes no questions" in said
    assert "does not run" not in said


def raise_silence(*_: Any) -> None:
    raise EngineUnavailable("It does not answer.")


def raise_full(*_: Any, **__: Any) -> None:
    raise OSError(28, "No space left on device")
