"""What ``vnode doctor`` says about the services of a node, each tried against the real thing."""

import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.node.test_doctor import Examine, examine
from tests.node.test_tunnels import Greeter
from tests.services.sshd import SshServer
from vantage6.common.config.services import SERVICES_IMAGE

__all__ = ["examine"]

pytestmark = pytest.mark.slow


@pytest.fixture
def opened(examine: Examine, docker_host: str) -> Examine:
    """Give a function that examines a node with services on a real engine."""

    def examine_(**values: Any) -> dict[str, tuple[str, str]]:
        settings = {"runtime": "docker", "docker_host": docker_host, "pull_policy": "never"}
        return examine(**settings | values)

    return examine_


WHITELIST = {"domains": ["example.org"], "ports": [443]}


def test_image_of_the_whitelist_is_looked_for(opened: Examine, services_image: str) -> None:
    found = opened(whitelist=WHITELIST)
    assert found["services"][0] == found["whitelist"][0] == "ok", found
    found = opened(whitelist=WHITELIST, images={"squid": "none/none:latest"})
    assert found["whitelist"][0] == "failure"
    assert "images.squid" in found["whitelist"][1]
    found = opened(whitelist=WHITELIST, images={"squid": "none/none:latest"}, pull_policy="missing")
    assert found["whitelist"][0] == "warning"
    found = opened(whitelist={"domains": ["example.org"]})
    assert found["whitelist"][0] == "warning"
    assert "`ports`" in found["whitelist"][1]


def test_services_need_an_engine(opened: Examine) -> None:
    found = opened(
        docker_host="unix:///none.sock",
        whitelist=WHITELIST,
        docker_services={"triples": "none"},
    )
    assert found["engine"][0] == "failure"
    assert {found[check][0] for check in ("services", "whitelist", "linked triples")} == {"skipped"}


@pytest.fixture
def container(engine: docker.APIClient, program_image: str) -> Iterator[str]:
    """Give the name of a container that declares a port and does not run yet."""
    name = f"test-linked-{uuid.uuid4().hex[:8]}"
    engine.create_container(program_image, command=["sleep", "60"], name=name, ports=[8000])
    yield name
    engine.remove_container(name, force=True)


def test_linked_container_has_to_run(
    opened: Examine, engine: docker.APIClient, container: str
) -> None:
    state, message = opened(docker_services={"triples": "no-such"})["linked triples"]
    assert state == "failure"
    assert "correct the name" in message
    settings = {"docker_services": {"triples": container}}
    assert "does not run" in opened(**settings)["linked triples"][1]
    engine.start(container)
    assert opened(**settings)["linked triples"] == (
        "ok",
        f"{container} runs and declares 8000/tcp.",
    )


def test_vpn_needs_a_device_programs_and_an_image(
    opened: Examine, services_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, message = opened(vpn_subnet="10.76.0.0/16")["vpn"]
    if Path("/dev/net/tun").exists():
        assert (state, message) == ("ok", f"The image {SERVICES_IMAGE} is here.")
    else:
        assert state == "failure"
        assert "modprobe tun" in message


# Tunnels

Tunnelled = Callable[..., tuple[str, str]]


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[SshServer]:
    """Give a running SSH server."""
    server = SshServer(tmp_path / "sshd")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def tunnelled(opened: Examine, sshd: SshServer) -> Iterator[Tunnelled]:
    """Give a function that examines a node with a tunnel to a service that is there."""
    greeter = Greeter("data warehouse")

    def examine_(service: int = 0, **ssh: Any) -> tuple[str, str]:
        tunnel = sshd.settings("warehouse", 5432, service or greeter.port, **ssh)
        return opened(**{"ssh-tunnels": [tunnel]})["tunnel warehouse"]

    yield examine_
    greeter.close()


def test_tunnel_is_tried_to_its_end(tunnelled: Tunnelled) -> None:
    state, message = tunnelled()
    assert state == "ok", message
    assert "leads to 127.0.0.1:" in message


def test_server_with_another_key_is_not_the_one(tunnelled: Tunnelled, sshd: SshServer) -> None:
    kind, key, *_ = (sshd.folder / "stranger.pub").read_text().split()
    state, message = tunnelled(fingerprint=f"{kind} {key}")
    assert state == "failure"
    assert "ssh.fingerprint" in message
    assert f"ssh-keyscan -p {sshd.port} 127.0.0.1" in message


def test_key_that_the_server_does_not_know_is_told(tunnelled: Tunnelled, sshd: SshServer) -> None:
    identity = {"username": "root", "key": str(sshd.folder / "stranger")}
    state, message = tunnelled(identity=identity)
    assert state == "failure"
    assert "authorized_keys" in message


def test_key_file_is_looked_at(tunnelled: Tunnelled, sshd: SshServer) -> None:
    identity = {"username": "root", "key": str(sshd.folder / "none")}
    assert "does not exist" in tunnelled(identity=identity)[1]
    identity["key"] = str(sshd.folder / "user.pub")
    assert "is not a private key" in tunnelled(identity=identity)[1]
    locked = sshd.folder / "locked"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "pass phrase", "-f", str(locked)]
    subprocess.run(command, check=True, timeout=30)
    identity["key"] = str(locked)
    assert "without pass phrase" in tunnelled(identity=identity)[1]
    (sshd.folder / "user").chmod(0o644)
    state, message = tunnelled()
    assert state == "warning"
    assert "chmod 600" in message


def test_tunnel_to_nowhere_is_told(tunnelled: Tunnelled, sshd: SshServer) -> None:
    state, message = tunnelled(service=1)
    assert state == "failure"
    assert "tunnel.dest" in message
    sshd.stop()
    state, message = tunnelled()
    assert state == "failure"
    assert "ssh.host and ssh.port" in message


def test_ssh_has_to_be_installed(
    tunnelled: Tunnelled, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    state, message = tunnelled()
    assert state == "failure"
    assert "install the OpenSSH client" in message
