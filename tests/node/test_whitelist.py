"""What algorithms reach outside, and what they do not."""

import json
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import docker
import pytest

from tests.node.conftest import MakeBench
from tests.node.factories import IMAGE, Bench, make_claim
from tests.services import needs
from tests.waiting import eventually
from vantage6.common.config.services import WhitelistConfig
from vantage6.common.errors import ConfigurationError
from vantage6.node.runtime.docker import DockerRuntime
from vantage6.node.runtime.namespaces import within
from vantage6.node.services.whitelist import rules

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("services_image")]

SERVE = """
import http.server, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'hello from outside')
for port in (8000, 8001):
    server = http.server.ThreadingHTTPServer(('', port), Handler)
    threading.Thread(target=server.serve_forever).start()
"""
ASK = """
import json, os, socket, time, urllib.request
for _ in range(200):
    try:
        socket.create_connection(('squid', 3128), timeout=5).close()
        break
    except OSError:
        time.sleep(0.02)
def get(url):
    try:
        return urllib.request.urlopen(url, timeout=30).read().decode()
    except OSError as error:
        return getattr(error, 'code', None) or type(error).__name__
def connect(target):
    proxy = socket.create_connection(('squid', 3128), timeout=30)
    proxy.sendall(f'CONNECT {target} HTTP/1.1\\r\\nHost: {target}\\r\\n\\r\\n'.encode())
    return int(proxy.recv(4096).split()[1])
def direct(host, port):
    try:
        socket.create_connection((host, port), timeout=5).close()
        return True
    except OSError:
        return False
out = EXPRESSION
json.dump(out, open(os.environ['OUTPUT_FILE'], 'w'))
"""


def asked(bench: Bench, expression: str, **claim: Any) -> Any:
    """Return what an expression gives within an algorithm."""
    entry, exit_ = bench.run(ASK.replace("EXPRESSION", expression), make_claim(**claim))
    assert exit_.code == 0, exit_.log
    return json.loads(entry.read_output(10**6))


def service_of(bench: Bench, engine: docker.APIClient) -> str:
    """Return the container of the one service of a node; others use the engine meanwhile."""
    assert isinstance(bench.runtime, DockerRuntime)
    labels = ["vantage6-type=service", f"node={bench.runtime._name}"]
    (found,) = engine.containers(filters={"label": labels})
    id_: str = found["Id"]
    return id_


class NameServer:
    """Answers every question that a container asks the DNS, and notes the name."""

    def __init__(self, engine: docker.APIClient, container: str, address: str) -> None:
        details = engine.inspect_container(container)
        self._address = address
        self._socket = within(details["Id"], details["State"]["Pid"], self._redirect)
        self._socket.settimeout(0.1)
        self.asked: set[str] = set()
        self._closed = False
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._thread.join()
        self._socket.close()

    def _redirect(self) -> socket.socket:
        listener = socket.socket(type=socket.SOCK_DGRAM)
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
        rule = ["-p", "udp", "--dport", "53", "-j", "REDIRECT", "--to-ports", port]
        command = [needs("iptables"), "-t", "nat", "-I", "OUTPUT", *rule]
        subprocess.run(command, check=True, timeout=30)
        return listener

    def _serve(self) -> None:
        while not self._closed:
            try:
                question, caller = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            self._socket.sendto(self._answer(question), caller)

    def _answer(self, question: bytes) -> bytes:
        end = question.index(0, 12)
        labels, at = [], 12
        while at < end:
            labels.append(question[at + 1 : at + 1 + question[at]].decode())
            at += 1 + question[at]
        name = ".".join(labels)
        self.asked.add(name)
        kind = int.from_bytes(question[end + 1 : end + 3])
        head = question[:2] + b"\x81\x80\0\1"
        asked = question[12 : end + 5]
        if kind != 1:
            return head + b"\0\0\0\0\0\0" + asked
        address = "169.254.169.254" if name.startswith("metadata.") else self._address
        record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(address)
        return head + b"\0\1\0\0\0\0" + asked + record


@pytest.fixture(scope="module")
def outside(engine: docker.APIClient, program_image: str) -> Iterator[str]:
    """Give the address of a web server, which listens on ports 8000 and 8001."""
    id_ = engine.create_container(program_image, command=["python3", "-c", SERVE])["Id"]
    try:
        engine.start(id_)
        address = engine.inspect_container(id_)["NetworkSettings"]["IPAddress"]
        for port in (8000, 8001):
            eventually(lambda port=port: socket.create_connection((address, port), 5).close())
        yield address
    finally:
        engine.remove_container(id_, force=True)


def test_listed_address_answers_and_others_do_not(docker_bench: MakeBench, outside: str) -> None:
    bench = docker_bench(whitelist={"ips": [outside], "ports": [8000]})
    other = outside.rpartition(".")[0] + ".1"
    found = asked(
        bench,
        f"[get('http://{outside}:8000/'), get('http://{outside}:8001/'), get('http://{other}:8000/'),"
        f" get('http://localhost.test:8000/'), direct('{outside}', 8000)]",
    )
    assert found == ["hello from outside", 403, 403, 403, False]


