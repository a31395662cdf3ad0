"""Whole stations that open more than a database: who reaches it, and what a stop leaves."""

import json
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import psutil
import pytest

from tests.acceptance.side_services import MEET, RUN, VISIT
from tests.node.test_linked import GREET
from tests.node.test_tunnels import Greeter
from tests.node.test_whitelist import SERVE
from tests.services import docker as docker_service
from tests.services import missing
from tests.services.eduvpn import Portal
from tests.services.openvpn import OpenVpnServer
from tests.services.sshd import SshServer
from tests.waiting import eventually
from vantage6.client import Client
from vantage6.sandbox.federation import IN_CONTAINERS, PASSWORD, Federation
from vantage6.sandbox.programs import BIN

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SUBNET = "10.76.0.0/16"
#: Names of our own, so that test runs side by side do not meet at the engine.
OWN = uuid.uuid4().hex[:6]
ALPHA, BETA = f"alpha-{OWN}", f"beta-{OWN}"
AGES = {ALPHA: [45, 62, 71, 75], BETA: [28, 39]}
GUEST, STRANGER = f"vantage6-test/guest-{OWN}", f"vantage6-test/stranger-{OWN}"
TRIPLES = f"test-triples-{OWN}"
GREETINGS = ["hello from outside", "patients", "data warehouse"]


@dataclass
class Sent:
    """A task, and where its algorithms wait for us."""

    federation: Federation
    client: Client
    id_: int
    names: list[str]

    def path(self, station: str, name: str) -> Path:
        """Return a file that the algorithm sees in its temporary folder."""
        run = self.client.task.get(self.id_)["run_id"]
        return self.federation.folder / station / "node" / "runs" / str(run) / "shared" / name

    def allow(self, name: str) -> None:
        """Let the algorithms go on that wait for a word."""
        for station in self.names:
            path = self.path(station, name)
            eventually(path.parent.exists)
            path.touch()

    def is_active(self) -> bool:
        """Tell whether all of its algorithms run."""
        found = self.client.result.list(task=self.id_)["data"]
        return {result["status"] for result in found} == {"active"}

    def answers(self) -> dict[str, Any]:
        """Return what each station answers."""
        found = self.federation.results(self.client, self.id_)
        assert {result["status"] for result in found.values()} == {"completed"}, found
        return {name: result["result"] for name, result in found.items()}

    def ports(self) -> list[dict[str, Any]]:
        """Return the ports that the server knows."""
        found: list[dict[str, Any]] = self.client.request("port", params={"task_id": self.id_})
        return found


@dataclass
class World:
    """Two stations, and what is around the first."""

    federation: Federation
    engine: docker.APIClient
    sshd: SshServer
    portal: Portal
    outside: str

    def send(self, client: Client, names: list[str], program: str, image: str = GUEST) -> Sent:
        """Send a program to stations."""
        program = program.replace("ADDRESS", f"http://{self.outside}:8000/")
        input_ = {"method": "answer", "program": program}
        id_ = self.federation.send(client, names, "answer", image=image, input=input_)
        return Sent(self.federation, client, id_, names)

    def end(self, station: str, how: str) -> None:
        """End a node in one of the ways in which nodes end."""
        if how == "stop":
            file = self.federation.node_file(station)
            command = [str(BIN / "vnode"), "stop", "--config", str(file)]
            subprocess.run(command, check=True, timeout=60, capture_output=True)
        self.federation.stop_node(station, signal.SIGKILL)

    def service_containers(self, station: str) -> set[str]:
        """Return the names of the containers that a node runs for its services."""
        labels = ["vantage6-type=service", f"node={station}-user"]
        found = self.engine.containers(all=True, filters={"label": labels})
        return {name for container in found for name in container["Names"]}

    def tunnels(self) -> list[str]:
        """Return the command lines of the SSH clients that are connected to our server."""
        lines = [
            " ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])
        ]
        return [line for line in lines if f"-N -T -p {self.sshd.port} " in line]

    def secrets(self) -> list[str]:
        """Return what nobody may learn from a log, in pieces of one line."""
        names = ("client_secret", "portal_userpass")
        texts = [
            *self.portal.secrets,
            *(self.portal.settings[name] for name in names),
            (self.sshd.folder / "user").read_text(),
            *self.federation.api_keys.values(),
        ]
        lines = [line for text in texts for line in text.splitlines()]
        return [line for line in lines if len(line) > 10 and not line.startswith("-----")]

    def audited(self, station: str) -> list[Any]:
        """Return the services that each result of a station was given, oldest first."""
        lines = (self.federation.folder / station / "node" / "audit.jsonl").read_text().splitlines()
        events = map(json.loads, lines)
        return [event["services"] for event in events if event["event"] == "started"]


