"""Processes under supervision, and their logs as they grow."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.waiting import eventually
from vantage6.common.cli.log_tail import Tail, readable
from vantage6.common.cli.supervision import Program, Supervisor
from vantage6.common.config.base import LogConfig
from vantage6.common.errors import Conflict, Unavailable

Make = Callable[..., Supervisor]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Give a function that makes a supervisor of one Python program."""
    made: list[Supervisor] = []

    def make(program: str, **settings: object) -> Supervisor:
        supervisor = Supervisor("The thing", tmp_path, tmp_path / "log")
        command = (sys.executable, "-c", program)
        log = tmp_path / "log" / "thing.log"
        supervisor.write(
            {"thing": Program(command, log, **settings)},  # type: ignore[arg-type]
            LogConfig(),
        )
        made.append(supervisor)
        return supervisor

    yield make
    for supervisor in made:
        supervisor.kill()


def starts(folder: Path) -> int:
    file = folder / "starts"
    return len(file.read_text()) if file.exists() else 0


COUNT = "open('starts', 'a').write('x'); "
SLEEP = "import time; time.sleep(60)"


@pytest.mark.slow
def test_what_dies_is_started_again_and_stop_is_the_end(make: Make, tmp_path: Path) -> None:
    supervisor = make(COUNT + SLEEP)
    supervisor.start(lambda: starts(tmp_path) == 1, 20)
    process = supervisor.running()
    assert process
    # What ends within its first second counts as not started.
    time.sleep(1.2)
    (child,) = process.children()
    child.kill()
    assert eventually(lambda: starts(tmp_path) == 2)
    assert supervisor.stop()
    assert supervisor.running() is None
    assert not supervisor.stop()


@pytest.mark.slow
def test_second_start_is_refused(make: Make, tmp_path: Path) -> None:
    supervisor = make(COUNT + SLEEP)
    supervisor.start(lambda: starts(tmp_path) == 1, 20)
    with pytest.raises(Conflict, match="The thing runs already"):
        supervisor.start(lambda: True, 1)


@pytest.mark.slow
@pytest.mark.parametrize(("code", "again"), [(10, False), (1, True)])
def test_only_final_codes_end_the_attempts(
    make: Make, tmp_path: Path, code: int, again: bool
) -> None:
    supervisor = make(COUNT + f"import time; time.sleep(0.2); exit({code})", final_codes=(0, 10))
    supervisor.start(lambda: starts(tmp_path) > 0, 20)
    if again:
        assert eventually(lambda: starts(tmp_path) > 2)
    else:
        time.sleep(2)
        assert starts(tmp_path) == 1


@pytest.mark.slow
def test_what_does_not_come_up_is_stopped_and_the_logs_are_named(
    make: Make, tmp_path: Path
) -> None:
    supervisor = make(SLEEP)
    with pytest.raises(Unavailable, match=str(tmp_path / "log")):
        supervisor.start(lambda: False, 2)
    assert supervisor.running() is None


@pytest.mark.parametrize("pid", ["", "none", pytest.param(str(os.getpid()), id="own"), "4194304"])
def test_stale_pid_is_no_instance(make: Make, tmp_path: Path, pid: str) -> None:
    supervisor = make(SLEEP)
    (tmp_path / "supervisord.pid").write_text(pid)
    assert supervisor.running() is None
    assert not supervisor.stop()


FOREGROUND = """
import sys
from pathlib import Path
from vantage6.common.cli.supervision import Supervisor
folder = Path(sys.argv[1])
supervisor = Supervisor("The thing", folder, folder / "log")
sys.exit(supervisor.attach({"thing": folder / "log" / "thing.log"}, console=sys.argv[2] == "True"))
"""


@pytest.mark.slow
@pytest.mark.parametrize("console", [True, False])
def test_foreground_shows_the_logs_if_asked_to_and_ends_when_told(
    make: Make, tmp_path: Path, console: bool
) -> None:
    supervisor = make(COUNT + "print('hello', flush=True); " + SLEEP)
    foreground = subprocess.Popen(
        [sys.executable, "-c", FOREGROUND, tmp_path, str(console)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert eventually(lambda: starts(tmp_path) == 1)
        process = supervisor.running()
        assert process
        children = process.children()
        shown = ""
        while console and "hello" not in shown:
            line = foreground.stdout.readline() if foreground.stdout else ""
            assert line, shown
            shown += line
        foreground.send_signal(signal.SIGINT)
        rest, _ = foreground.communicate(timeout=60)
    finally:
        foreground.kill()
        foreground.communicate()
    assert foreground.returncode == 0
    assert ("hello" in shown + rest) == console
    assert not psutil.wait_procs(children, timeout=30)[1]


def test_log_is_followed_across_a_rotation(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    file = tmp_path / "a.log"
    file.write_text("old\nlast\n")
    tail = Tail(file)
    request.addfinalizer(tail.close)
    assert list(tail.read()) == []
    with file.open("a") as log:
        log.write("half")
    assert list(tail.read()) == []
    with file.open("a") as log:
        log.write(" and half\nbefore\n")
    file.rename(tmp_path / "a.log.1")
    file.write_text("after\n")
    assert list(tail.read()) == ["half and half", "before", "after"]


def test_log_may_begin_later(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    tail = Tail(tmp_path / "a.log")
    request.addfinalizer(tail.close)
    assert list(tail.read()) == []
    (tmp_path / "a.log").write_text("first\n")
    assert list(tail.read()) == ["first"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            '{"event": "hi", "level": "info", "timestamp": "12:00", "a": 1, "logger": "x"}',
            "12:00 [info] hi a=1",
        ),
        ('{"event": "hi"}', '{"event": "hi"}'),
        ("{broken", "{broken"),
        ("plain", "plain"),
    ],
)
def test_structured_lines_are_shown_as_text(line: str, shown: str) -> None:
    assert readable(line) == shown