def test_connect_is_held_to_the_same_list(docker_bench: MakeBench, outside: str) -> None:
    bench = docker_bench(whitelist={"ips": [f"{outside}/32"], "ports": 8000})
    found = asked(
        bench,
        f"[connect('{outside}:8000'), connect('{outside}:8001'), connect('{outside}:22'),"
        " connect('127.0.0.1:8000'), connect('127.0.0.1:3128')]",
    )
    assert found == [200, 403, 403, 403, 403]


def test_proxy_is_not_asked_for_the_node_itself(docker_bench: MakeBench, outside: str) -> None:
    bench = docker_bench(whitelist={"ips": [outside], "ports": [8000]}, vpn_subnet=None)
    found = asked(
        bench,
        "[os.environ['HTTPS_PROXY'], os.environ['no_proxy'],"
        " urllib.request.proxy_bypass('127.0.0.1')]",
    )
    assert found == ["http://squid:3128", "squid,localhost,127.0.0.1,proxyserver", True]


def test_rules_of_the_site_name_the_images_that_may_use_it(
    docker_bench: MakeBench, outside: str
) -> None:
    policies = {"allowed_algorithms": [".*"], "services": {"whitelist": ["another-image"]}}
    bench = docker_bench(whitelist={"ips": [outside], "ports": [8000]}, policies=policies)
    found = asked(bench, "['HTTP_PROXY' in os.environ, direct('squid', 3128)]")
    assert found == [False, False]


def test_listed_name_answers_and_refused_names_are_never_looked_up(
    docker_bench: MakeBench, engine: docker.APIClient, outside: str
) -> None:
    bench = docker_bench(whitelist={"domains": ["open.test", ".below.test"], "ports": [8000]})
    proxy = service_of(bench, engine)
    with NameServer(engine, proxy, outside) as names:
        found = asked(
            bench,
            "[get('http://open.test:8000/'), get('http://a.below.test:8000/'),"
            " get('http://patient-7.evil.test:8000/'), get('http://notopen.test:8000/'),"
            " connect('patient-8.evil.test:8000'), connect('patient-9.open.test:8000'),"
            f" connect('open.test:8001'), get('http://{outside}:8000/'),"
            " get('http://metadata.below.test:8000/')]",
        )
    hello = "hello from outside"
    assert found == [hello, hello, 403, 403, 403, 403, 403, 403, 403]
    assert names.asked == {"open.test", "a.below.test", "metadata.below.test"}


def test_every_check_before_the_refusal_goes_without_a_lookup() -> None:
    config = WhitelistConfig.model_validate(
        {"domains": ["a.example", ".a.example"], "ips": ["10.0.0.0/8"], "ports": [443]}
    )
    lines = rules(config).splitlines()
    refusal = lines.index("http_access deny !targets")
    before = [line for line in lines[:refusal] if " dst" in line]
    assert len(before) == 3
    assert all(" -n " in line for line in before)


def test_image_that_is_built_here_is_never_pulled_but_asked_for(
    docker_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = f"vantage6/services-{uuid.uuid4().hex[:8]}:latest"
    monkeypatch.setattr("vantage6.node.services.container.SERVICES_IMAGE", absent)
    asked_for = rf"^whitelist, images\.squid: .*{absent} is not on .*`docker build --tag {absent} /"
    with pytest.raises(ConfigurationError, match=asked_for):
        docker_bench(whitelist={}, images={"squid": absent}, pull_policy="always")


def test_image_that_is_built_here_serves_where_others_are_always_pulled(
    docker_bench: MakeBench,
) -> None:
    bench = docker_bench(whitelist={"ports": [443]}, pull_policy="always")
    bench.services.dial("squid", 3128).close()


def test_start_that_fails_leaves_no_container(
    docker_bench: MakeBench, engine: docker.APIClient, tmp_path: Path
) -> None:
    settings = {"host": "127.0.0.1", "fingerprint": "ssh-ed25519 AAAA"}
    tunnel = {
        "hostname": "warehouse",
        "ssh": {**settings, "identity": {"username": "me", "key": "missing"}},
        "tunnel": {"bind": {"port": 1}, "dest": {"port": 1}},
    }
    with pytest.raises(ConfigurationError, match=r"ssh-tunnels\.warehouse\.ssh\.identity\.key"):
        docker_bench(**{"whitelist": {"ports": [443]}, "ssh-tunnels": [tunnel]})
    with pytest.raises(ConfigurationError, match=r'images\.squid: .*"squid": executable file not'):
        docker_bench(whitelist={"ports": [443]}, images={"squid": IMAGE})
    mounts = [
        mount["Source"]
        for found in engine.containers(all=True, filters={"label": "vantage6-type=service"})
        for mount in found["Mounts"]
    ]
    assert not [source for source in mounts if source.startswith(str(tmp_path))]


def test_a_proxy_that_cannot_be_had_ends_the_start(docker_bench: MakeBench) -> None:
    with pytest.raises(ConfigurationError, match=r"whitelist, images\.squid: .*no/such-image"):
        docker_bench(whitelist={"ports": [443]}, images={"squid": "no/such-image"})
