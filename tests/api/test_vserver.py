"""``vserver``: configurations by name, several servers side by side, and plain errors."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from tests.waiting import eventually
from vantage6.common.config import ServerConfig, load
from vantage6.sandbox.ports import free_port

pytestmark = pytest.mark.slow

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Give a function that runs a command in a home of its own; its servers end with the test."""
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    environment["XDG_CONFIG_DIRS"] = str(tmp_path / "system")

    def run(*arguments: object, typed: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [Path(sys.executable).with_name("vserver"), *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
            env=environment,
            input=typed,
            cwd=tmp_path,
        )

    yield run
    run("stop", "--all")


def make(run: Run, name: str, port: int) -> None:
    done = run("new", "-n", name, "--user", "--yes", "-p", port, "--set", "flower=null")
    assert done.returncode == 0, done.stderr


def test_two_servers_run_side_by_side_and_stop_together(run: Run) -> None:
    ports = {"one": free_port(), "two": free_port()}
    for name, port in ports.items():
        make(run, name, port)
        assert run("start", "--name", name).returncode == 0
    for port in ports.values():
        assert httpx2.get(f"http://127.0.0.1:{port}/api/version", timeout=5).is_success
    assert run("list").stdout.count("  Running") == 2
    assert run("start", "--name", "one").returncode == 12
    assert "Server one was stopped" in run("stop", "--name", "one").stdout
    assert "Server two was stopped" in run("stop", "--all").stdout
    assert run("list").stdout.count("Not running") == 2


def test_taken_port_is_said_in_one_line_with_the_setting(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        make(run, "one", other.getsockname()[1])
        done = run("start")
    assert done.returncode == 10
    assert done.stderr.startswith("vserver: port: 127.0.0.1:")
    assert done.stderr.count("\n") == 1


def test_start_prints_links_that_answer_and_flower_takes_a_free_port(run: Run) -> None:
    with socket.socket() as other:
        # Whatever runs on this machine: the usual port is taken.
        with suppress(OSError):
            other.bind(("127.0.0.1", 5555))
            other.listen()
        done = run("new", "-n", "one", "--user", "--yes", "-p", free_port())
        assert done.returncode == 0, done.stderr
        started = run("start", "--name", "one")
        assert started.returncode == 0, started.stderr
    links = re.findall(r"http://\S+", started.stdout)
    assert len(links) == 4
    assert not any(link.endswith(":5555") for link in links)
    api, page, tried, flower = links
    assert eventually(lambda: _status(flower) == 401, 60)
    assert [_status(f"{api}/version"), _status(page), _status(tried)] == [200] * 3
    assert "vserver import --example" in started.stdout
    (password,) = re.findall(r"is in (\S+)", started.stdout)
    assert Path(password).is_file()


def _status(address: str) -> int:
    try:
        return httpx2.get(address, timeout=5).status_code
    except httpx2.HTTPError:
        return 0


def test_configuration_is_made_from_answers(run: Run, tmp_path: Path) -> None:
    answers = ["for tests", "0.0.0.0", "no port", "5001", "/v6", "", "y", "n", "DEBUG", "n"]
    done = run("new", "-n", "my server", "--user", typed="\n".join(answers) + "\n")
    assert done.returncode == 0, done.stdout + done.stderr
    config = load(tmp_path / ".config/vantage6/server/my-server.yaml", ServerConfig)
    assert (config.ip, config.port, config.api_path) == ("0.0.0.0", 5001, "/v6")
    assert (config.allow_drop_all, config.two_factor_auth) == (True, False)
    assert config.logging.level == "DEBUG"


def test_environment_is_added_but_not_replaced(run: Run, tmp_path: Path) -> None:
    make(run, "one", 5001)
    again = ("new", "-n", "one", "--user", "--yes")
    assert run(*again).returncode == 10
    assert run(*again, "-e", "test", "--set", "type=test").returncode == 0
    file = tmp_path / ".config/vantage6/server/one.yaml"
    assert load(file, ServerConfig, "application").port == 5001
    assert load(file, ServerConfig, "test").type == "test"


def test_unknown_name_lists_the_names(run: Run) -> None:
    make(run, "one", 5001)
    done = run("files", "--name", "two")
    assert done.returncode == 10
    assert "there are: one" in done.stderr
