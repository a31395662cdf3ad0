"""Algorithms of two nodes that meet in a real VPN."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.node.conftest import benches
from tests.node.factories import COMMAND, Bench, make_claim
from tests.node.wire import Wire
from tests.services.openvpn import OpenVpnServer
from tests.waiting import eventually
from vantage6.client.node_client import NodeClient
from vantage6.models.store.ports import MOST_PER_RESULT
from vantage6.node.runtime.docker import DockerRuntime
from vantage6.node.runtime.namespaces import within
from vantage6.node.services.peers import Peers
from vantage6.node.services.vpn import device

pytestmark = pytest.mark.slow

SUBNET = "10.76.0.0/16"
SERVE = """
import os, socket, time
time.sleep(0.5)  # others know where we are going to listen
listener = socket.create_server(('127.0.0.1', 8888))
caller, _ = listener.accept()
caller.sendall(b'model ' + caller.recv(99))
caller.close()
open(os.environ['OUTPUT_FILE'], 'w').write('met')
"""
VISIT = """
import json, os, socket, time
def visit(host, port):
    for _ in range(20):
        try:
            with socket.create_connection((host, port), timeout=10) as there:
                there.sendall(b'for you')
                return there.recv(99).decode()
        except OSError as error:
            said = type(error).__name__
            time.sleep(0.1)
    return said
