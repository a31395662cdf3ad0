"""Tunnels through a real SSH server."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import MakeBench
from tests.node.factories import make_claim
from tests.services.sshd import SshServer
from tests.waiting import eventually
from vantage6.common.config.services import TunnelConfig
from vantage6.common.errors import ConfigurationError
from vantage6.node.outcomes import RefusalError
from vantage6.node.services import tunnels
from vantage6.node.services.tunnels import Tunnel

pytestmark = pytest.mark.slow

TALK = """
import json, os, socket, time
from urllib.parse import urlsplit
def talk(host, port):
    for _ in range(100):
        try:
            return socket.create_connection((host, port), timeout=20).recv(99).decode()
        except ConnectionRefusedError:
            time.sleep(0.02)
        except OSError as error:
            return type(error).__name__
    return 'refused'
out = EXPRESSION
json.dump(out, open(os.environ['OUTPUT_FILE'], 'w'))
"""


class Greeter:
    """A service on a port of loopback, which says its name to everybody."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            with caller:
                caller.sendall(self._name.encode())

    def close(self) -> None:
        """Serve no more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[SshServer]:
    """Give an SSH server."""
    with SshServer(tmp_path / "sshd") as server:
        yield server


@pytest.fixture
def greeters() -> Iterator[list[Greeter]]:
    """Give two services."""
    with ExitStack() as stack:
        yield [stack.enter_context(closing(Greeter(name))) for name in ("first", "second")]


def opened(settings: dict[str, Any], folder: Path) -> Tunnel:
    return Tunnel(TunnelConfig.model_validate(settings), folder)


def said(tunnel: Tunnel, port: int) -> str:
    """Return what the service behind a tunnel says."""
    with tunnel.connect(port) as connection:
        return connection.recv(99).decode()


def test_several_tunnels_are_open_at_once(
    sshd: SshServer, greeters: list[Greeter], tmp_path: Path
) -> None:
    with ExitStack() as stack:
        made = [
            stack.enter_context(
                closing(opened(sshd.settings(f"source-{port}", port, greeter.port), tmp_path))
            )
            for port, greeter in zip((5432, 8000), greeters, strict=True)
        ]
        assert [said(made[0], 5432), said(made[1], 8000)] == ["first", "second"]
        assert [said(made[0], 5432), said(made[1], 8000)] == ["first", "second"]
        with pytest.raises(ConnectionRefusedError):
            made[0].connect(8000)


def test_tunnel_is_built_again_when_the_server_comes_back(
    sshd: SshServer, greeters: list[Greeter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnels, "_PATIENCE_SECONDS", 0.3)
    with closing(opened(sshd.settings("source", 8000, greeters[0].port), tmp_path)) as tunnel:
        assert eventually(lambda: said(tunnel, 8000)) == "first"
        sshd.stop()

        def is_closed() -> bool:
            try:
                tunnel.ready()
            except ConnectionError:
                return True
            return False

        assert eventually(is_closed)
        sshd.start()
        assert eventually(lambda: said(tunnel, 8000)) == "first"


@pytest.mark.parametrize("trouble", ["another host key", "a key that is not welcome"])
def test_tunnel_stays_closed_to_a_stranger_at_either_end(
    sshd: SshServer,
    greeters: list[Greeter],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trouble: str,
) -> None:
    monkeypatch.setattr(tunnels, "_PATIENCE_SECONDS", 2)
    settings = sshd.settings("source", 8000, greeters[0].port)
    if trouble == "another host key":
        kind, key, *_ = (sshd.folder / "stranger.pub").read_text().split()
        settings["ssh"]["fingerprint"] = f"{kind} {key}"
    else:
        settings["ssh"]["identity"]["key"] = str(sshd.folder / "stranger")
    with closing(opened(settings, tmp_path)) as tunnel:
        with pytest.raises(ConnectionError, match="closed"):
            tunnel.connect(8000)
        wanted = "Connection closed by authenticating user"
        assert (wanted in sshd.log) == (trouble != "another host key")
        assert "Accepted" not in sshd.log


def test_end_of_a_tunnel_leaves_neither_process_nor_key(
    sshd: SshServer, greeters: list[Greeter], tmp_path: Path
) -> None:
    tunnel = opened(sshd.settings("source", 8000, greeters[0].port), tmp_path)
    tunnel.ready()
    folder, process = tunnel._folder, tunnel._process
    # Not even when the node is killed.
    assert [file.name for file in folder.iterdir() if not file.is_socket()] == ["known"]
    tunnel.close()
    assert not folder.exists()
    assert process is not None
    assert process.poll() is not None


def test_key_that_cannot_be_read_is_named(sshd: SshServer, tmp_path: Path) -> None:
    settings = sshd.settings("source", 8000, 1)
    settings["ssh"]["identity"]["key"] = "missing.pem"
    with pytest.raises(ConfigurationError, match=r"ssh-tunnels\.source\.ssh\.identity\.key: .*mis"):
        opened(settings, tmp_path)


def test_algorithm_reaches_the_tunnel_of_its_database_and_no_other(
    docker_bench: MakeBench, sshd: SshServer, greeters: list[Greeter]
) -> None:
    bench = docker_bench(
        **{
            "ssh-tunnels": [
                sshd.settings("My-Source", 5432, greeters[0].port),
                sshd.settings("other-source", 8000, greeters[1].port),
            ],
            "databases": [
                {"label": "default", "uri": "postgresql://me:word@My-Source/x", "type": "sql"},
                {"label": "free", "uri": "patients.csv", "type": "csv"},
            ],
        }
    )
    program = TALK.replace(
        "EXPRESSION",
        "[os.environ['DATABASE_URI'], talk('My-Source', 5432), talk('other-source', 8000)]",
    )
    entry, exit_ = bench.run(program)
    assert exit_.code == 0, exit_.log
    found = json.loads(entry.read_output(1000))
    assert found == ["postgresql://me:word@My-Source/x", "first", "gaierror"]
    entry, exit_ = bench.run(program, make_claim(6, database="free"))
    assert json.loads(entry.read_output(1000))[1:] == ["gaierror", "gaierror"]


def test_rules_can_open_a_tunnel_to_an_image(
    docker_bench: MakeBench, sshd: SshServer, greeters: list[Greeter]
) -> None:
    bench = docker_bench(
        **{
            "ssh-tunnels": [
                sshd.settings("first-source", 5432, greeters[0].port),
                sshd.settings("second-source", 5432, greeters[1].port),
            ],
            "policies": {
                "allowed_algorithms": [".*"],
                "services": {"first-source": [".*/program.*"], "second-source": [".*/other"]},
            },
        }
    )
    program = TALK.replace("EXPRESSION", "[talk(n + '-source', 5432) for n in ('first', 'second')]")
    entry, exit_ = bench.run(program)
    assert exit_.code == 0, exit_.log
    assert json.loads(entry.read_output(1000)) == ["first", "gaierror"]


def test_result_is_refused_while_the_way_to_its_database_is_closed(
    docker_bench: MakeBench, sshd: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnels, "_PATIENCE_SECONDS", 0.3)
    sshd.stop()
    bench = docker_bench(
        **{
            "ssh-tunnels": [sshd.settings("source", 5432, 1)],
            "databases": [{"label": "default", "uri": "postgresql://source/x", "type": "sql"}],
        }
    )
    with pytest.raises(RefusalError) as caught:
        bench.run("")
    assert caught.value.reason.code == "service_unavailable"
    assert "source" not in caught.value.reason.message


def test_port_of_a_database_has_to_be_that_of_its_tunnel(
    docker_bench: MakeBench, sshd: SshServer
) -> None:
    with pytest.raises(ConfigurationError, match=r"databases\.default: .* is 8000 .*, and 5432"):
        docker_bench(
            **{
                "ssh-tunnels": [sshd.settings("source", 8000, 1)],
                "databases": [{"label": "default", "uri": "postgresql://source/x", "type": "sql"}],
            }
        )
