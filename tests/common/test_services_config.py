"""Configurations of side services: those of 3.11 work, and wrong ones are named."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from vantage6.common.config import NodeConfig, load
from vantage6.common.errors import ConfigurationError

#: As the guide of 3.11 shows it, with `tunnel` inside of `ssh`.
OLD: dict[str, Any] = {
    "api_key": "k",
    "server_url": "http://a",
    "encryption": {"enabled": False},
    "whitelist": {"domains": [".google.com"], "ips": ["172.17.0.1"], "ports": [443]},
    "vpn_subnet": "10.76.0.0/16",
    "docker_services": {"container_label": "container_name"},
    "images": {"alpine": "x", "squid": "harbor2.vantage6.ai/infrastructure/squid"},
    "ssh-tunnels": [
        {
            "hostname": "my-data-source",
            "ssh": {
                "host": "host.docker.internal",
                "port": 22,
                "fingerprint": "ssh-rsa AAAAB3NzaC1yc2E=",
                "identity": {"username": "me", "key": "/path/to/key.pem"},
                "tunnel": {
                    "bind": {"ip": "0.0.0.0", "port": 8000},
                    "dest": {"ip": "127.0.0.1", "port": 8000},
                },
            },
        }
    ],
}


def loaded(folder: Path, **changes: Any) -> NodeConfig:
    file = folder / "node.yaml"
    file.write_text(yaml.safe_dump({"application": {**deepcopy(OLD), **changes}}))
    return load(file, NodeConfig)


def changed_tunnel(*path: str, value: Any) -> list[Any]:
    tunnels = deepcopy(OLD["ssh-tunnels"])
    target = tunnels[0]
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return tunnels


def test_services_of_an_old_file_are_understood(tmp_path: Path) -> None:
    config = loaded(tmp_path)
    assert config.without_effect == ("images.alpine",)
    assert config.services == ("my-data-source", "container_label", "whitelist", "vpn")
    assert config.ssh_tunnels[0].tunnel.bind.port == 8000
    assert config.images.squid.endswith("squid")


def test_all_services_are_off_by_default(tmp_path: Path) -> None:
    names = ("whitelist", "vpn_subnet", "docker_services", "ssh-tunnels")
    file = tmp_path / "node.yaml"
    file.write_text(
        yaml.safe_dump({"application": {name: OLD[name] for name in OLD if name not in names}})
    )
    assert load(file, NodeConfig).services == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"whitelist": {"domains": ["a.example\nhttp_access allow all"]}}, r"whitelist\.domains"),
        ({"whitelist": {"ips": ["10.0.0.0/33"]}}, r"whitelist\.ips"),
        ({"whitelist": {"ports": [0]}}, r"whitelist\.ports"),
        ({"whitelist": {"hosts": ["a"]}}, r"whitelist\.hosts"),
        ({"vpn_subnet": "10.76.0.0/99"}, "vpn_subnet"),
        ({"docker_services": {"squid": "x"}}, "the name 'squid' is taken"),
        ({"docker_services": {"My-Data-Source": "x"}}, "'my-data-source' is used twice"),
        ({"runtime": "process"}, "runtime: 'process' shuts nothing in"),
        ({"policies": {"services": {"other": []}}}, r"policies\.services names .*: other"),
        (
            {"ssh-tunnels": changed_tunnel("ssh", "host", value="-oProxyCommand=sh")},
            r"ssh-tunnels\.0\.ssh\.host",
        ),
        (
            {"ssh-tunnels": changed_tunnel("ssh", "identity", "username", value="-x")},
            r"ssh-tunnels\.0\.ssh\.identity\.username",
        ),
        (
            {"ssh-tunnels": changed_tunnel("ssh", "fingerprint", value="SHA256:abc")},
            r"ssh-tunnels\.0\.ssh\.fingerprint",
        ),
        (
            {"ssh-tunnels": changed_tunnel("ssh", "fingerprint", value="ssh-rsa AA\n* ssh-rsa BB")},
            r"ssh-tunnels\.0\.ssh\.fingerprint",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        loaded(tmp_path, **changes)
