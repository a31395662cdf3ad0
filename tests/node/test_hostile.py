"""An algorithm that means harm: what it tries stays inside, and the audit file tells of it.

A whole node without its queue: executor, policy, proxy and audit file, with real containers.
Reached are only listeners of the tests' own.
"""

import base64
import json
import socket
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.factories import MIB, make_config
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.node.rules.audit import FILE_NAME, entries, verify
from vantage6.node.runtime.docker import DockerRuntime
from vantage6.node.work.scheduler import Scheduler

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

ENDED = ("completed", "crashed", "failed", "not allowed", "start failed")
LIMITS = {
    "memory_bytes": 128 * MIB,
    "pids": 48,
    "file_bytes": 4 * MIB,
    "disk_bytes": 8 * MIB,
    "log_bytes": 10_240,
    "request_bytes": 100_000,
    "seconds": 8,
}
REPORT = "\nimport json; json.dump(out, open(os.environ['OUTPUT_FILE'], 'w'))"
ASK = """
import json, urllib.request, urllib.error
def ask(path, token=open(os.environ['TOKEN_FILE']).read(), method='GET', body=None):
    request = urllib.request.Request(
        os.environ['HOST'] + ':' + os.environ['PORT'] + path, method=method,
        data=json.dumps(body).encode() if body else None,
        headers={'Authorization': 'Bearer ' + token, 'Content-Type': 'application/json'})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
"""


@dataclass
class Station:
    """A station with containers, and the server that it works for."""

    scheduler: Scheduler
    wire: Wire
    audit_file: Path
    name: str

    def run(self, id_: int, program: str, **task: Any) -> dict[str, Any]:
        """Run a program to its end, and return its result at the server."""
        self.wire.add(id_, program, **task)
        self.scheduler.accept(id_)
        eventually(lambda: self.wire.results[id_]["status"] in ENDED, 60)
        return self.wire.results[id_]

    def events(self, id_: int, event: str) -> list[dict[str, Any]]:
        """Return the events of a kind for a result; the file has to be whole."""
        assert verify(self.audit_file).broken is None
        return [
            entry
            for entry in entries(self.audit_file)
            if (entry["event"], entry.get("result_id")) == (event, id_)
        ]

    def contained(self, id_: int) -> dict[str, int]:
        """Return what the file says in the end of what a result was kept from."""
        lines = [entry["counts"] for entry in self.events(id_, "contained")]
        return lines[-1] if lines else {}


@pytest.fixture
def station(
    program_image: str,
    docker_host: str,
    engine: docker.APIClient,
    wire: Wire,
    make_context: MakeContext,
    make_scheduler: MakeScheduler,
    tmp_path: Path,
) -> Iterator[Callable[..., Station]]:
    """Give a function that makes a station; whatever it ran is gone in the end."""
    names: list[str] = []

    def make(**values: Any) -> Station:
        values = {"docker_host": docker_host, "limits": LIMITS, **values}
        name = f"test-{uuid.uuid4().hex[:8]}"
        names.append(name)
        runtime = DockerRuntime(name, make_config(**values))
        scheduler = make_scheduler(make_context(runtime=runtime, **values))
        return Station(scheduler, wire, tmp_path / "data" / FILE_NAME, name)

    yield make
    for name in names:
        label = {"label": [f"node={name}"]}
        eventually(lambda label=label: not engine.containers(all=True, filters=label))
        assert not engine.networks(filters=label)


MakeHostile = Callable[..., Station]

#: What is tried, how it may end, and what the audit file counts at least.
NOISE = {
    "fork bomb": (
        "while True:\n try: os.fork()\n except OSError: pass",
        "time_limit",
        {"process_limit", "time_limit"},
    ),
    "fork bomb that fails": (
        "import subprocess, sys\n[subprocess.Popen(['sleep', '9']) for _ in range(200)]",
        "process_limit",
        {"process_limit"},
    ),
    "memory": (
        "hold = []\nwhile True: hold.append(bytes(2**20))",
        "out_of_memory",
        {"out_of_memory"},
    ),
    "scratch": (
        "for i in range(200): open(f'/tmp/{i}', 'wb').write(bytes(2**20))",
        "out_of_memory|exit_code",
        {"out_of_memory"},
    ),
    "disk": (
        "import time\nfor i in range(10**6):\n"
        " open(f'/mnt/tmp/{i}', 'wb').write(bytes(2**18)); time.sleep(0.01)",
        "disk_limit",
        {"disk_limit"},
    ),
    "many small files": (
        "import time\nfor i in range(3000): open(f'/mnt/tmp/{i}', 'w').close()\ntime.sleep(60)",
        "disk_limit",
        {"disk_limit"},
    ),
    "output of 2 GB": (
        "file = open(os.environ['OUTPUT_FILE'], 'wb')\n"
        "for _ in range(2048): file.write(bytes(2**20))",
        "output_too_large",
        {"output_too_large"},
    ),
    "output of 2 GB with holes": (
        "os.truncate(os.environ['OUTPUT_FILE'], 2**31)",
        "output_too_large",
        {"output_too_large"},
    ),
    "link for an output": (
        "path = os.environ['OUTPUT_FILE']; os.unlink(path); os.symlink('/etc/shadow', path)",
        "exit_code",
        # A failed system call is nothing that anybody counts; its end is in the line `released`.
        set(),
    ),
    "sleep for ever": ("import time; time.sleep(10**6)", "time_limit", {"time_limit"}),
}


