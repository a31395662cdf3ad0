"""What ``vnode doctor`` finds, and what it says to do."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from tests.node.factories import COMMAND, IMAGE, write_database
from tests.node.wire import Wire
from tests.services import free_port
from vantage6.common.encryption import RSACryptor
from vantage6.node.cli import main

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
        ({"api_key": "wrong"}, "key", "failure", "set-api-key"),
        ({"encryption": {"enabled": True}}, "encryption", "failure", "encryption.enabled"),
        ({"databases": {"default": "none.csv"}}, "database default", "failure", "uri"),
        ({"databases": {}}, "databases", "warning", "databases"),
        ({"policies": None}, "policies", "warning", "Any image"),
        ({"policies": {"allowed_algorithms": ".*"}}, "policies", "warning", "any image"),
        ({"policies": {}}, "policies", "warning", "Nothing may run"),
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
    assert "key" not in found


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


@pytest.mark.slow
def test_engine_is_described(examine: Examine, docker_host: str) -> None:
    state, message = examine(runtime="docker", docker_host=docker_host)["engine"]
    assert state in ("ok", "warning"), message
