"""Algorithms of 3.11.1, as real nodes run them, and their clients, call by call."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.peer.behind_the_proxy import CALLS
from tests.peer.calls import returned
from tests.peer.conftest import SUM
from tests.peer.expect import AllOf, difference, link
from tests.peer.published import PublishedClient, Raised
from tests.peer.shapes import TASK, a
from tests.peer.worlds import (
    ALPHA,
    BETA,
    BETA_NODE,
    NOWHERE,
    RESEARCHER,
    World,
)
from tests.peer.worlds import (
    COLLABORATION as EXAMPLE,
)
from vantage6.client.node_client import NodeClient
from vantage6.common.identity import NODE_AUTHORIZATION
from vantage6.sandbox.federation import IMAGE

# In an encrypted world, behind the proxy of a node


@pytest.mark.parametrize(("kind", "task"), [("ContainerClient", 6), ("AlgorithmClient", 8)])
def test_an_algorithm_of_3_11_computes_with_sub_tasks(sealed: World, kind: str, task: int) -> None:
    client = sealed.researcher
    (result,) = client.result.from_task(task, include_task=True)
    assert result["status"] == "completed", result["log"]
    assert result["result"] == {"average": 53.25}
    assert result["task"]["name"] == kind
    (sub,) = client.task.list(parent=task, include_results=True)["data"]
    known = a(TASK, run_id=result["task"]["run_id"], init_user=RESEARCHER, status="completed")
    assert difference(sub, known) is None
    # What the parts say was encrypted for the node that asked.
    assert [part["result"].count("$") for part in sub["results"]] == [2, 2]


@pytest.fixture(scope="module")
def reports(sealed: World) -> dict[str, dict[tuple[Any, ...], Any]]:
    """Return what each call gave to an algorithm that a node ran, by client and call."""
    found = {}
    for kind, task in (("ContainerClient", 10), ("AlgorithmClient", 11)):
        (result,) = sealed.researcher.result.from_task(task)
        assert result["status"] == "completed", result["log"]
        found[kind] = dict(zip(CALLS[kind], result["result"], strict=True))
    return found


@pytest.mark.parametrize(
    ("kind", "call"), [(kind, call) for kind, table in CALLS.items() for call in table]
)
def test_the_client_of_an_algorithm_behind_the_proxy(
    reports: dict[str, dict[tuple[Any, ...], Any]], kind: str, call: tuple[Any, ...]
) -> None:
    differs = difference(reports[kind][call], CALLS[kind][call])
    assert not differs, differs


# In an open world, where the server answers directly


class Station:
    """The node of beta, for which the test acts, with a task that it runs."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.node: NodeClient = world.node("beta")
        self.task = world.send([ALPHA, BETA], SUM, name="parent")
        _, self.result = (one["id"] for one in self.task["results"])
        body = {"task_id": self.task["id"], "image": IMAGE}
        self.node.claim(self.result)
        self.token: str = self.node.request("post", "token/container", json=body)["container_token"]

    def client(self, kind: str) -> PublishedClient:
        """Return a client of the algorithm, with what the proxy of its node adds."""
        headers = {NODE_AUTHORIZATION: f"Bearer {self.node.access_token()}"}
        return self.world.client(kind, self.token, headers=headers)


@pytest.fixture(scope="module")
def station(open_world: World) -> Station:
    """Return a station that runs a task."""
    return Station(open_world)


@pytest.fixture(scope="module")
def old(station: Station) -> PublishedClient:
    """Return the client of old algorithms."""
    return station.client("ContainerClient")


@pytest.fixture(scope="module")
def new(station: Station) -> PublishedClient:
    """Return the client of newer algorithms."""
    return station.client("AlgorithmClient")


@pytest.fixture
def ports(station: Station) -> Iterator[None]:
    """Let the algorithm listen, as the node announces it."""
    body = {"port": 50_000, "label": "door", "result_id": station.result}
    station.node.request("post", "port", json=body)
    station.node.request("patch", f"node/{BETA_NODE}", json={"ip": "10.76.0.2"})
    yield
    station.node.request("delete", "port", params={"result_id": station.result})


@pytest.mark.parametrize("kind", ["ContainerClient", "AlgorithmClient"])
def test_a_client_knows_its_place_from_its_token(station: Station, kind: str) -> None:
    client = station.client(kind)
    names = ["image", "database", "host_node_id", "collaboration_id"]
    assert [client.read(name) for name in names] == [IMAGE, "default", BETA_NODE, EXAMPLE]
    if kind == "AlgorithmClient":
        assert client.read("organization_id") == BETA