@pytest.mark.parametrize("attack", NOISE)
def test_attack_on_the_machine_ends_with_its_reason(station: MakeHostile, attack: str) -> None:
    program, codes, kinds = NOISE[attack]
    here = station()
    result = here.run(5, program)
    assert result["status"] == "crashed"
    assert result["reason"]["code"] in codes.split("|"), result
    assert "result" not in result
    (asked,) = here.events(5, "asked")
    (released,) = here.events(5, "released")
    assert asked["input_hash"]
    assert here.events(5, "started")[0]["image_id"].startswith("sha256:")
    assert released["reason"]["code"] == result["reason"]["code"]
    assert released["output_bytes"] == 0
    assert here.contained(5).keys() == kinds
    # The station goes on working, and finds nothing to note.
    assert here.run(6, "out = 'fine'" + REPORT, run_id=2)["status"] == "completed"
    assert not here.contained(6)


def test_refused_processes_are_counted_even_if_the_algorithm_keeps_quiet(
    station: MakeHostile,
) -> None:
    here = station()
    program = """
import subprocess, time
held = []
for _ in range(60):
    try:
        held.append(subprocess.Popen(['sleep', '2']))
    except OSError:
        pass
time.sleep(2)
out = len(held)
"""
    held = int(_output(here.run(5, program + REPORT)))
    contained = here.contained(5)
    # One that is refused may have been tried in two ways.
    assert contained.keys() == {"process_limit"}
    assert contained["process_limit"] >= 60 - held > 0


def test_disk_that_fills_quickly_is_stopped_soon(station: MakeHostile) -> None:
    here = station()
    program = """
import time
for i in range(1000):
    open(f'/mnt/tmp/{i}', 'wb').write(bytes(2**20))
    print(i, flush=True)
    time.sleep(0.01)
"""
    result = here.run(5, program)
    assert result["reason"]["code"] == "disk_limit"
    # 100 MB a second at most, and 8 MiB are allowed.
    written = [int(line) for line in result["log"].splitlines() if line.isdecimal()]
    assert max(written) < 60


