"""Every sensible way to write an address works, or gets one sentence."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from vantage6.common import addresses
from vantage6.common.config import NodeConfig, ServerConfig, load
from vantage6.common.errors import ConfigurationError

HERE = "https://v6.example.org"


@pytest.mark.parametrize(
    ("url", "port", "path", "base"),
    [
        (HERE, None, "/api", f"{HERE}/api"),
        (f"{HERE}/", "", "api", f"{HERE}/api"),
        (f" {HERE}// ", 443, "/api/", f"{HERE}:443/api"),
        (HERE, "8443", "", f"{HERE}:8443"),
        (f"{HERE}:8443", None, "//api//", f"{HERE}:8443/api"),
        (f"{HERE}:8443", 8443, "/", f"{HERE}:8443"),
        (f"{HERE}/api", None, "/api", f"{HERE}/api"),
        (f"{HERE}/api/", 443, "api", f"{HERE}:443/api"),
        (f"{HERE}/v6", None, "/api", f"{HERE}/v6/api"),
        (f"{HERE}:8443/v6/api", None, "/api", f"{HERE}:8443/v6/api"),
        (f"{HERE}/api", None, None, f"{HERE}/api"),
        ("HTTPS://V6.Example.org", None, "", "https://V6.Example.org"),
        ("http://[::1]", 5000, "/api", "http://[::1]:5000/api"),
        ("http://[::1]:5000", None, "/api", "http://[::1]:5000/api"),
        ("http://::1", 5000, "/api", "http://[::1]:5000/api"),
        ("http://2001:db8::7/api", None, "/api", "http://[2001:db8::7]/api"),
    ],
)
def test_address_of_a_server_is_understood(url: str, port: Any, path: Any, base: str) -> None:
    assert addresses.server_address(url, port, path).base == base


@pytest.mark.parametrize(
    ("url", "port", "words"),
    [
        ("v6.example.org", None, "must start with https:// or http://"),
        ("v6.example.org:443", None, "must start with https:// or http://"),
        ("https:/v6.example.org", None, "must start with"),
        ("ftp://v6.example.org", None, "must start with"),
        ("https://", None, "names no host"),
        ("https://:5000", None, "names no host"),
        ("https://v6 example", None, "names no host"),
        (f"{HERE}:8443", 443, "port 8443, and the port is given as 443"),
        (f"{HERE}:abc", None, "no valid port"),
        (f"{HERE}:99999", None, "no valid port"),
        (HERE, "abc", "'abc' is not a number from 1 to 65535"),
        (HERE, 70000, "70000 is not a number from 1 to 65535"),
        (HERE, True, "True is not a number"),
        (HERE, "443 444", "is not a number"),
        ("http://[::1", None, "brackets"),
        ("https://me:secret@v6.example.org", None, "no user and no password"),
        ("me:secret@v6.example.org", None, "must start with"),
        (f"{HERE}/api?x=1", None, "leave out"),
    ],
)
def test_what_is_no_address_gets_one_sentence(url: str, port: Any, words: str) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z][^\n]*\.$") as refused:
        addresses.server_address(url, port, "/api")
    assert words in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("registry.example", "registry.example"),
        ("https://registry.example", "registry.example"),
        ("registry.example/", "registry.example"),
        ("http://registry.example:5000/v2/", "registry.example:5000"),
        ("registry.example/project", "registry.example"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("localhost:5000", "localhost:5000"),
    ],
)
def test_registry_is_its_host(text: str, host: str) -> None:
    assert addresses.registry(text) == host


def _node(folder: Path, **values: Any) -> NodeConfig:
    file = folder / "node.yaml"
    content = {"api_key": "k", "server_url": HERE, "encryption": {"enabled": False}, **values}
    file.write_text(yaml.safe_dump({"application": content}))
    return load(file, NodeConfig)


def test_node_understands_the_same_addresses(tmp_path: Path) -> None:
    for values, base in (
        ({}, f"{HERE}/api"),
        ({"server_url": f"{HERE}:8443/v6/"}, f"{HERE}:8443/v6/api"),
        ({"server_url": "http://::1", "port": 5000, "api_path": ""}, "http://[::1]:5000"),
        ({"port": "443", "api_path": "api/"}, f"{HERE}:443/api"),
        ({"api_path": None, "port": None}, f"{HERE}/api"),
    ):
        config = _node(tmp_path, **values)
        assert config.server_address + config.api_path == base
    with pytest.raises(ConfigurationError, match="names port 8443, and the port is given as 443"):
        _node(tmp_path, server_url=f"{HERE}:8443", port=443)
    with pytest.raises(ConfigurationError, match="server_url: The server address 'v6' must start"):
        _node(tmp_path, server_url="v6")


def test_login_at_a_registry_counts_however_the_registry_is_written(tmp_path: Path) -> None:
    login = {"registry": "https://registry.example/v2/", "username": "u", "password": "p"}
    config = _node(
        tmp_path, docker_registries=[login], policies={"registries": ["https://hub.example/"]}
    )
    assert config.docker_registries[0].registry == "registry.example"
    assert config.policies is not None
    assert config.policies.registries == ("hub.example",)
    with pytest.raises(ConfigurationError, match=r"docker_registries\.0\.registry: .*the host of"):
        _node(tmp_path, docker_registries=[{**login, "registry": "https://"}])


@pytest.mark.parametrize(
    ("given", "ip"), [("::1", "::1"), ("[::]", "::"), (" 0.0.0.0", "0.0.0.0"), ("host", "host")]
)
def test_server_listens_on_any_sensible_address(tmp_path: Path, given: str, ip: str) -> None:
    file = tmp_path / "server.yaml"
    settings = {"ip": given, "api_path": "v6/api/"}
    file.write_text(yaml.safe_dump({"application": settings}))
    config = load(file, ServerConfig)
    assert (config.ip, config.api_path) == (ip, "/v6/api")


@pytest.mark.parametrize("given", ["http://127.0.0.1", "127.0.0.1:5000", "::1/64", ""])
def test_server_is_told_how_to_write_where_it_listens(tmp_path: Path, given: str) -> None:
    file = tmp_path / "server.yaml"
    file.write_text(yaml.safe_dump({"application": {"ip": given}}))
    with pytest.raises(ConfigurationError, match="such as 127"):
        load(file, ServerConfig)


def test_host_and_port_of_version_6_stand_in_brackets() -> None:
    assert addresses.with_port(addresses.near("::"), 5000) == "[::1]:5000"
    assert addresses.with_port(addresses.near("0.0.0.0"), 5000) == "127.0.0.1:5000"


@pytest.mark.parametrize(
    ("reference", "host", "one_form"),
    [
        ("a", "docker.io", "a"),
        ("docker.io/library/redis:7", "docker.io", "redis:7"),
        ("index.docker.io/redis", "docker.io", "redis"),
        ("REG.example:443/a", "REG.example:443", "reg.example/a"),
        ("localhost/a", "localhost", "localhost/a"),
        ("Intranet/a", "Intranet", "intranet/a"),
        ("intranet/a", "docker.io", "intranet/a"),
        ("[::1]:80/a", "[::1]:80", "[::1]:80/a"),
    ],
)
def test_the_registry_of_an_image_is_judged_in_one_way(
    reference: str, host: str, one_form: str
) -> None:
    assert addresses.split_image(reference)[0] == host
    assert addresses.repository(reference) == one_form
