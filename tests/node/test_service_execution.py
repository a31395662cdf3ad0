"""Results that use services, from the doorbell to the server."""

import base64
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import MakeBench, MakeContext, MakeScheduler
from tests.node.factories import IMAGE, make_config
from tests.node.test_tunnels import TALK, Greeter
from tests.node.wire import Wire
from tests.services.sshd import SshServer
from tests.waiting import eventually
from vantage6.broker.messages import ResultReady
from vantage6.common.errors import ConfigurationError
from vantage6.node.runtime.docker import DockerRuntime
from vantage6.node.services import tunnels
from vantage6.node.work.scheduler import Scheduler

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("program_image")]

URI = "postgresql://warehouse/x"
DATABASES = [{"label": "default", "uri": URI, "type": "sql"}]

MakeLife = Callable[..., Scheduler]


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[SshServer]:
    """Give an SSH server."""
    with SshServer(tmp_path / "sshd") as server:
        yield server


@pytest.fixture
def make_life(
    make_context: MakeContext, make_scheduler: MakeScheduler, tmp_path: Path
) -> Iterator[MakeLife]:
    """Give a function that makes a life of a node with services; a second one is the next."""
    started = []
    name = f"test-{uuid.uuid4().hex[:8]}"

    def make(**values: Any) -> Scheduler:
        def dial(host: str, port: int) -> Any:
            return context.services.dial(host, port)

        runtime = DockerRuntime(name, make_config(**values), dial)
        context = make_context(runtime, **values)
        started.append(context.services)
        context.services.start(
            context.config, context.databases, runtime, name, tmp_path, context.server
        )
        return make_scheduler(context)

    yield make
    for services in started:
        services.close()


def audited(folder: Path, event: str) -> list[dict[str, Any]]:
    """Return what the audit file says of an event."""
    lines = [
        json.loads(line)
        for file in sorted((folder / "data").rglob("*.jsonl"))
        for line in file.read_text().splitlines()
    ]
    return [line for line in lines if event in line.values()]


def test_result_reads_its_database_through_a_tunnel(
    wire: Wire, make_life: MakeLife, sshd: SshServer, tmp_path: Path
) -> None:
    with closing(Greeter("patients")) as greeter:
        settings = sshd.settings("warehouse", 5432, greeter.port)
        scheduler = make_life(**{"databases": DATABASES, "ssh-tunnels": [settings]})
        wire.add(5, TALK.replace("EXPRESSION", "talk('warehouse', 5432)"))
        scheduler.handle(ResultReady(5, 105))
        eventually(lambda: wire.ids("completed") == [5])
    assert base64.b64decode(wire.results[5]["result"]) == b'"patients"'
    (started,) = audited(tmp_path, "started")
    assert started["services"] == ["warehouse"]


def test_researcher_learns_that_the_way_is_closed(
    wire: Wire, make_life: MakeLife, sshd: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnels, "_PATIENCE_SECONDS", 0.3)
    sshd.stop()
    settings = sshd.settings("warehouse", 5432, 1)
    scheduler = make_life(**{"databases": DATABASES, "ssh-tunnels": [settings]})
    wire.add(5)
    scheduler.handle(ResultReady(5, 105))
    eventually(lambda: wire.ids("failed") == [5])
    assert wire.results[5]["reason"]["code"] == "service_unavailable"


def test_algorithm_keeps_its_services_when_the_node_starts_again(
    wire: Wire, make_life: MakeLife, sshd: SshServer
) -> None:
    wait = "time.sleep(0.5) or [talk('warehouse', 5432), os.path.exists('/mnt/tmp/go')]"
    program = TALK.replace("EXPRESSION", "None").replace(
        "out = None",
        f"out = [None, False]\nwhile not all(out): out = {wait}",
    )
    with closing(Greeter("patients")) as greeter:
        values = {
            "databases": DATABASES,
            "ssh-tunnels": [sshd.settings("warehouse", 5432, greeter.port)],
        }
        first = make_life(**values)
        wire.add(5, program)
        first.handle(ResultReady(5, 105))
        eventually(lambda: wire.ids("active") == [5])
        first.leave()
        first._context.runtime._links.close(5)  # as the end of the process does
        first._context.services.close()
        for execution in list(first._active.values()):
            execution._close_proxy()
        second = make_life(**values)
        second.adopt()
        (second._context.spool.temporary(1) / "go").touch()
        eventually(lambda: wire.ids("completed") == [5])
    assert json.loads(base64.b64decode(wire.results[5]["result"])) == ["patients", True]


def test_only_services_and_databases_that_are_configured_are_dialled(
    docker_bench: MakeBench,
) -> None:
    with closing(Greeter("patients")) as greeter:
        uri = f"http://127.0.0.1:{greeter.port}/"
        databases = [{"label": "default", "uri": uri, "type": "sparql"}]
        bench = docker_bench(databases=databases)
        with bench.services.dial("127.0.0.1", greeter.port) as connection:
            assert connection.recv(99) == b"patients"
        with pytest.raises(ConnectionRefusedError, match="not open to algorithms any more"):
            docker_bench().services.dial("127.0.0.1", greeter.port)


def test_node_that_cannot_open_single_containers_says_so(
    docker_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "vantage6.node.runtime.listeners.can_enter_namespaces", lambda engine_socket: False
    )
    with pytest.raises(ConfigurationError, match=r"docker_services .* need a node on the machine"):
        docker_bench(docker_services={"warehouse": IMAGE})
