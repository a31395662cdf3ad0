"""What the server's documentation shows and this version has, run as an operator runs it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
import yaml
from pydantic import HttpUrl, SecretStr

from tests.seeds.document import Statement
from tests.seeds.table import ALL, rows, runs
from vantage6.common import __version__
from vantage6.common.config import Instance
from vantage6.sandbox.ports import free_port

VSERVER = Path(sys.executable).with_name("vserver")


class Server:
    """The server of the example configuration, with ports and addresses of this machine.

    Its data lie where they lie without any setting: in the data folder of the user.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self.name = "test-server"
        self.file = folder / "config" / "vantage6" / "server" / f"{self.name}.yaml"
        self.file.parent.mkdir(parents=True)
        (text,) = [one.text for one in ALL if one.kind == "yaml" and "environments:" in one.text]
        # What the example leaves out has to be something.
        text = text.replace("...", "{description: left out}")
        self.documented = yaml.safe_load(text)
        real = text.replace("port: 5000", f"port: {self.port}")
        # Flower's port is taken where another server runs.
        real = real.replace("ip: 0.0.0.0", "ip: 127.0.0.1\n    flower: null")
        self.file.write_text(real)
        self.file.chmod(0o600)
        folders = {"XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder / "config"}
        self.environment = {**os.environ, **{name: str(one) for name, one in folders.items()}}
        self.foreground: subprocess.Popen[bytes] | None = None

    @property
    def console(self) -> Path:
        """What a server in the foreground writes."""
        return self.folder / "console"

    def start(self, command: str = "vserver start") -> None:
        """Start it, and wait until it answers."""
        if "--attach" in command:
            with self.console.open("w") as console:
                self.foreground = subprocess.Popen(
                    self.line(command), stdout=console, stderr=console, env=self.environment
                )
        else:
            self.run(command)
        assert self.answers(30)

    def stop(self, command: str = "vserver stop") -> None:
        """Stop it, and wait until it is gone."""
        self.run(command)
        if self.foreground is not None:
            self.foreground.wait(30)
            self.foreground = None

    def line(self, command: str) -> list[str]:
        """Return a command of the document for this server.

        Where the document leaves out the name, it may: there is one server.
        """
        words = command.replace("<your_server>", self.name).split()[1:]
        return [str(VSERVER), *words, "--user", "--environment", "test"]

    def run(self, command: str) -> str:
        """Run a command of the document with this server; return what it prints."""
        done = subprocess.run(
            self.line(command), capture_output=True, text=True, timeout=60, env=self.environment
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def log(self) -> Path:
        """The log file that the example names."""
        name = self.documented["environments"]["test"]["logging"]["file"]
        return self.folder / "vantage6" / "server" / self.name / "log" / str(name)

    def answers(self, seconds: float = 0) -> bool:
        """Tell whether the server answers within a time."""
        deadline = time.monotonic() + seconds
        while True:
            with suppress(httpx2.HTTPError):
                address = f"http://127.0.0.1:{self.port}/api/ready"
                if httpx2.get(address, timeout=5).status_code == 200:
                    return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give the server of the example, which does not run yet."""
    server = Server(tmp_path_factory.mktemp("documented"))
    try:
        yield server
    finally:
        server.stop()


def printed(*command: str) -> str:
    done = subprocess.run(
        [VSERVER, *command], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def commands() -> set[str]:
    """Return the commands of ``vserver`` in the table."""
    words = [row.quotation.split() for row in rows()]
    return {line[1] for line in words if line[0] == "vserver" and not line[1].startswith("-")}


@runs
def test_help_lists_the_commands(statement: Statement) -> None:
    text = printed(*statement.text.split()[1:])
    for name in commands():
        assert re.search(rf"^  {name} ", text, re.MULTILINE), name


@runs
def test_help_shows_the_options(statement: Statement) -> None:
    text = printed(*statement.text.split()[1:])
    for option in ("--config", "--attach"):
        assert option in text


@runs
def test_the_version_is_printed(statement: Statement) -> None:
    assert __version__ in printed(*statement.text.split()[1:])


@runs
def test_the_server_starts_and_stops(statement: Statement, server: Server) -> None:
    starts = statement.text.startswith("vserver start")
    # The document changes between the two; a test that runs alone does not.
    if server.answers() == starts:
        server.stop() if starts else server.start()
    if not starts:
        server.stop(statement.text)
        assert not server.answers()
        return
    server.start(statement.text)
    if "--attach" in statement.text:
        assert server.foreground
        assert server.foreground.poll() is None
        assert "api" in server.console.read_text()
    first = {"username": "root", "password": "root"}
    address = f"http://127.0.0.1:{server.port}/api/token/user"
    assert httpx2.post(address, json=first, timeout=10).status_code == 200


@runs
def test_the_example_describes_a_server(statement: Statement, server: Server) -> None:
    assert set(server.documented) == {"application", "environments"}
    for name in ("test", "prod"):
        assert name in server.documented["environments"]
        assert Instance.load(server.file, name).config


@runs
def test_the_key_is_read(statement: Statement, server: Server) -> None:
    documented = server.documented["environments"]["test"]
    read: object = Instance.load(server.file, "test").config
    for name in statement.text.split("."):
        documented, read = documented[name], getattr(read, name)
    if isinstance(read, SecretStr):
        read = read.get_secret_value()
    if isinstance(read, HttpUrl):
        read = str(read).removesuffix("/")
    substituted = {5000: server.port, "0.0.0.0": "127.0.0.1"}
    assert read == substituted.get(documented, documented)


@runs
def test_a_configuration_is_made(statement: Statement, tmp_path: Path) -> None:
    answers = ["mine", "", "", str(free_port()), "", "", "", "", "", ""]
    done = subprocess.run(
        [VSERVER, *statement.text.split()[1:], "--user"],
        input="\n".join(answers) + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    file = tmp_path / "vantage6" / "server" / "mine.yaml"
    assert Instance.load(file).config.port == int(answers[3])


@runs
def test_the_files_are_shown(statement: Statement, server: Server) -> None:
    shown = server.run(statement.text)
    assert str(server.file) in shown
    assert str(server.log) in shown


@runs
def test_the_servers_are_listed(statement: Statement, server: Server) -> None:
    command = [str(VSERVER), *statement.text.split()[1:]]
    done = subprocess.run(command, capture_output=True, text=True, env=server.environment)
    assert re.search(rf"^{server.name} .*\btest\b.*(R|Not r)unning", done.stdout, re.MULTILINE)


@runs
def test_the_logs_are_shown(statement: Statement, server: Server) -> None:
    if not server.answers():
        server.start()
    command = server.line(statement.text)
    shown = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=server.environment)
    assert shown.stdout
    assert any(line.startswith("api ") for line in shown.stdout)
    shown.send_signal(signal.SIGINT)
    shown.communicate(timeout=60)
    assert server.answers(), "the server does not run on"


@runs
def test_the_log_goes_where_it_is_told(statement: Statement, server: Server) -> None:
    key = statement.text.rpartition(".")[2]
    if not server.answers():
        server.start("vserver start --attach")
    if key == "file":
        assert "request answered" in server.log.read_text()
        return
    assert server.documented["environments"]["test"]["logging"][key] is True
    if server.foreground is None:
        server.stop()
        server.start("vserver start --attach")
    assert "api " in server.console.read_text()
