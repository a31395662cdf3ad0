"""What the compose files promise of every container, and which secrets are made."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deployment.deployment import COMPOSE, SERVICES, tool
from tests.services import missing
from tests.services.certificate import write_certificate

PROFILES = ("flower", "monitoring", "mail")
NODE = {"V6_NODE_FOLDER": "/station", "V6_NODE_USER": "1000:1000", "V6_ENGINE_GROUP": "999"}


def configuration(file: str, **variables: str) -> dict[str, Any]:
    """Return a compose file as the tool understands it, which refuses what it does not."""
    profiles = [word for name in PROFILES for word in ("--profile", name)]
    done = subprocess.run(
        [*tool(), "-f", file, *(profiles if file == "compose.yaml" else ()), "config"],
        cwd=COMPOSE,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    parsed: dict[str, Any] = yaml.safe_load(done.stdout)
    return parsed


@pytest.mark.slow
@pytest.mark.parametrize(("file", "variables"), [("compose.yaml", {}), ("node.yaml", NODE)])
def test_every_container_is_shut_in(file: str, variables: dict[str, str]):
    for name, service in configuration(file, **variables)["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert {"mem_limit", "pids_limit"} <= set(service), name
        assert not service.get("privileged"), name
        if name != "secrets":
            assert "cap_add" not in service, name
            assert not str(service.get("user", "10001")).startswith(("0", "root")), name
        if name not in ("secrets", "migrate"):
            assert service["restart"] == "unless-stopped", name
            assert "cpus" in service, name


@pytest.mark.slow
def test_only_nginx_is_reachable_from_outside_and_reaches_only_the_api():
    services = configuration("compose.yaml")["services"]
    for name, service in services.items():
        for port in service.get("ports", ()):
            shown = port if isinstance(port, str) else f"{port.get('host_ip', '')}:{port['target']}"
            assert name == "nginx" or shown.startswith("127.0.0.1:"), f"{name} shows {shown}"
    on_front = {name for name, service in services.items() if "front" in networks(service)}
    assert on_front == {"nginx", "api"}
    assert networks(services["nginx"]) == {"front"}
    for keeper in ("redis", "postgres"):
        assert networks(services[keeper]) == {"back"}
        assert "ports" not in services[keeper]
    assert configuration("compose.yaml")["networks"]["back"]["internal"] is True


def networks(service: dict[str, Any]) -> set[str]:
    return set(service.get("networks") or ())


@pytest.mark.slow
def test_every_service_says_whether_it_is_well():
    services = configuration("compose.yaml")["services"]
    assert all(services[name]["healthcheck"]["test"] for name in SERVICES)
    assert services["api"]["scale"] == services["worker"]["scale"] == 2


def make(out: Path, given: Path) -> None:
    for name in ("server", "redis", "postgres", "prometheus", "tls"):
        (out / name).mkdir(parents=True, exist_ok=True)
    command = [sys.executable, *map(str, (COMPOSE / "make_secrets.py", out, given))]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def contents(folder: Path) -> dict[Path, str]:
    return {file: file.read_text() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.slow
def test_secrets_are_made_once_and_for_one_reader_each(tmp_path: Path):
    if os.geteuid() != 0:
        missing("root, who gives files away")
    make(tmp_path / "out", tmp_path)
    made = contents(tmp_path / "out")
    assert len(made) == 12
    for file in made:
        assert stat.S_IMODE(file.stat().st_mode) == 0o400
        assert file.stat().st_uid not in (0, os.geteuid())
    password = made[tmp_path / "out/postgres/password"]
    assert password in made[tmp_path / "out/server/database"]
    # Redis keeps a hash.
    broker = made[tmp_path / "out/server/broker"].split(":")[2].partition("@")[0]
    assert broker not in made[tmp_path / "out/redis/users.acl"]
    make(tmp_path / "out", tmp_path)
    assert contents(tmp_path / "out") == made


@pytest.mark.slow
def test_a_given_certificate_replaces_the_one_that_was_made(tmp_path: Path):
    if os.geteuid() != 0:
        missing("root, who gives files away")
    make(tmp_path / "out", tmp_path)
    given = write_certificate(tmp_path)
    make(tmp_path / "out", tmp_path)
    for file in given:
        assert (tmp_path / "out" / "tls" / file.name).read_text() == file.read_text()
