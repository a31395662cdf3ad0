"""What an algorithm in a container cannot do. Reached are only listeners of the tests' own."""

import json
import os
import socket
import socketserver
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import docker
import pytest

from tests.node.conftest import MakeBench
from tests.node.factories import MIB, Bench, make_claim
from tests.waiting import eventually
from vantage6.node.outcomes import RefusalError, judge
from vantage6.node.runtime.docker import DockerRuntime
from vantage6.node.runtime.listeners import BridgeListeners

pytestmark = pytest.mark.slow

REPORT = "; import json; json.dump(out, open(os.environ['OUTPUT_FILE'], 'w'))"
CONNECT = """
import json, os, socket
out = {}
for host, port in json.loads(%r):
    try:
        socket.create_connection((host, port), timeout=2).close()
        out[f'{host}:{port}'] = True
    except OSError:
        out[f'{host}:{port}'] = False
json.dump(out, open(os.environ['OUTPUT_FILE'], 'w'))
"""


def seen(bench: Bench, program: str) -> Any:
    """Return what a program reports."""
    entry, exit_ = bench.run(program)
    assert exit_.code == 0, exit_.log
    return json.loads(entry.read_output(10**6))


@pytest.fixture
def everywhere() -> Iterator[int]:
    """Give the port of a listener on all addresses of this machine."""
    with socket.create_server(("0.0.0.0", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def network(engine: docker.APIClient) -> Iterator[str]:
    """Give the name of an ordinary network of the engine."""
    name = f"vantage6-test-{uuid.uuid4().hex[:8]}"
    engine.create_network(name, driver="bridge")
    yield name
    engine.remove_network(name)


@pytest.fixture
def neighbour(engine: docker.APIClient, program_image: str, network: str) -> Iterator[str]:
    """Give the address of another container, which listens on port 8000."""
    program = "import socket, time; s = socket.create_server(('', 8000)); time.sleep(60)"
    with ordinary(engine, program_image, network, program) as id_:
        networks = engine.inspect_container(id_)["NetworkSettings"]["Networks"]
        yield networks[network]["IPAddress"]


@contextmanager
def ordinary(engine: docker.APIClient, image: str, network: str, program: str) -> Iterator[str]:
    """Run a program in a container as the engine makes them unasked."""
    id_ = engine.create_container(
        image,
        command=["python3", "-c", program],
        environment={"OUTPUT_FILE": "/dev/stdout"},
        host_config=engine.create_host_config(network_mode=network),
    )["Id"]
    try:
        engine.start(id_)
        yield id_
    finally:
        engine.remove_container(id_, force=True)


def own_address() -> str:
    """Return the address of this machine towards others; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.connect(("192.0.2.1", 9))
        address: str = asked.getsockname()[0]
        return address


def test_container_reaches_nothing_but_the_listener(
    docker_bench: MakeBench,
    engine: docker.APIClient,
    program_image: str,
    network: str,
    everywhere: int,
    neighbour: str,
) -> None:
    targets = [[own_address(), everywhere], [neighbour, 8000]]

    def ordinary_ones_get_through() -> None:
        with ordinary(engine, program_image, network, CONNECT % json.dumps(targets)) as id_:
            engine.wait(id_, timeout=30)
            assert set(json.loads(engine.logs(id_)).values()) == {True}

    eventually(ordinary_ones_get_through)
    targets += [["127.0.0.1", everywhere], ["127.0.0.1", 8080]]
    wait_for_listener = """
import time
for _ in range(200):
    try:
        socket.create_connection(('127.0.0.1', 8080), timeout=1).close()
        break
    except OSError:
        time.sleep(0.02)
"""
    program = CONNECT % json.dumps(targets)
    reached = seen(docker_bench(), program.replace("out = {}", "out = {}" + wait_for_listener))
    assert [target for target, could in reached.items() if could] == ["127.0.0.1:8080"]


class Patients(socketserver.BaseRequestHandler):
    """A database that answers whoever asks."""

    def handle(self) -> None:
        self.request.sendall(b"patients")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "database.test"])
def test_requested_service_is_reached_and_no_other(
    docker_bench: MakeBench, everywhere: int, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda name, *rest, **more: resolve(
            "127.0.0.1" if name == "database.test" else name, *rest, **more
        ),
    )
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Patients) as service:
        Thread(target=service.serve_forever, daemon=True).start()
        port = service.server_address[1]
        uri = f"http://me:word@{host}:{port}/x"
        bench = docker_bench(databases=[{"label": "default", "uri": uri, "type": "sql"}])
        program = """
import json, os, socket, time
from urllib.parse import urlsplit
address = urlsplit(os.environ['DEFAULT_DATABASE_URI'])
for _ in range(200):
    try:
        said = socket.create_connection((address.hostname, address.port), timeout=5).recv(9)
        break
    except OSError:
        time.sleep(0.02)
try:
    socket.create_connection((address.hostname, OTHER), timeout=2)
    other = True
except OSError:
    other = False
json.dump([said.decode(), other], open(os.environ['OUTPUT_FILE'], 'w'))
""".replace("OTHER", str(everywhere))
        entry, handle = bench.begin(program)
        exit_ = bench.runtime.wait(handle)
        service.shutdown()
    assert exit_.code == 0, exit_.log
    assert json.loads(entry.read_output(1000)) == ["patients", False]


def test_bridge_listener_separates_containers_from_each_other(
    docker_bench: MakeBench,
    engine: docker.APIClient,
    neighbour: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "vantage6.node.runtime.listeners.can_enter_namespaces", lambda engine_socket: False
    )
    bench = docker_bench()
    runtime = bench.runtime
    assert isinstance(runtime, DockerRuntime)
    bridge = runtime.listeners
    assert isinstance(bridge, BridgeListeners)
    try:
        _, peer = bench.begin(
            "import socket, time; s = socket.create_server(('0.0.0.0', 8000)); time.sleep(60)",
            make_claim(6),
        )
        networks = engine.inspect_container(peer.id)["NetworkSettings"]["Networks"]
        targets = [[networks[bridge.network]["IPAddress"], 8000], [neighbour, 8000]]
        program = (CONNECT % json.dumps(targets)).replace(
            "out = {}",
            "address = (os.environ['HOST'].removeprefix('http://'), int(os.environ['PORT']))\n"
            "socket.create_connection(address, timeout=5).close()\nout = {}",
        )
        assert set(seen(bench, program).values()) == {False}
        for listener in bench.listeners:
            listener.close()
        bench.listeners.clear()
        assert bench.runtime.find(6, bench.listeners.append) is not None
        assert bench.listeners[0].getsockname()[1] == peer.port
    finally:
        bench.close()
        engine.remove_network(bridge.network)


def test_bridge_listener_is_reached_with_podman(
    podman_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "vantage6.node.runtime.listeners.can_enter_namespaces", lambda engine_socket: False
    )
    bench = podman_bench()
    runtime = bench.runtime
    assert isinstance(runtime, DockerRuntime)
    assert isinstance(runtime.listeners, BridgeListeners)
    try:
        program = (
            "import socket; place = (os.environ['HOST'].removeprefix('http://'),"
            "int(os.environ['PORT'])); out = bool(socket.create_connection(place, timeout=5))"
        )
        assert seen(bench, program + REPORT)
    finally:
        bench.close()
        runtime.engine.remove_network(runtime.listeners.network)


def test_container_is_nobody_without_rights(docker_bench: MakeBench) -> None:
    status = seen(
        docker_bench(),
        "out = dict(l.split(':', 1) for l in open('/proc/self/status') if ':' in l);"
        "out['uid'] = os.getuid()" + REPORT,
    )
    # Beside a rootless engine it has no more rights outside than the node has.
    assert status["uid"] in ({65532} if os.getuid() == 0 else {0, os.getuid()})
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"
    assert status["Seccomp"].strip() == "2"


@pytest.fixture(params=["docker_bench", "podman_bench"])
def either_bench(request: pytest.FixtureRequest) -> MakeBench:
    """Give a function that makes a bench on an engine."""
    make: MakeBench = request.getfixturevalue(request.param)
    return make


def test_container_does_not_see_the_disks_of_the_machine(either_bench: MakeBench) -> None:
    """They name the runs of others, and tell what these write."""
    places = ["/sys/block", "/sys/devices/virtual/block", "/sys/class/block", "/sys/dev/block"]
    places += ["/proc/diskstats", "/proc/partitions", "/proc/cmdline", "/sys/fs/ext4"]
    # Hidden by the engine itself.
    places += ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"]
    found = seen(
        either_bench(),
        f"""
out = []
for place in {places}:
    try:
        there = os.listdir(place) if os.path.isdir(place) else open(place).read(1)
    except OSError:
        continue
    if there:
        out.append(place)
"""
        + REPORT.removeprefix("; "),
    )
    assert found == []


def test_container_writes_only_where_it_may(docker_bench: MakeBench) -> None:
    wrote = seen(
        docker_bench(),
        """
out = {}
io = os.path.dirname(os.environ['INPUT_FILE'])
for name, path in {
    'root': '/x', 'home': os.environ['HOME'] + '/x', 'shared': '/mnt/tmp/x',
    'io': io + '/x', 'input': os.environ['INPUT_FILE'], 'token': os.environ['TOKEN_FILE'],
    'database': os.environ['DEFAULT_DATABASE_URI'],
}.items():
    try:
        open(path, 'a').write('x')
        out[name] = True
    except OSError:
        out[name] = False
try:
    os.rename(os.environ['OUTPUT_FILE'], io + '/moved')
    out['move'] = True
except OSError:
    out['move'] = False
"""
        + REPORT.removeprefix("; "),
    )
    assert {name for name, could in wrote.items() if could} == {"home", "shared"}


def test_container_sees_only_its_own_result_and_the_requested_database(
    docker_bench: MakeBench, tmp_path: Path
) -> None:
    (tmp_path / "other.csv").write_text("secret")
    bench = docker_bench(
        databases=[
            {"label": "default", "uri": str(tmp_path / "patients.csv"), "type": "csv"},
            {"label": "other", "uri": str(tmp_path / "other.csv"), "type": "csv"},
        ]
    )
    bench.prepare("secret", make_claim(6, run_id=2))
    found = seen(bench, "out = [sorted(os.listdir('/mnt/data')), os.listdir('/mnt/tmp')]" + REPORT)
    assert found == [["default.csv", "task-000000005"], []]


def test_results_of_one_run_share_a_folder(docker_bench: MakeBench) -> None:
    bench = docker_bench()
    bench.run("open('/mnt/tmp/note', 'w').write('hello')", make_claim(6))
    assert seen(bench, "out = open('/mnt/tmp/note').read()" + REPORT) == "hello"


def test_process_limit_gives_a_reason(docker_bench: MakeBench) -> None:
    bench = docker_bench()
    bench.needs_bound("processes")
    _, exit_ = bench.run(
        "import subprocess; [subprocess.Popen(['sleep', '5']) for _ in range(500)]"
    )
    _, reason = judge(exit_, 0, bench.config.limits)
    assert reason is not None
    assert reason.code == "process_limit"
    assert "64" in reason.message


def test_memory_of_children_and_scratch_counts(docker_bench: MakeBench) -> None:
    bench = docker_bench(limits={"memory_bytes": 64 * MIB})
    bench.needs_bound("memory")
    _, exit_ = bench.run(
        "import subprocess, sys;"
        "sys.exit(subprocess.call([sys.executable, '-c', 'x = b\"x\" * 10**9']) and 1)"
    )
    _, reason = judge(exit_, 0, bench.config.limits)
    assert reason is not None
    assert reason.code == "out_of_memory"
    bench.runtime.remove(5)
    _, exit_ = bench.run("open('/tmp/big', 'wb').write(b'x' * (63 << 20))")
    assert exit_.code != 0


def test_image_can_keep_its_own_user_without_rights(docker_bench: MakeBench) -> None:
    bench = docker_bench(algorithm_user="image")
    status = seen(
        bench,
        "out = dict(l.split(':', 1) for l in open('/proc/self/status') if ':' in l)" + REPORT,
    )
    assert status["Uid"].split()[0] == "0"
    assert int(status["CapBnd"], 16) == 0


def test_output_is_not_replaced_by_a_link_even_by_the_root_of_a_container(
    docker_bench: MakeBench, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("of the host")
    bench = docker_bench(algorithm_user="image")
    entry, exit_ = bench.run(
        f"out = os.environ['OUTPUT_FILE']; os.unlink(out);os.symlink('{tmp_path / 'secret'}', out)"
    )
    assert exit_.code == 1
    assert entry.output_bytes() == 0


def test_log_on_disk_is_bounded(docker_bench: MakeBench, engine: docker.APIClient) -> None:
    bench = docker_bench(limits={"log_bytes": 10240})
    _, exit_ = bench.run("[print('x' * 99) for _ in range(20000)]; print('end')")
    assert exit_.log.endswith("end\n")
    assert len(exit_.log) <= 10240
    details = engine.inspect_container(bench.runtime.create(bench.prepare("")[1]).id)
    files = Path(details["LogPath"]).parent.glob("*-json.log*")
    sizes = [file.stat().st_size for file in files]
    assert not sizes or sum(sizes) < 3 * 4 * 10240


def test_database_is_not_writable_even_for_its_owner(
    docker_bench: MakeBench, tmp_path: Path
) -> None:
    bench = docker_bench(algorithm_user="image")
    _, exit_ = bench.run("open(os.environ['DEFAULT_DATABASE_URI'], 'a')")
    assert exit_.code == 1
    assert "Read-only file system" in exit_.log


def test_container_that_cannot_start_says_so_and_the_log_of_the_node_why(
    docker_bench: MakeBench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = docker_bench(algorithm_user="no-such-user")
    with pytest.raises(RefusalError) as caught:
        bench.begin("")
    assert caught.value.status == "start failed"
    assert caught.value.reason.code == "start_failed"
    assert "no-such-user" not in caught.value.reason.message
    assert "no-such-user" in capsys.readouterr().err


def test_no_thread_of_the_node_stays_in_a_namespace(docker_bench: MakeBench) -> None:
    bench = docker_bench()
    bench.begin("import time; time.sleep(1)")
    assert bench.listeners

    def namespaces() -> set[Path]:
        return {(task / "ns/net").readlink() for task in Path("/proc/self/task").iterdir()}

    own = Path("/proc/self/ns/net").readlink()
    # The thread that made the listener has ended, but the kernel may show it for a moment.
    assert eventually(lambda: namespaces() == {own})
