"""The console as a process: out of reach for others, and its commands."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.node.console_bench import OWNER, make_station, serve, write_past
from tests.waiting import eventually
from vantage6.common.errors import ConfigurationError
from vantage6.node.cli import main
from vantage6.node.commands.answering import person
from vantage6.node.console.app import FOLDER
from vantage6.node.console.server import Console
from vantage6.node.console.sessions import Links, Person, Role


@pytest.fixture
def console(tmp_path: Path) -> Iterator[tuple[Console, str]]:
    """Give a console that listens, and its address."""
    instance = make_station(tmp_path)
    write_past(instance)
    with serve(instance) as found:
        yield found


_TRY = """
import socket, sys
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2)
except OSError:
    print("out of reach")
else:
    print("reached")
"""


def _tries(address: str, *before: str) -> str:
    port = address.rpartition(":")[2]
    command = [*before, sys.executable, "-c", _TRY, port]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=20, check=True
    ).stdout.strip()


def test_no_other_network_reaches_the_console(console: tuple[Console, str]) -> None:
    """An algorithm has a network namespace of its own, as another host has."""
    assert _tries(console[1]) == "reached"
    if os.geteuid() != 0:
        pytest.skip("needs root for a network namespace")
    assert _tries(
        console[1], "unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "-"
    ) == ("out of reach")


def test_no_address_of_this_machine_but_loopback_is_listened_at(
    console: tuple[Console, str],
) -> None:
    port = int(console[1].rpartition(":")[2])
    listening = {
        line.split()[1].partition(":")[0]
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and int(line.split()[1].rpartition(":")[2], 16) == port
    }
    # 127.0.0.1 as the kernel writes it.
    assert listening == {"0100007F"}


def test_a_socket_in_the_file_system_is_for_the_account_alone(tmp_path: Path) -> None:
    instance, path = make_station(tmp_path), tmp_path / "console.sock"
    with serve(instance, path) as (opened, address):
        assert address == str(path)
        assert path.stat().st_mode & 0o777 == 0o600
        assert opened.link_for(OWNER, address).startswith("http://localhost/open?link=")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(
                b"GET / HTTP/1.1\r\nHost: localhost:8700\r\nConnection: close\r\n\r\n"
            )
            said = b"".join(iter(lambda: connection.recv(65536), b""))
        assert said.startswith(b"HTTP/1.1 200")
        assert b"Server:" not in said
    eventually(lambda: not path.exists())


def test_one_console_of_a_node_runs_at_a_time(console: tuple[Console, str]) -> None:
    instance = console[0]._instance
    assert Console(instance).address == console[1]
    with pytest.raises(ConfigurationError, match="runs already"):
        Console(instance).listen()


def test_the_command_prints_a_link_to_the_console_that_runs(
    console: tuple[Console, str], tmp_path: Path
) -> None:
    words = ["console", "--config", str(tmp_path / "station.yaml"), "--auditor"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    (link,) = [line for line in done.output.splitlines() if line.startswith("http")]
    assert link.startswith(f"{console[1]}/open?link=")
    opened = Links(tmp_path / "data" / FOLDER / "links").open(link.partition("=")[2])
    assert opened == Person(person(), Role.AUDITOR)


def test_a_console_that_ended_leaves_no_address(tmp_path: Path) -> None:
    instance = make_station(tmp_path)
    with serve(instance) as (_, first):
        assert Console(instance).address == first
    assert Console(instance).address is None


def test_accounts_are_added_and_removed_by_a_command(tmp_path: Path) -> None:
    make_station(tmp_path)
    words = ["console-account", "amir", "--config", str(tmp_path / "station.yaml")]
    password = "a long enough password"
    added = CliRunner().invoke(main, [*words, "--totp"], input=f"{password}\n{password}\n")
    assert added.exit_code == 0, added.output
    assert "otpauth://totp/" in added.output
    assert password not in added.output
    kept = tmp_path / "data" / FOLDER / "accounts.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert CliRunner().invoke(main, [*words, "--remove"]).exit_code == 0
    assert "amir" not in kept.read_text()
    assert CliRunner().invoke(main, [*words, "--remove"]).exit_code == 10