@contextmanager
def containers(engine: docker.APIClient) -> Iterator[str]:
    """Run the linked container and a web server outside; gives the address of the latter."""
    made = [
        engine.create_container(STRANGER, command=["python3", "-c", SERVE])["Id"],
        engine.create_container(
            STRANGER, command=["python3", "-c", GREET], name=TRIPLES, ports=[8000]
        )["Id"],
    ]
    try:
        for id_ in made:
            engine.start(id_)
        yield engine.inspect_container(made[0])["NetworkSettings"]["IPAddress"]
    finally:
        for id_ in made:
            engine.remove_container(id_, force=True)


@contextmanager
def images(engine: docker.APIClient) -> Iterator[str]:
    """Make the images of the algorithms; gives the one of the node's helpers."""
    helpers = docker_service.build_services_image()
    command = f"CMD {json.dumps(['python3', '-c', RUN])}"
    ports = ["EXPOSE 8001 8002", "LABEL p8001=sum p8002=count"]
    base = engine.create_container("vantage6/base:latest", command=["true"])["Id"]
    try:
        engine.commit(base, GUEST, "latest", changes=[command, *ports])
        engine.commit(base, STRANGER, "latest", changes=[command])
    finally:
        engine.remove_container(base)
    try:
        yield helpers
    finally:
        for image in (GUEST, STRANGER):
            engine.remove_image(image, force=True)


def settings_of_alpha(sshd: SshServer, service: int, outside: str) -> dict[str, Any]:
    """Return the configuration of a station with every service."""
    names = ("whitelist", "warehouse", "triples", "vpn")
    return {
        "whitelist": {"ips": [outside], "ports": [8000]},
        "ssh-tunnels": [sshd.settings("warehouse", 5432, service)],
        "docker_services": {"triples": TRIPLES},
        "vpn_subnet": SUBNET,
        # Or the server would refuse what the node is to refuse.
        "share_config": False,
        "policies": {
            "allowed_algorithms": [GUEST, STRANGER],
            "allowed_users": ["researcher"],
            "services": {name: [GUEST] for name in names},
        },
    }


