"""What an administrator is told about the ways out of a container."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from vantage6.node.cli import main

TUNNEL = {
    "hostname": "warehouse",
    "ssh": {
        "host": "bastion.example",
        "fingerprint": "ssh-ed25519 AAAA",
        "identity": {"username": "station", "key": "key"},
    },
    "tunnel": {"bind": {"port": 5432}, "dest": {"ip": "10.0.0.7", "port": 5433}},
}
SERVICES = {
    "whitelist": {"domains": ["terms.example"], "ips": ["10.1.0.0/16"], "ports": [443, 80]},
    "ssh-tunnels": [TUNNEL],
    "docker_services": {"triples": "blazegraph"},
    "vpn_subnet": "10.76.0.0/16",
}
DIGEST = f"sha256:{'1' * 64}"


def told(folder: Path, *options: str, **values: Any) -> list[str]:
    """Return the lines of the command that are about ways out."""
    settings = {
        "api_key": "key",
        "server_url": "http://127.0.0.1",
        "encryption": {"enabled": False},
        "task_dir": str(folder / "node"),
        "databases": {"default": "a.csv", "patients": "postgresql://Warehouse/x"},
        **values,
    }
    file = folder / "station.yaml"
    file.write_text(yaml.safe_dump({"application": settings}))
    file.chmod(0o600)
    words = ["policy", "test", "--config", str(file), "--image", "a/x"]
    words += ["--data-format", "json", *options]
    done = CliRunner().invoke(main, words)
    assert done.exception is None or done.exit_code == 1, done.output
    starts = ("reached", "closed", "open")
    return [line for line in done.output.splitlines() if line.startswith(starts)]


def test_station_without_services_opens_nothing(tmp_path: Path) -> None:
    assert told(tmp_path) == []


def test_each_service_is_told_with_its_target_and_the_reason(tmp_path: Path) -> None:
    assert told(tmp_path, **SERVICES) == [
        "closed   warehouse (10.0.0.7:5433 through bastion.example): Without `policies.services` "
        "it is for its databases only.",
        "closed   triples (container blazegraph): Without `policies.services` it is for its "
        "databases only.",
        "reached  whitelist (terms.example, 10.1.0.0/16; ports 443, 80): Without "
        "`policies.services` it is open to every image.",
        "reached  vpn (algorithms at 10.76.0.0/16): Without `policies.services` it is open to "
        "every image.",
    ]


def test_rules_for_services_are_explained(tmp_path: Path) -> None:
    rules = {"warehouse": ["a/.*"], "triples": ["b/.*"], "whitelist": [f"a/x@{DIGEST}"]}
    policies = {"allowed_algorithms": ".*", "services": rules}
    lines = told(tmp_path, **SERVICES, policies=policies)
    assert [line.split()[:2] for line in lines] == [
        ["reached", "warehouse"],
        ["closed", "triples"],
        ["open", "whitelist"],
        ["closed", "vpn"],
    ]
    assert lines[0].endswith("The image a/x is listed.")
    assert lines[1].endswith("The image a/x is not listed.")
    assert lines[2].endswith("Only if the image has a digest that is listed.")
    assert lines[3].endswith("`policies.services` does not name it.")
    found = told(tmp_path, "--digest", DIGEST, **SERVICES, policies=policies)
    assert found[2].startswith("reached  whitelist")


def test_service_of_the_database_is_reached_whatever_the_rules_say(tmp_path: Path) -> None:
    policies = {"allowed_algorithms": ".*", "services": {}}
    lines = told(tmp_path, "--database", "patients", **SERVICES, policies=policies)
    assert lines[0] == (
        "reached  warehouse (10.0.0.7:5433 through bastion.example): The database 'patients' is "
        "there."
    )
    assert [line.split()[0] for line in lines[1:]] == ["closed"] * 3


def test_database_of_no_service_is_reached_where_it_is(tmp_path: Path) -> None:
    uri = "postgresql://reader:secret@db.example/x"
    (line,) = told(tmp_path, databases={"default": uri})
    assert line == "reached  db.example (port 5432): The database 'default' is there."


@pytest.mark.parametrize("missing", ["ports", "targets"])
def test_whitelist_that_opens_nothing_is_told(tmp_path: Path, missing: str) -> None:
    whitelist = {"domains": ["terms.example"]} if missing == "ports" else {"ports": [443]}
    (line,) = told(tmp_path, whitelist=whitelist)
    assert line.startswith("reached  whitelist (nothing: it needs")
