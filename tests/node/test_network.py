"""The way to the server: through a proxy of the house, with certificates of the house."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.node.factories import make_config
from tests.node.test_vnode import DONE, Start, Write, start, write
from tests.node.wire import Wire
from tests.services.certificate import write_certificate
from tests.services.forwarders import CorporateProxy, TlsForwarder
from tests.waiting import eventually
from vantage6.client.node_client import NodeClient
from vantage6.common.errors import ConfigurationError, Unavailable
from vantage6.node.proxy.upstream import Upstream, network
from vantage6.sandbox.ports import free_port

__all__ = ["start", "write"]

pytestmark = pytest.mark.slow

LOGIN = "station:sesame"


class House:
    """A server behind TLS with a private authority, a proxy, and a visitor's certificate."""

    def __init__(self, wire: Wire, folder: Path) -> None:
        self.folder = folder
        for name in ("server", "visitor"):
            (folder / name).mkdir()
        self.server, self.server_key = write_certificate(folder / "server")
        self.visitor, self.visitor_key = write_certificate(folder / "visitor")
        self.forwarder = TlsForwarder(wire.port, self.server, self.server_key, self.visitor)
        self.proxy = CorporateProxy(LOGIN)

    def settings(self, **changed: Any) -> dict[str, Any]:
        """Return what the configuration of a node says, as it should be or not."""
        return {
            "server_url": "https://127.0.0.1",
            "port": self.forwarder.port,
            "proxy": f"http://{LOGIN}@127.0.0.1:{self.proxy.port}",
            "ca_bundle": str(self.server),
            "client_certificate": {
                "certificate": str(self.visitor),
                "key": str(self.visitor_key),
            },
        } | changed

    def client(self, **changed: Any) -> NodeClient:
        config = make_config(**self.settings(**changed))
        return NodeClient(config.server_address, "/api", network(config, self.folder))


@pytest.fixture
def house(wire: Wire, tmp_path: Path) -> Iterator[House]:
    """Give everything that stands between a station and its server."""
    made = House(wire, tmp_path)
    with made.forwarder, made.proxy:
        yield made


def test_node_works_through_proxy_private_authority_and_certificate(
    wire: Wire, house: House, write: Write, start: Start
) -> None:
    wire.add(5, DONE)
    process = start(write(**house.settings()))
    eventually(lambda: wire.ids("completed") == [5])
    eventually(lambda: any(asked.path == "/node/7/inbox" for asked in wire.asked))
    assert set(house.proxy.tunnels) == {f"127.0.0.1:{house.forwarder.port}"}
    process.send_signal(signal.SIGTERM)
    process.wait(20)


def test_requests_of_algorithms_go_the_same_way(wire: Wire, house: House) -> None:
    config = make_config(**house.settings())
    way = network(config, house.folder)
    with closing(Upstream(f"{config.server_address}/api", way)) as upstream:
        assert upstream.request("GET", "/organization/2", "token").ok
    assert len(house.proxy.tunnels) == 1


def test_relative_files_count_from_the_folder_of_the_configuration(house: House) -> None:
    with closing(house.client(ca_bundle="server/certificate.pem")) as client:
        client.authenticate("key")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"ca_bundle": None}, "not trusted: set ca_bundle"),
        ({"client_certificate": None}, "set client_certificate"),
        ({"proxy": "http://station:wrong@127.0.0.1:{port}"}, "407"),
        ({"proxy": f"http://127.0.0.1:{free_port()}"}, "check proxy, server_url"),
    ],
    ids=["no authority", "no certificate", "wrong password", "no proxy"],
)
def test_what_stands_in_the_way_is_named(house: House, changed: dict[str, Any], words: str) -> None:
    changed = {
        key: value.replace("{port}", str(house.proxy.port)) if value else None
        for key, value in changed.items()
    }

    def fail() -> str:
        with pytest.raises(Unavailable) as caught:
            client.authenticate("key")
        return str(caught.value)

    with closing(house.client(**changed)) as client:
        # The server may hang up before its reason for that has arrived.
        eventually(lambda: words in fail())


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"ca_bundle": "nowhere.pem"}, "ca_bundle: "),
        ({"ca_bundle": "visitor/key.pem"}, "ca_bundle: "),
        ({"client_certificate": {"certificate": "x", "key": "x"}}, "client_certificate."),
        (
            {
                "client_certificate": {
                    "certificate": "visitor/certificate.pem",
                    "key": "server/key.pem",
                }
            },
            "client_certificate: ",
        ),
    ],
    ids=["no file", "no certificates", "no certificate", "another key"],
)
def test_file_that_cannot_be_used_is_named_by_its_setting(
    house: House, changed: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        house.client(**changed)
    assert str(caught.value).startswith(words)


def test_wrong_files_end_the_node_at_its_start(
    house: House, write: Callable[..., Path], start: Start
) -> None:
    process: subprocess.Popen[str] = start(write(**house.settings(ca_bundle="nowhere.pem")))
    _, said = process.communicate(timeout=30)
    assert process.returncode == 10
    assert "ca_bundle" in said
    assert "Traceback" not in said


def test_proxy_of_the_environment_is_used(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = house.settings(proxy=None)
    monkeypatch.setenv("HTTPS_PROXY", house.settings()["proxy"])
    monkeypatch.setenv("NO_PROXY", "")
    with closing(house.client(**settings)) as client:
        client.authenticate("key")
    assert house.proxy.tunnels
