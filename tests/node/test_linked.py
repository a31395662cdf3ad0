"""Containers of the station that algorithms may use."""

import json
import uuid
from collections.abc import Iterator

import docker
import pytest

from tests.node.conftest import MakeBench
from tests.node.test_tunnels import TALK
from tests.waiting import eventually
from vantage6.node.outcomes import RefusalError
from vantage6.node.services.linked import LinkedService

pytestmark = pytest.mark.slow

GREET = """
import socket
listener = socket.create_server(('', 8000))
while True:
    caller, _ = listener.accept()
    caller.sendall(b'data warehouse')
    caller.close()
"""


@pytest.fixture
def warehouse(engine: docker.APIClient, program_image: str) -> Iterator[str]:
    """Give the name of a container with a service on port 8000."""
    name = f"test-warehouse-{uuid.uuid4().hex[:8]}"
    engine.create_container(
        program_image, command=["python3", "-c", GREET], name=name, ports=[8000, (53, "udp")]
    )
    try:
        engine.start(name)
        service = LinkedService("warehouse", name, engine)
        eventually(lambda: service.connect(8000).close())
        yield name
    finally:
        engine.remove_container(name, force=True)


def test_algorithm_reaches_the_linked_service_of_its_database(
    docker_bench: MakeBench, warehouse: str
) -> None:
    bench = docker_bench(
        docker_services={"warehouse": warehouse},
        databases=[{"label": "default", "uri": "http://warehouse:8000/", "type": "sparql"}],
    )
    entry, exit_ = bench.run(TALK.replace("EXPRESSION", "talk('warehouse', 8000)"))
    assert exit_.code == 0, exit_.log
    assert json.loads(entry.read_output(1000)) == "data warehouse"


@pytest.mark.parametrize("rule", [None, ".*/program.*", ".*/other"])
def test_without_a_database_there_the_rules_decide(
    docker_bench: MakeBench, warehouse: str, rule: str | None
) -> None:
    services = {"warehouse": [rule]} if rule else None
    bench = docker_bench(
        docker_services={"warehouse": warehouse},
        policies={"allowed_algorithms": [".*"], "services": services},
    )
    entry, exit_ = bench.run(TALK.replace("EXPRESSION", "talk('warehouse', 8000)"))
    assert exit_.code == 0, exit_.log
    expected = "data warehouse" if rule == ".*/program.*" else "gaierror"
    assert json.loads(entry.read_output(1000)) == expected


def test_only_the_exact_name_is_linked(engine: docker.APIClient, warehouse: str) -> None:
    id_ = engine.inspect_container(warehouse)["Id"]
    assert LinkedService("warehouse", warehouse, engine).ports() == (8000,)
    for other in (id_, id_[:12], warehouse[:-1], warehouse + "0"):
        with pytest.raises(ConnectionError, match="no container"):
            LinkedService("warehouse", other, engine).ports()


def test_result_is_refused_while_its_service_is_away(
    docker_bench: MakeBench, engine: docker.APIClient, warehouse: str
) -> None:
    bench = docker_bench(
        docker_services={"warehouse": warehouse},
        databases=[{"label": "default", "uri": "http://warehouse:8000/", "type": "sparql"}],
    )
    engine.kill(warehouse)
    with pytest.raises(RefusalError) as caught:
        bench.run("")
    assert caught.value.reason.code == "service_unavailable"
    # It comes back with another address, perhaps.
    engine.start(warehouse)
    entry, exit_ = bench.run(TALK.replace("EXPRESSION", "talk('warehouse', 8000)"))
    assert exit_.code == 0, exit_.log
    assert json.loads(entry.read_output(1000)) == "data warehouse"