def child(station: Station, **known: Any) -> AllOf:
    """Expect a sub-task of the station's task."""
    return a(
        TASK,
        parent=link("task", station.task["id"]),
        run_id=station.task["run_id"],
        initiator=BETA,
        init_user=RESEARCHER,
        image=IMAGE,
        **known,
    )


def test_the_old_client_creates_a_sub_task_and_reads_it(
    station: Station, old: PublishedClient
) -> None:
    known = child(
        station, name="subtask", description=f"task from container on node_id={BETA_NODE}"
    )
    given = {"input_": {**SUM, "output_format": None}, "organization_ids": [ALPHA]}
    created = returned(old, "create_new_task", known, **given)
    assert old.exchanged[-1][2] == 201
    deadline = time.monotonic() + 30
    while not old.get_task(created["id"])["complete"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    # Our wrapper reads JSON, which this client does not write.
    assert old.get_results(created["id"]) == []


def test_the_old_client_posts_a_task_by_name(station: Station, old: PublishedClient) -> None:
    known = child(station, name="named", status=str)
    given = {"image": IMAGE, "collaboration_id": EXAMPLE, "organization_ids": [BETA]}
    returned(old, "post_task", known, name="named", input_=SUM, **given)


@pytest.mark.parametrize(
    "changes", [{"image": "evil/" + IMAGE}, {"image": "other"}, {"collaboration_id": NOWHERE}]
)
def test_the_old_client_may_not_leave_its_image_and_collaboration(
    old: PublishedClient, changes: dict[str, Any]
) -> None:
    given = {"image": IMAGE, "collaboration_id": EXAMPLE, "organization_ids": [BETA], **changes}
    with pytest.raises(Raised, match="Containers cannot refresh"):
        old.post_task(name="x", input_=SUM, **given)
    assert old.exchanged[-1][2] in (401, 404)


def test_the_new_client_creates_a_sub_task(station: Station, new: PublishedClient) -> None:
    given = {"input_": SUM, "organization_ids": [BETA], "name": "part", "description": "of it"}
    known = child(station, name="part", description="of it")
    created = returned(new, "task.create", known, **given)
    returned(new, "task.get", child(station, complete=False), task_id=created["id"])
    assert new.result.get(created["id"]) == []


@pytest.mark.parametrize(
    ("method", "arguments", "status"),
    [
        ("task.create", {"input_": SUM, "organization_ids": [NOWHERE]}, 400),
        ("task.create", {"input_": SUM, "organization_ids": [1]}, 400),
        ("task.get", {"task_id": NOWHERE}, 404),
        ("organization.get", {"id_": 1}, 401),
        ("organization.get", {"id_": NOWHERE}, 404),
        ("request", {"endpoint": "user"}, 401),
    ],
)
def test_the_new_client_returns_what_it_is_refused_with(
    new: PublishedClient, method: str, arguments: dict[str, Any], status: int
) -> None:
    returned(new, method, {"msg": str}, **arguments)
    assert [one[2] for one in new.exchanged][-1] == status


def test_ports_are_found_by_both_clients(
    station: Station, old: PublishedClient, new: PublishedClient, ports: None
) -> None:
    task = station.task["id"]
    address = {"ip": "10.76.0.2", "port": 50_000, "label": "door"}
    returned(old, "get_algorithm_addresses", [address], task_id=task)
    assert old.get_algorithm_address_by_label(task, "door") == "10.76.0.2:50000"
    assert old.get_algorithm_address_by_label(task, "window") is None
    known = {**address, "organization_id": BETA, "task_id": task, "parent_id": None}
    returned(new, "vpn.get_addresses", [known])
    returned(new, "vpn.get_addresses", [known], label="door", include_children=True)
    returned(new, "vpn.get_addresses", [], label="window")
    returned(new, "vpn.get_child_addresses", [])


@pytest.mark.parametrize("only", ["only_parent", "include_parent"])
def test_addresses_are_not_asked_for_two_things_at_once(new: PublishedClient, only: str) -> None:
    found = new.vpn.get_addresses(only_children=True, **{only: True})
    assert found == {"message": "Obtaining VPN addresses failed!"}
    assert new.exchanged[-1][2] == 400


def test_a_token_ends_with_its_task(open_world: World) -> None:
    station = Station(open_world)
    client = station.client("AlgorithmClient")
    returned(client, "task.get", a(TASK), task_id=station.task["id"])
    open_world.researcher.task.kill(station.task["id"])
    returned(client, "task.create", {"msg": str}, input_=SUM, organization_ids=[BETA])
    assert client.exchanged[-1][2] == 401
