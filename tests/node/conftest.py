"""Fixtures of the node's tests."""

import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.node.contexts import new_context
from tests.node.factories import BASE, MIB, Bench, make_config, make_program_image
from tests.node.listeners import NODE, OWN_TASK, TOKENS, Listener
from tests.node.threads import no_threads_left
from tests.node.wire import Wire
from tests.services import docker as docker_service
from tests.services import podman
from tests.waiting import eventually
from vantage6.client.node_client import NodeClient
from vantage6.common.config.node import LimitConfig
from vantage6.common.encryption import CryptorBase, DummyCryptor, RSACryptor
from vantage6.common.known_keys import KnownKeys
from vantage6.node.databases import Databases
from vantage6.node.proxy.app import Algorithm, Proxy, PublicKeys
from vantage6.node.proxy.server import ProxyServer
from vantage6.node.proxy.subtasks import SubTasks
from vantage6.node.proxy.upstream import Upstream
from vantage6.node.rules.policy import Policy
from vantage6.node.rules.quota import Quota
from vantage6.node.rules.result_audit import ResultAudit
from vantage6.node.runtime.base import Runtime
from vantage6.node.runtime.docker import DockerRuntime
from vantage6.node.runtime.process import ProcessRuntime
from vantage6.node.services.services import Services
from vantage6.node.spool import run_disks
from vantage6.node.work.context import NodeContext
from vantage6.node.work.scheduler import Scheduler

MakeBench = Callable[..., Bench]
MakeContext = Callable[..., NodeContext]
MakeScheduler = Callable[..., Scheduler]
Listen = Callable[..., Listener]


@pytest.fixture(autouse=True)
def _no_threads_left() -> Iterator[None]:
    """Let no thread of a test go on beside the tests after it, which would fail instead of it."""
    with no_threads_left():
        yield


@pytest.fixture(scope="session")
def podman_host(engine: docker.APIClient) -> Iterator[str]:
    """Give the address of a Podman that has the image of the test algorithm."""
    with podman.engine() as address:
        client = docker.APIClient(base_url=address, version="auto")
        client.load_image(b"".join(engine.get_image(BASE)))
        make_program_image(client, BASE)
        client.close()
        yield address


@pytest.fixture(scope="session")
def services_image(docker_host: str) -> str:
    """Return the image of the node's own helpers."""
    return docker_service.build_services_image()


def _configured(folder: Path, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "databases": [{"label": "default", "uri": str(folder / "patients.csv"), "type": "csv"}],
        "limits": {"memory_bytes": 512 * MIB, "pids": 64, "file_bytes": 4 * MIB},
        **values,
    }


@pytest.fixture
def docker_bench(program_image: str, tmp_path: Path) -> Iterator[MakeBench]:
    """Give a function that makes a bench on the Docker runtime."""
    with benches(tmp_path) as make:
        yield make


@pytest.fixture
def podman_bench(podman_host: str, tmp_path: Path) -> Iterator[MakeBench]:
    """Give a function that makes a bench on the Docker runtime, with Podman for an engine."""
    with benches(tmp_path, docker_host=podman_host) as make:
        yield make


@contextmanager
def benches(folder: Path, **common: Any) -> Iterator[MakeBench]:
    """Give a function that makes a bench on an engine."""
    made: list[Bench] = []

    def make(**values: Any) -> Bench:
        server = values.pop("server", None)
        with_disks = values.pop("with_disks", False)
        config = make_config(**_configured(folder, {**common, **values}))
        # A name of its own, so that tests that run side by side do not meet.
        name = f"test-{uuid.uuid4().hex[:8]}"
        services = Services()
        runtime = DockerRuntime(name, config, services.dial)
        bench = Bench(folder, runtime, config, services, with_disks=with_disks)
        made.append(bench)
        server = server or NodeClient(config.server_address)
        databases = Databases(config.databases, folder)
        services.start(config, databases, runtime, name, folder, server)
        return bench

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def process_bench(tmp_path: Path) -> Iterator[MakeBench]:
    """Give a function that makes a bench on the process runtime."""
    made: list[Bench] = []

    def make(**values: Any) -> Bench:
        config = make_config(**_configured(tmp_path, values))
        runtime = ProcessRuntime(tmp_path / "processes", config.processes, config.limits)
        bench = Bench(tmp_path, runtime, config)
        made.append(bench)
        return bench

    yield make
    for bench in made:
        bench.close()


