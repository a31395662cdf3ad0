"""What ``vnode doctor`` finds, and what it says to do."""

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from tests.node.factories import COMMAND, IMAGE, write_database
from tests.node.wire import Wire
from tests.services import missing, podman
from tests.services.certificate import write_certificate
from tests.services.forwarders import CorporateProxy, TlsForwarder
from vantage6.common.clock import now
from vantage6.common.encryption import RSACryptor
from vantage6.node.cli import main
from vantage6.sandbox.ports import free_port

Examine = Callable[..., dict[str, tuple[str, str]]]


@pytest.fixture
def examine(wire: Wire, tmp_path: Path) -> Examine:
    """Give a function that examines a node with some settings: check to state and message."""
    write_database(tmp_path)
    wire.answers["GET /version"] = (200, {"version": "3.12.0"})

    def examine(**values: Any) -> dict[str, tuple[str, str]]:
        content = {
            "api_key": "key",
            "server_url": "http://127.0.0.1",
            "port": wire.port,
            "task_dir": str(tmp_path / "data"),
            "databases": {"default": "patients.csv"},
            "encryption": {"enabled": False},
            "policies": {"allowed_algorithms": "example/image"},
            "runtime": "process",
            "processes": {IMAGE: list(COMMAND)},
            **values,
        }
        file = tmp_path / "station.yaml"
        file.write_text(yaml.safe_dump({"application": content}))
        file.chmod(0o600)
        done = CliRunner().invoke(main, ["doctor", "-c", str(file), "--json"])
        findings = json.loads(done.output)
        failed = any(finding["state"] == "failure" for finding in findings)
        assert done.exit_code == failed
        return {one["check"]: (one["state"], one["message"]) for one in findings}

    return examine


def test_node_that_is_well_is_told_so(examine: Examine) -> None:
    found = examine()
    for check in ("configuration", "data folder", "dns", "server", "key", "queue", "encryption"):
        assert found[check][0] == "ok", found[check]
    assert found["clock"][0] == "ok"
    assert found["proxy"][0] == found["limits"][0] == found["disk limit"][0] == "skipped"
    # What is not configured is not looked at.
    assert not {"services", "whitelist", "vpn"} & set(found)
    assert "This is station, of org 1, in c." in found["key"][1]
    assert found["database default"][0] == found["policies"][0] == "ok"
    # Neither is fit for real data.
    assert found["engine"][0] == found["tls"][0] == "warning"


@pytest.mark.parametrize(
    ("values", "check", "state", "words"),
    [
        ({"no_such_key": 1}, "configuration", "failure", "no_such_key"),
        ({"task_dir": "/proc/none"}, "data folder", "failure", "task_dir"),
        (
            {"runtime": "docker", "docker_host": "unix:///none.sock"},
            "engine",
            "failure",
            "docker_host",
        ),
        ({"server_url": "http://no.such.name.invalid"}, "dns", "failure", "server_url"),
        ({"api_path": "/elsewhere"}, "server", "failure", "api_path"),
        ({"ca_bundle": "none.pem"}, "server", "failure", "ca_bundle"),
        ({"port": 1}, "server", "failure", "firewall"),
        ({"api_key": "wrong"}, "key", "failure", "set-api-key"),
        ({"encryption": {"enabled": True}}, "encryption", "failure", "encryption.enabled"),
        ({"databases": {"default": "none.csv"}}, "database default", "failure", "uri"),
        # A file that nobody can read, not even root.
        ({"databases": {"default": "/proc/self/mem"}}, "database default", "failure", "account"),
        ({"databases": {"default": "/proc"}}, "database default", "ok", "readable"),
        ({"databases": {"default": "odd:x"}}, "database default", "failure", "uri"),
        ({"databases": {}}, "databases", "warning", "databases"),
        ({"policies": None}, "policies", "warning", "Any image"),
        ({"policies": {"allowed_algorithms": ".*"}}, "policies", "warning", "any image"),
        ({"policies": {}}, "policies", "warning", "Nothing may run"),
        ({"policies": {"floors": "v6"}}, "floors", "ok", "Floors v6: at least 5 records"),
        ({"policies": {"floors": "open"}}, "floors", "warning", "a single record"),
        ({"policies": None}, "floors", "ok", "Floors default"),
    ],
)
def test_each_failure_says_what_to_do(
    examine: Examine, values: dict[str, Any], check: str, state: str, words: str
) -> None:
    found = examine(**values)
    assert found[check][0] == state, found
    assert words in found[check][1]