json.dump([visit(*place) for place in %r], open(os.environ['OUTPUT_FILE'], 'w'))
"""


NOBODY = Peers(list)


def only(address: str, port: int) -> Peers:
    """Return what the server would say to an algorithm that belongs to one other."""
    return Peers(lambda: [{"ip": address, "port": port}])


@pytest.fixture(scope="module")
def vpn(
    engine: docker.APIClient, services_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenVpnServer]:
    """Give a VPN."""
    if not Path("/dev/net/tun").exists():
        pytest.skip("/dev/net/tun is missing: no VPN can be made here")
    with OpenVpnServer(engine, services_image, tmp_path_factory.mktemp("vpn") / "x") as server:
        yield server


class Station:
    """A node with its server."""

    def __init__(self, stack: ExitStack, folder: Path, configuration: str, **more: Any) -> None:
        self.wire = stack.enter_context(Wire())
        for route in ("GET /vpn", "POST /vpn/update"):
            self.wire.answers[route] = (200, {"ovpn_config": configuration})
        for route in ("PATCH /node/7", "DELETE /port", "POST /port"):
            self.wire.answers[route] = (200, {})
        address = f"http://127.0.0.1:{self.wire.port}"
        server = stack.enter_context(closing(NodeClient(address)))
        server.authenticate("key")
        folder.mkdir(exist_ok=True)
        make = stack.enter_context(benches(folder))
        self.bench: Bench = make(server=server, **{"vpn_subnet": SUBNET, **more})

    def told(self, method: str, path: str) -> list[Any]:
        """Return what the server was told, in order."""
        return [
            asked.body or asked.params
            for asked in self.wire.asked
            if (asked.method, asked.path) == (method, path)
        ]

    def address(self) -> str:
        """Return the address of the node in the VPN."""
        found: str = eventually(lambda: [t for t in self.told("PATCH", "/node/7")], 60)[-1]["ip"]
        return found


def has_address(engine: docker.APIClient, container: str, address: str) -> bool:
    details = engine.inspect_container(container)
    try:
        found = within(details["Id"], details["State"]["Pid"], device)
    except OSError:
        return False  # not connected yet
    return str(found.address) == address


@pytest.fixture
def stations(program_image: str, vpn: OpenVpnServer, tmp_path: Path) -> Iterator[list[Station]]:
    """Give two nodes in the VPN."""
    with ExitStack() as stack:
        yield [Station(stack, tmp_path / name, vpn.client()) for name in ("alpha", "beta")]


def test_algorithms_of_two_nodes_meet(stations: list[Station]) -> None:
    alpha, beta = stations
    address = alpha.address()
    assert address.startswith("10.76.")
    _, handle = alpha.bench.begin(SERVE)
    with alpha.bench.services.in_vpn(5, handle.id, NOBODY):
        (told,) = alpha.told("POST", "/port")
        assert told["result_id"] == 5
        assert told["label"] is None
        assert 49152 <= told["port"] <= 65534
        beta.address()
        program = VISIT % [[address, told["port"]]]
        peers = only(address, told["port"])
        visit, visitor = beta.bench.begin(program)
        with beta.bench.services.in_vpn(5, visitor.id, peers):
            exit_ = beta.bench.runtime.wait(visitor)
        assert exit_.code == 0, exit_.log
        assert json.loads(visit.read_output(1000)) == ["model for you"]
        assert alpha.bench.runtime.wait(handle).code == 0
    assert alpha.told("DELETE", "/port")[-1] == {"result_id": "5"}


@pytest.mark.parametrize("place", [0, 1], ids=["the same node", "another node"])
def test_ports_of_another_run_are_out_of_reach(stations: list[Station], place: int) -> None:
    alpha, visitors = stations[0], stations[place]
    address = alpha.address()
    visitors.address()
    _, handle = alpha.bench.begin(SERVE)
    with alpha.bench.services.in_vpn(5, handle.id, NOBODY):
        (told,) = alpha.told("POST", "/port")
        program = VISIT % [[address, told["port"]]]
        answers = []
        for result_id, peers in ((6, only(address, 1)), (7, only(address, told["port"]))):
            claim = make_claim(result_id, run_id=result_id)
            visit, visitor = visitors.bench.begin(program, claim)
            with visitors.bench.services.in_vpn(result_id, visitor.id, peers):
                exit_ = visitors.bench.runtime.wait(visitor)
            assert exit_.code == 0, exit_.log
            answers += json.loads(visit.read_output(1000))
    assert answers == ["ConnectionResetError", "model for you"]


def test_keys_that_ran_out_are_renewed(
    program_image: str, vpn: OpenVpnServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vantage6.node.services.vpn._CONNECT_SECONDS", 6)
    folder = tmp_path / "alpha" / "services"
    folder.mkdir(parents=True)
    old = vpn.client(hours=-1).replace("\r\n", "\n")
    (folder / "vpn.ovpn").write_text(old)
    with ExitStack() as stack:
        station = Station(stack, tmp_path / "alpha", vpn.client())
        assert station.address()
        assert station.told("POST", "/vpn/update") == [{"vpn_config": old}]
        assert not station.told("GET", "/vpn")
        kept = folder / "vpn.ovpn"
        assert "\r" not in kept.read_text() != old
        assert oct(kept.stat().st_mode)[-3:] == "600"
    assert station.told("PATCH", "/node/7")[-1] == {"clear_ip": True}


def test_ports_are_open_again_after_the_connection_was_lost(
    stations: list[Station], engine: docker.APIClient
) -> None:
    alpha, beta = stations
    address = alpha.address()
    _, handle = alpha.bench.begin(SERVE)
    with alpha.bench.services.in_vpn(5, handle.id, NOBODY):
        (before,) = alpha.told("POST", "/port")
        client = next(
            found["Id"]
            for found in engine.containers(filters={"name": "-vpn-client"})
            if has_address(engine, found["Id"], address)
        )
        engine.kill(client)
        after = eventually(lambda: alpha.told("POST", "/port")[1:], 60)[-1]
        assert after == before
        beta.address()
        visit, visitor = beta.bench.begin(VISIT % [[alpha.address(), after["port"]]])
        peers = only(alpha.address(), after["port"])
        with beta.bench.services.in_vpn(5, visitor.id, peers):
            exit_ = beta.bench.runtime.wait(visitor)
        assert exit_.code == 0, exit_.log
        assert json.loads(visit.read_output(1000)) == ["model for you"]


def test_openvpn_has_no_rights_but_one_and_reaches_its_servers_only(
    stations: list[Station], engine: docker.APIClient, vpn: OpenVpnServer
) -> None:
    address = stations[0].address()
    details = next(
        details
        for found in engine.containers(filters={"name": "-vpn-client"})
        if has_address(engine, (details := engine.inspect_container(found["Id"]))["Id"], address)
    )
    pid = details["State"]["Pid"]
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    assert status["Name"].strip() == "openvpn"
    assert set(status["Uid"].split()) == set(status["Gid"].split()) == {"65532"}
    net_admin = 1 << 12
    for name in ("CapEff", "CapPrm", "CapBnd"):
        assert int(status[name], 16) == net_admin

    def reach(host: str, port: int) -> None:
        with socket.create_connection((host, port), timeout=2):
            pass

    gateway = details["NetworkSettings"]["Gateway"]
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = listener.getsockname()[1]
        for target in ((gateway, port), (vpn.address, 22), ("192.0.2.1", 443)):
            # Nothing comes back; an open port or a machine that is there would answer.
            with pytest.raises(TimeoutError):
                within(details["Id"], pid, partial(reach, *target))
        # An ordinary container does get through.
        id_ = engine.create_container(details["Image"], command=["sleep", "60"])["Id"]
        try:
            engine.start(id_)
            other = engine.inspect_container(id_)
            within(id_, other["State"]["Pid"], partial(reach, gateway, port))
        finally:
            engine.remove_container(id_, force=True)


def test_profile_that_would_load_a_library_is_refused(
    program_image: str, vpn: OpenVpnServer, engine: docker.APIClient, tmp_path: Path
) -> None:
    hostile = vpn.client().replace("nobind", "nobind\r\nplugin /tmp/x.so")
    with ExitStack() as stack:
        station = Station(stack, tmp_path / "alpha", hostile)
        eventually(lambda: len(station.told("GET", "/vpn")) > 1)
        runtime = station.bench.runtime
        assert isinstance(runtime, DockerRuntime)
        name = {"name": f"vantage6-{runtime._name}-vpn-client"}
        assert not engine.containers(all=True, filters=name)
        assert not list((tmp_path / "alpha").rglob("*.ovpn"))
        assert not station.told("PATCH", "/node/7")


def test_image_has_no_libraries_that_openvpn_would_load(
    engine: docker.APIClient, services_image: str
) -> None:
    find = ["find", "/", "-xdev", "-name", "openvpn-plugin*.so"]
    id_ = engine.create_container(services_image, command=find)["Id"]
    try:
        engine.start(id_)
        engine.wait(id_, timeout=60)
        assert engine.logs(id_) == b""
    finally:
        engine.remove_container(id_, force=True)


def test_address_outside_of_the_subnet_switches_the_vpn_off(
    program_image: str, vpn: OpenVpnServer, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        station = Station(stack, tmp_path / "alpha", vpn.client(), vpn_subnet="10.77.0.0/16")
        assert eventually(lambda: station.told("PATCH", "/node/7"), 60) == [{"clear_ip": True}]


def test_without_a_vpn_at_the_server_the_node_works(
    program_image: str, services_image: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        station = Station(stack, tmp_path / "alpha", "")
        station.wire.answers["GET /vpn"] = (501, {"msg": "no VPN", "code": "not_configured"})
        eventually(lambda: station.told("GET", "/vpn"))
        _, handle = station.bench.begin("print('works')")
        with station.bench.services.in_vpn(5, handle.id, NOBODY):
            assert station.bench.runtime.wait(handle).code == 0
        assert not station.told("POST", "/port")


def test_image_that_declares_every_port_gets_as_many_as_the_server_takes(
    program_image: str,
    engine: docker.APIClient,
    services_image: str,
    vpn: OpenVpnServer,
    tmp_path: Path,
) -> None:
    greedy = f"{program_image.partition(':')[0]}-greedy"
    made = engine.create_container(program_image, command=["true"])["Id"]
    changes = [f"CMD {json.dumps(COMMAND)}", "EXPOSE 1000-2999/tcp", "LABEL p1007=seventh"]
    try:
        engine.commit(made, greedy, "latest", changes=changes)
    finally:
        engine.remove_container(made)
    with ExitStack() as stack:
        stack.callback(engine.remove_image, greedy, force=True)
        station = Station(stack, tmp_path / "alpha", vpn.client())
        station.address()
        claim = make_claim(image=greedy)
        _, handle = station.bench.begin("import time; time.sleep(60)", claim)
        with station.bench.services.in_vpn(5, handle.id, NOBODY):
            told = station.told("POST", "/port")
        station.bench.runtime.remove(5)
    assert len({port["port"] for port in told}) == len(told) == MOST_PER_RESULT
    assert [port["label"] for port in told][6:9] == [None, "seventh", None]


def test_rules_keep_an_image_out_of_the_vpn(
    program_image: str, services_image: str, vpn: OpenVpnServer, tmp_path: Path
) -> None:
    policies = {"allowed_algorithms": [".*"], "services": {"vpn": ["another-image"]}}
    with ExitStack() as stack:
        station = Station(stack, tmp_path / "alpha", vpn.client(), policies=policies)
        station.address()
        _, handle = station.bench.begin("import time; time.sleep(0.5)")
        with station.bench.services.in_vpn(5, handle.id, NOBODY):
            station.bench.runtime.wait(handle)
        assert not station.told("POST", "/port")


def test_algorithms_of_one_node_meet_and_reach_nothing_else(stations: list[Station]) -> None:
    alpha, _ = stations
    address = alpha.address()
    _, handle = alpha.bench.begin(SERVE)
    with alpha.bench.services.in_vpn(5, handle.id, NOBODY):
        (told,) = alpha.told("POST", "/port")
        program = VISIT % [["172.17.0.1", 22], ["10.77.0.1", 80], [address, told["port"]]]
        visit, visitor = alpha.bench.begin(program, make_claim(6))
        peers = only(address, told["port"])
        with alpha.bench.services.in_vpn(6, visitor.id, peers):
            exit_ = alpha.bench.runtime.wait(visitor)
    assert exit_.code == 0, exit_.log
    assert json.loads(visit.read_output(1000)) == ["OSError", "OSError", "model for you"]