@pytest.fixture(
    params=[
        "process",
        pytest.param("docker", marks=pytest.mark.slow),
        pytest.param("podman", marks=pytest.mark.slow),
    ]
)
def make_bench(request: pytest.FixtureRequest) -> MakeBench:
    """Give a function that makes a bench; the test runs with each runtime."""
    make: MakeBench = request.getfixturevalue(f"{request.param}_bench")
    return make


@pytest.fixture
def wire() -> Iterator[Wire]:
    """Give a server."""
    with Wire() as running:
        yield running


@pytest.fixture
def make_context(wire: Wire, tmp_path: Path) -> Iterator[MakeContext]:
    """Give a function that makes what a life of the node consists of."""
    made: list[NodeContext] = []

    def make(runtime: Runtime | None = None, **values: object) -> NodeContext:
        context = new_context(tmp_path, wire.port, runtime, **values)
        made.append(context)
        return context

    yield make
    for context in made:
        context.runtime.sweep(set())
        context.server.close()
        context.close()
        context.audit.close()
    run_disks.unmount_all(tmp_path / "data/runs")


@pytest.fixture
def make_scheduler(make_context: MakeContext) -> Iterator[MakeScheduler]:
    """Give a function that makes an executor; a second one is the next life of the node."""
    made: list[Scheduler] = []

    def make(context: NodeContext | None = None, **values: object) -> Scheduler:
        scheduler = Scheduler(context or make_context(**values))
        made.append(scheduler)
        return scheduler

    yield make
    for scheduler in made:
        scheduler.leave()


@pytest.fixture
def listen(wire: Wire, tmp_path: Path) -> Iterator[Listen]:
    """Give a function that opens a listener to the server."""
    keepers: list[ProxyServer] = []
    upstreams: list[Upstream] = []

    def make(
        cryptor: CryptorBase | None = None,
        request_bytes: int = 10**6,
        result_audit: ResultAudit | None = None,
        quota: Quota | None = None,
        made: SubTasks | None = None,
        allows_pickle: bool = False,
        reply_bytes: int = 10**7,
        policies: dict[str, Any] | None = None,
    ) -> Listener:
        result_audit = result_audit or ResultAudit(None, 5)
        upstream = Upstream(f"http://127.0.0.1:{wire.port}/api")
        upstreams.append(upstream)
        known = KnownKeys(tmp_path / "known.json")
        keys = PublicKeys(upstream, known) if cryptor else None
        quota = quota or Quota(LimitConfig())
        algorithm = Algorithm(OWN_TASK, 1, NODE, TOKENS, result_audit, quota, made or SubTasks())
        proxy = Proxy(
            upstream,
            keys,
            cryptor or DummyCryptor(),
            1,
            algorithm,
            allows_pickle=allows_pickle,
            may_leave=Policy(make_config(policies=policies)).may_leave,
            reply_bytes=reply_bytes,
        )
        listener = socket.create_server(("127.0.0.1", 0))
        keepers.append(ProxyServer(listener, proxy.app, request_bytes, result_audit.count))
        return Listener(listener.getsockname()[1])

    yield make
    for keeper in keepers:
        keeper.close()
        eventually(lambda keeper=keeper: not keeper.is_open)
    for upstream in upstreams:
        upstream.close()


@pytest.fixture(scope="session")
def cryptors(tmp_path_factory: pytest.TempPathFactory) -> list[RSACryptor]:
    """Give the keys of two organizations."""
    made = []
    for number in (1, 2):
        path = tmp_path_factory.mktemp("keys") / f"{number}.pem"
        RSACryptor.create_new_rsa_key(path)
        made.append(RSACryptor(path))
    return made