def test_server_that_nobody_runs_is_a_failure(examine: Examine) -> None:
    found = examine(port=free_port())
    assert found["server"][0] == "failure"
    assert {found[check][0] for check in ("clock", "key", "queue", "encryption")} == {"skipped"}


def test_database_service_is_tried(examine: Examine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as service:
        uri = f"postgresql://me:secret@127.0.0.1:{service.getsockname()[1]}/x"
        assert examine(databases={"db": uri})["database db"][0] == "ok"
    state, message = examine(databases={"db": uri})["database db"]
    assert state == "failure"
    assert "secret" not in message


def test_key_file_is_compared_with_the_server(wire: Wire, examine: Examine, tmp_path: Path) -> None:
    wire.encrypted = True
    key = tmp_path / "key.pem"
    RSACryptor.create_new_rsa_key(key)
    settings = {"encryption": {"enabled": True, "private_key": str(key)}}
    wire.public_keys[1] = RSACryptor(key).public_key_str
    assert examine(**settings)["encryption"][0] == "ok"
    key.chmod(0o644)
    assert "chmod 600" in examine(**settings)["encryption"][1]
    RSACryptor.create_new_rsa_key(key)
    state, message = examine(**settings)["encryption"]
    assert state == "failure"
    assert "create-private-key" in message


def test_both_clocks_are_compared(wire: Wire, examine: Examine) -> None:
    wire.date = format_datetime(now() - timedelta(seconds=90), usegmt=True)
    state, message = examine()["clock"]
    assert state == "warning"
    assert "NTP" in message
    # Without a zone, and twice: by the server and by something on the way.
    wire.date = format_datetime(now()).replace("+0000", "-0000")
    wire.date += f", {wire.date}"
    assert examine()["clock"][0] == "ok"
    wire.date = "midnight"
    assert examine()["clock"][0] == "skipped"


def test_file_and_folder_that_others_may_read_are_told(examine: Examine, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    assert "chmod 700" in examine()["data folder"][1]
    file = tmp_path / "station.yaml"
    file.chmod(0o644)
    done = CliRunner().invoke(main, ["doctor", "-c", str(file)])
    assert done.exit_code == 0
    assert f"warning  configuration: {file} holds secrets" in done.output
    assert f"chmod 600 {file}" in done.output


def test_nothing_is_left_behind(examine: Examine, tmp_path: Path) -> None:
    examine()
    assert not (tmp_path / "data").exists()


def test_little_room_is_told(examine: Examine, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True).returncode:
        missing("the right to mount a file system")
    try:
        state, message = examine(task_dir=str(small))["disk"]
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert state == "warning"
    assert "task_dir" in message


def test_database_behind_a_service_is_not_tried_directly(examine: Examine) -> None:
    settings = {
        "runtime": "docker",
        "docker_host": "unix:///none.sock",
        "docker_services": {"Warehouse": "none"},
        "databases": {"default": "postgresql://warehouse:5432/x"},
    }
    assert examine(**settings)["database default"] == (
        "ok",
        "It is reached through the service warehouse.",
    )


# Between the station and its server


@pytest.fixture
def behind_tls(wire: Wire, examine: Examine, tmp_path: Path) -> Iterator[Examine]:
    """Give a function that examines a node whose server shows a certificate."""

    def examine_(
        host: str = "localhost", ends: timedelta = timedelta(days=90), **values: Any
    ) -> dict[str, tuple[str, str]]:
        certificate, key = write_certificate(tmp_path, host, ends)
        with TlsForwarder(wire.port, certificate, key) as forwarder:
            usual = {
                "server_url": "https://localhost",
                "port": forwarder.port,
                "ca_bundle": str(certificate),
            }
            return examine(**usual | values)

    return examine_


def test_certificate_of_an_own_authority_is_good(behind_tls: Examine) -> None:
    found = behind_tls()
    assert found["tls"][0] == found["server"][0] == found["key"][0] == "ok", found
    assert "ends in 90 days" in found["tls"][1]


def test_certificate_that_ends_soon_is_told(behind_tls: Examine) -> None:
    found = behind_tls(ends=timedelta(days=20))
    assert found["tls"][0] == "warning"
    assert "operator" in found["tls"][1]
    assert found["key"][0] == "ok"


@pytest.mark.parametrize(
    ("certificate", "values", "words"),
    [
        ({}, {"ca_bundle": None}, "set ca_bundle"),
        ({"ends": timedelta(hours=-1)}, {}, "has expired"),
        ({"host": "other.example"}, {}, "is for another name"),
        ({}, {"ca_bundle": "station.yaml"}, "ca_bundle"),
        ({}, {"client_certificate": {"certificate": "a", "key": "b"}}, "client_certificate"),
    ],
    ids=["wrong authority", "expired", "wrong name", "no bundle", "no certificate of its own"],
)
def test_certificate_that_is_not_good_is_told_and_nothing_else_is_tried(
    behind_tls: Examine, certificate: dict[str, Any], values: dict[str, Any], words: str
) -> None:
    found = behind_tls(**certificate, **values)
    assert found["tls"][0] == "failure", found
    assert words in found["tls"][1]
    assert {found[check][0] for check in ("server", "clock", "key")} == {"skipped"}, found


@pytest.mark.slow
def test_port_that_speaks_no_tls_is_told(wire: Wire, examine: Examine) -> None:
    found = examine(server_url="https://127.0.0.1", port=wire.port)
    assert found["server"][0] == "failure"
    assert "server_url" in found["server"][1]


@pytest.fixture
def proxy(wire: Wire) -> Iterator[CorporateProxy]:
    """Give a proxy that asks for a password."""
    with CorporateProxy("station:sesame") as proxy:
        yield proxy


def test_way_through_a_proxy_is_tried(behind_tls: Examine, proxy: CorporateProxy) -> None:
    found = behind_tls(proxy=f"http://station:sesame@127.0.0.1:{proxy.port}")
    assert found["proxy"] == ("ok", f"http://station:***@127.0.0.1:{proxy.port} answers.")
    # The name is the proxy's to look up, and the certificate is seen through it.
    assert found["dns"][0] == "skipped"
    assert found["tls"][0] == found["key"][0] == "ok", found
    assert proxy.tunnels


def test_proxy_of_the_environment_counts(
    behind_tls: Examine, proxy: CorporateProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    found = behind_tls()
    assert found["proxy"][0] == "failure"
    assert "check HTTPS_PROXY" in found["proxy"][1]
    monkeypatch.setenv("NO_PROXY", "localhost")
    assert behind_tls()["server"][0] == "ok"


def test_proxy_that_refuses_is_told(behind_tls: Examine, proxy: CorporateProxy) -> None:
    found = behind_tls(proxy=f"http://station:wrong@127.0.0.1:{proxy.port}")
    assert found["proxy"][0] == "ok"
    assert found["server"][0] == "failure"
    assert "password" in found["server"][1]
    assert found["tls"][0] == found["key"][0] == "skipped"


@pytest.mark.parametrize("host", ["127.0.0.1:1", "no.such.name.invalid:3128"])
def test_proxy_that_is_absent_is_told(behind_tls: Examine, host: str) -> None:
    found = behind_tls(proxy=f"http://{host}")
    assert found["proxy"][0] == "failure"
    assert "check proxy" in found["proxy"][1]
    assert found["server"][0] == "skipped"


@pytest.mark.slow
def test_engine_of_podman_is_described(examine: Examine) -> None:
    with podman.engine() as address:
        found = examine(runtime="docker", docker_host=address)
    assert found["engine"][0] == "ok"
    assert found["engine"][1].startswith("Podman")
    assert found["limits"][0] in ("ok", "warning")


@pytest.mark.slow
def test_engine_is_described(examine: Examine, docker_host: str) -> None:
    found = examine(runtime="docker", docker_host=docker_host)
    assert found["engine"][0] == "ok"
    assert found["engine"][1].startswith("Docker")
    assert found["limits"][0] in ("ok", "warning")