def test_output_is_not_replaced_by_a_link_even_for_the_root_of_a_container(
    station: MakeHostile, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    here = station(algorithm_user="image")
    program = f"path = os.environ['OUTPUT_FILE']; os.unlink(path); os.symlink('{secret}', path)"
    result = here.run(5, program)
    # What it may write is the file itself, not the folder.
    assert result["reason"]["code"] == "exit_code"
    assert here.events(5, "released")[0]["output_bytes"] == 0


@pytest.mark.parametrize("length", [1, 99])
def test_flood_of_lines_is_cut_and_counted(station: MakeHostile, length: int) -> None:
    here = station()
    program = f"for _ in range(300_000): print('x' * {length})\nprint('end'); out = 1" + REPORT
    result = here.run(5, program)
    assert result["log"].endswith("end\n")
    assert here.events(5, "released")[0]["log_bytes"] == len(result["log"]) <= 10_240
    assert here.contained(5) == {"log_limit": 1}


def test_files_and_tokens_of_other_results_are_out_of_sight(
    station: MakeHostile, wire: Wire
) -> None:
    here = station()
    wire.add(6, "secret_program = 1; import time; time.sleep(6)", run_id=2)
    here.scheduler.accept(6)
    eventually(lambda: wire.results[6]["status"] == "active")
    search = """
out = []
for folder, _, files in os.walk('/'):
    if folder.startswith(('/sys', '/usr', '/proc/1/task')):
        continue
    if 'task-000000006' in folder:
        out.append(folder)
    for name in files:
        if name in ('input', 'token', 'environ', 'cmdline', 'entry.json', 'audit.jsonl'):
            try:
                text = open(f'{folder}/{name}', 'rb').read(10**6)
            except OSError:
                continue
            # In two pieces, or the search would find itself.
            if b'secret_' + b'program' in text or b'result' + b'-6' in text:
                out.append(f'{folder}/{name}')
"""
    result = here.run(5, search + REPORT)
    assert json.loads(_output(result)) == []
    here.scheduler.kill(6)


def test_listener_lets_nothing_through_but_the_own_task(station: MakeHostile, wire: Wire) -> None:
    here = station()
    attempts = """
out = [ask('/user'), ask('/task', method='DELETE'), ask('/node/reconcile', method='POST'),
       ask('/result/6', token='another'), ask('/collaboration/2'), ask('/../admin'),
       ask('/organization/2')]
"""
    result = here.run(5, ASK + attempts + REPORT)
    assert json.loads(_output(result)) == [404, 405, 404, 401, 404, 404, 200]
    assert here.contained(5) == {"path_closed": 4, "method_closed": 1, "wrong_token": 1}
    denied = [entry["request"] for entry in here.events(5, "denied")]
    assert denied[:3] == ["GET /user", "DELETE /task", "POST /node/reconcile"]
    assert len(denied) == 6
    # What passed was asked in the name of the algorithm.
    own = [asked for asked in wire.asked if asked.path == "/organization/2"]
    assert {asked.authorization for asked in own} != {None}
    assert not [asked for asked in wire.asked if asked.path in {"/user", "/../admin"}]


def test_machine_and_metadata_service_are_out_of_reach(station: MakeHostile) -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = listener.getsockname()[1]
        program = f"""
import socket
def reach(host, port):
    try:
        socket.create_connection((host, port), timeout=2).close()
        return True
    except OSError:
        return False
out = [open('/proc/net/route').read().count('\\n'),
       [reach(host, {port}) for host in
        ('127.0.0.1', '172.17.0.1', '169.254.169.254', 'host.docker.internal')]]
"""
        here = station()
        result = here.run(5, program + REPORT)
    # No route leads anywhere: neither to this machine nor to addresses of clouds.
    assert json.loads(_output(result)) == [1, [False, False, False, False]]
    contained = here.contained(5)
    assert contained["connection_refused"] >= 1
    # The two addresses, and the name servers that were asked for the name.
    assert contained["network_unreachable"] >= 2


def test_database_cannot_be_changed(station: MakeHostile, tmp_path: Path) -> None:
    program = """
path = os.environ['DEFAULT_DATABASE_URI']
out = []
for attempt in (lambda: open(path, 'a'), lambda: os.unlink(path), lambda: os.chmod(path, 0o777),
                lambda: os.truncate(path, 0), lambda: os.rename(path, path + '.old')):
    try:
        attempt()
        out.append('done')
    except OSError:
        pass
"""
    result = station(algorithm_user="image").run(5, program + REPORT)
    assert json.loads(_output(result)) == []
    assert (tmp_path / "patients.csv").read_text() == "age\n40\n50\n"


def test_flooded_listener_is_the_flooders_own(station: MakeHostile, wire: Wire) -> None:
    here = station()
    flood = """
import socket, time
address = os.environ['HOST'].removeprefix('http://'), int(os.environ['PORT'])
held = []
for _ in range(300):
    try:
        s = socket.create_connection(address, timeout=1)
        s.sendall(b'POST /task HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 90000\\r\\n\\r\\nx')
        held.append(s)
    except OSError:
        break
open('/mnt/tmp/flooding', 'w')
time.sleep(60)
"""
    wire.add(5, flood)
    here.scheduler.accept(5)
    flooding = here.audit_file.parent / "runs/1/shared/flooding"
    eventually(flooding.exists)
    # The file tells of it before it ends.
    eventually(lambda: here.contained(5) == {"proxy_full": 1})
    # Another algorithm speaks to the server meanwhile.
    result = here.run(6, ASK + "out = ask('/organization/2')" + REPORT, run_id=2)
    assert json.loads(_output(result)) == 200
    eventually(lambda: wire.results[5]["status"] == "crashed", 60)
    assert here.events(5, "released")[0]["reason"]["code"] == "time_limit"
    assert here.contained(5).keys() == {"proxy_full", "time_limit"}
    assert not here.contained(6)


def test_flood_of_subtasks_is_stopped_and_counted(station: MakeHostile, wire: Wire) -> None:
    wire.answers["POST /task"] = (201, {"id": 9, "results": [{"id": 90}]})
    here = station(limits={**LIMITS, "subtasks": 5})
    flood = "body = {'image': 'x', 'organizations': [{'id': 2, 'input': ''}]}\n"
    flood += "out = [ask('/task', method='POST', body=body) for _ in range(30)]"
    result = here.run(5, ASK + flood + REPORT)
    assert json.loads(_output(result)) == [200] * 5 + [429] * 25
    assert here.contained(5) == {"too_many_subtasks": 25}
    assert len(here.events(5, "subtask")) == 5


def _output(result: dict[str, Any]) -> bytes:
    assert result["status"] == "completed", result
    return base64.b64decode(result["result"])