@pytest.fixture(scope="module")
def world(docker_host: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Start everything."""
    if not Path("/dev/net/tun").exists():
        missing("/dev/net/tun")
    folder = tmp_path_factory.mktemp("services")
    with ExitStack() as stack:
        engine = stack.enter_context(
            closing(docker.APIClient(base_url=docker_host, version="auto"))
        )
        helpers = stack.enter_context(images(engine))
        outside = stack.enter_context(containers(engine))
        greeter = stack.enter_context(closing(Greeter("patients")))
        sshd = stack.enter_context(SshServer(folder / "sshd"))
        vpn = stack.enter_context(OpenVpnServer(engine, helpers, folder / "vpn"))
        portal = stack.enter_context(Portal(profile=vpn.profile(), new_keys=vpn.keys))
        federation = Federation(
            folder / "federation",
            AGES,
            runtime=IN_CONTAINERS,
            encrypted=False,
            settings={"vpn_server": portal.settings},
            node_settings={
                ALPHA: settings_of_alpha(sshd, greeter.port, outside),
                BETA: {"vpn_subnet": SUBNET},
            },
        )
        stack.callback(federation.stop)
        federation.start()
        yield World(federation, engine, sshd, portal, outside)


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    """Give the client of the researcher, with all stations there."""
    for name in AGES:
        if world.federation.node(name) is None:
            world.federation.start_node(name)
    world.federation.wait_until_online()
    with closing(world.federation.client()) as client:
        yield client


def addresses(federation: Federation) -> dict[str, str]:
    """Return the addresses of the nodes in the VPN."""
    with closing(federation.client("root", "root")) as root:
        nodes = root.node.list()["data"]
    names = {id_: name for name, id_ in federation.ids.items()}
    return {names[node["organization"]["id"]]: node["ip"] for node in nodes if node["ip"]}


def test_listed_image_reaches_every_service_and_another_none(world: World, client: Client) -> None:
    answers = []
    for image in (GUEST, STRANGER):
        sent = world.send(client, [ALPHA], VISIT, image)
        sent.allow("begin")
        answers.append(sent.answers()[ALPHA])
    assert answers == [GREETINGS, ["OSError", "gaierror", "gaierror"]]
    assert world.audited(ALPHA)[-2:] == [["whitelist", "warehouse", "triples", "vpn"], []]


def test_user_who_is_not_listed_reaches_nothing(world: World, client: Client) -> None:
    federation = world.federation
    with closing(federation.client("root", "root")) as root:
        role = next(role["id"] for role in root.role.list()["data"] if role["name"] == "Researcher")
        root.user.create(
            username="visitor",
            firstname="Vi",
            lastname="Sitor",
            password=PASSWORD,
            email="visitor@example.org",
            organization=federation.ids[ALPHA],
            roles=[role],
        )
    before = world.audited(ALPHA)
    with closing(federation.client("visitor")) as visitor:
        visitor.setup_encryption(None)
        sent = world.send(visitor, [ALPHA], VISIT)
        found = federation.results(visitor, sent.id_)[ALPHA]
    assert (found["status"], found["reason"]["code"]) == ("not allowed", "initiator_not_allowed")
    assert world.audited(ALPHA) == before


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_algorithm_that_outlives_its_node_reaches_everything_again(
    world: World, client: Client, how: str
) -> None:
    sent = world.send(client, [ALPHA], VISIT)
    eventually(sent.is_active, 60)
    running = {f"/vantage6-{ALPHA}-user-{kind}" for kind in ("squid", "vpn-client")}
    assert world.service_containers(ALPHA) == running
    assert len(world.tunnels()) == 1
    world.end(ALPHA, how)
    assert eventually(lambda: not world.tunnels())
    assert world.service_containers(ALPHA) == (set() if how == "stop" else running)
    world.federation.start_node(ALPHA)
    eventually(lambda: len(world.tunnels()) == 1)
    sent.allow("begin")
    assert sent.answers()[ALPHA] == GREETINGS
    assert world.service_containers(ALPHA) == running


def test_algorithm_reaches_no_service_that_was_taken_away(world: World, client: Client) -> None:
    sent = world.send(client, [ALPHA], VISIT)
    eventually(sent.is_active, 60)
    world.end(ALPHA, "stop")
    none: dict[str, Any] = {
        "whitelist": None,
        "ssh-tunnels": [],
        "docker_services": {},
        "policies": None,
    }
    world.federation.start_node(ALPHA, **none)
    world.federation.wait_until_online(ALPHA)
    sent.allow("begin")
    answers = sent.answers()[ALPHA]
    world.end(ALPHA, "stop")
    assert len(answers) == 3
    assert not set(answers) & set(GREETINGS)


@pytest.mark.parametrize("restarted", [False, True])
def test_algorithms_of_two_stations_meet_at_the_ports_that_the_server_shows(
    world: World, client: Client, restarted: bool
) -> None:
    federation, ids = world.federation, world.federation.ids
    assert eventually(lambda: len(addresses(federation)) == 2, 60)
    sent = world.send(client, [ALPHA, BETA], MEET)
    eventually(lambda: len(sent.ports()) == 4, 60)
    ports = sent.ports()
    assert sorted(port["label"] for port in ports) == ["count", "count", "sum", "sum"]
    assert all(49152 <= port["port"] <= 65534 for port in ports)
    if restarted:
        world.end(ALPHA, "stop")
        assert set(addresses(federation)) == {BETA}
        federation.start_node(ALPHA)
        eventually(lambda: len({port["id"] for port in ports + sent.ports()}) == 6, 60)
        assert len(addresses(federation)) == 2
    sent.allow("begin")
    for name in (ALPHA, BETA):
        eventually(sent.path(name, "done").exists, 60)
    sent.allow("end")
    numbers = {
        (ids[name], label): str(function(ages))
        for name, ages in AGES.items()
        for label, function in (("sum", sum), ("count", len))
    }
    expected = sorted([id_, label, number] for (id_, label), number in numbers.items())
    assert sent.answers() == {ALPHA: expected, BETA: expected}
    assert eventually(lambda: not sent.ports())


def test_neither_logs_nor_process_lists_tell_a_secret(world: World, client: Client) -> None:
    assert eventually(lambda: len(addresses(world.federation)) == 2, 60)
    logs = {path: path.read_text() for path in world.federation.folder.rglob("*log*/*.log")}
    logs |= {path: path.read_text() for path in world.federation.folder.glob("*/node.log")}
    assert len(logs) > len(AGES)
    commands = [
        " ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])
    ]
    assert len(world.portal.secrets) >= 4 * len(AGES)
    for secret in world.secrets():
        assert not [path for path, text in logs.items() if secret in text]
        assert not [command for command in commands if secret in command]
