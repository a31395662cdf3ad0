"""What a demonstration left is ended, also where some of it ends by itself meanwhile."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from vantage6.sandbox import leftovers
from vantage6.sandbox.leftovers import end_users_of


def start(folder: Path) -> "subprocess.Popen[bytes]":
    """Start a program that looks like a node with a file of the folder."""
    folder.mkdir(exist_ok=True)
    program = folder / "vnode"
    program.write_text("import time; time.sleep(60)")
    return subprocess.Popen([sys.executable, str(program), str(folder / "station.yaml")])


class Ending(psutil.Process):  # type: ignore[misc]
    """A process that ends once it has been looked at."""

    def cwd(self) -> str:
        found = str(super().cwd())
        self.kill()
        self.wait(10)
        return found


def test_a_process_that_ends_meanwhile_keeps_no_other_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The engine of this machine has containers of others.
    monkeypatch.setattr(leftovers, "_remove_containers", lambda _: [])
    first, second = start(tmp_path / "demo"), start(tmp_path / "demo")

    def found() -> Iterator[psutil.Process]:
        yield Ending(first.pid)
        yield psutil.Process(second.pid)

    monkeypatch.setattr(psutil, "process_iter", found)
    (name,) = end_users_of(tmp_path / "demo")
    assert str(second.pid) in name
    first.wait(10)
    second.wait(10)
    assert not psutil.pid_exists(second.pid)
