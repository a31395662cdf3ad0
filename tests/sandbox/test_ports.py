"""Ports are for one server each, whichever processes ask for them at the same time."""

import socket
import subprocess
import sys

import pytest

from vantage6.sandbox import ports

#: Few, so that two processes meet.
FIRST, LAST = 31_700, 31_719
TAKE = f"""
from vantage6.sandbox import ports
ports._FIRST, ports._LAST = {FIRST}, {LAST}
print(*(ports.free_port() for _ in range(5)), flush=True)
input()
"""


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_FIRST", FIRST)
    monkeypatch.setattr(ports, "_LAST", LAST)


def take_the_others() -> set[int]:
    """Take ports until there are none."""
    taken = set()
    for _ in range(LAST - FIRST + 2):
        try:
            port = ports.free_port()
        except OSError:
            break
        assert port not in taken
        taken.add(port)
    return taken


def test_two_processes_never_get_the_same_port_as_long_as_both_live(few: None) -> None:
    command = [sys.executable, "-c", TAKE]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        theirs = {int(word) for word in other.stdout.readline().split()}
        ours = take_the_others()
        with pytest.raises(OSError, match="no port between"):
            ports.free_port()
        other.communicate("\n", timeout=60)
    assert len(theirs) == 5
    assert len(ours) > 5
    assert not ours & theirs
    # What that process held is free again.
    assert take_the_others() <= theirs


def test_a_port_on_which_something_listens_is_not_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        monkeypatch.setattr(ports, "_FIRST", port)
        monkeypatch.setattr(ports, "_LAST", port)
        with pytest.raises(OSError, match="no port between"):
            ports.free_port()
