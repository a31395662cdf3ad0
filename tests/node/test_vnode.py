"""The node as a process, as its administrator sees it."""

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from tests.node.factories import COMMAND, IMAGE, write_database
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.broker import acl, queues
from vantage6.broker.connection import client
from vantage6.broker.inboxes import Inboxes
from vantage6.broker.messages import Message, ResultKilled, ResultReady
from vantage6.broker.publisher import Publisher
from vantage6.sandbox.ports import free_port

#: Each test starts the command itself.
pytestmark = pytest.mark.slow

VNODE = [sys.executable, "-c", "from vantage6.node.cli import main; main()"]
DONE = "open(os.environ['OUTPUT_FILE'], 'w').write('done')"

Write = Callable[..., Path]
Start = Callable[[Path], "subprocess.Popen[str]"]


@pytest.fixture
def write(wire: Wire, tmp_path: Path) -> Write:
    """Give a function that writes a configuration."""

    def write(**values: Any) -> Path:
        write_database(tmp_path)
        path = tmp_path / "station.yaml"
        content = {
            "api_key": "key",
            "server_url": "http://127.0.0.1",
            "port": wire.port,
            "task_dir": str(tmp_path / "data"),
            "databases": {"default": "patients.csv"},
            "encryption": {"enabled": False},
            "runtime": "process",
            "processes": {IMAGE: list(COMMAND)},
            **values,
        }
        path.write_text(yaml.safe_dump({"application": content}))
        return path

    return write


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Give a function that starts a node."""
    started: list[subprocess.Popen[str]] = []

    def start(path: Path) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [*VNODE, "start", "--attach", "-c", str(path)],
            stderr=subprocess.PIPE,
            text=True,
            env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def publish(wire: Wire, redis_url: str) -> Callable[[Message], int]:
    """Give a function that puts a doorbell into the node's inbox, through a real broker."""
    with redis.Redis.from_url(redis_url) as admin:
        password = acl.grant(admin, 7)
    address = redis_url.removeprefix("redis://")
    wire.broker = {
        "url": f"redis://{queues.user(7)}:{password}@{address}",
        "queue": queues.inbox(7),
    }
    wire.inboxes = Inboxes(client(redis_url))
    publisher = Publisher(redis_url)
    return lambda message: publisher.publish([(7, message)])


def run(*arguments: str, home: Path) -> "subprocess.CompletedProcess[str]":
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    return subprocess.run(
        [*VNODE, *arguments], capture_output=True, text=True, timeout=60, env=environment
    )


def test_help_and_version_import_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys; sys.argv = ['vnode', '--help']; from vantage6.node.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'docker', 'falcon', 'kombu', 'httpx2', 'pydantic', 'yaml'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert run("version", home=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({"no_such_key": 1}, 10, "no_such_key"),
        ({"api_key": "wrong"}, 13, "api_key"),
        ({"api_path": "/elsewhere"}, 10, "api_path"),
        ({"runtime": "docker", "docker_host": "unix:///none.sock"}, 20, "docker_host"),
    ],
)
def test_each_failure_has_its_exit_code_and_says_what_to_do(
    write: Write, tmp_path: Path, values: dict[str, Any], code: int, words: str
) -> None:
    done = run("start", "--attach", "-c", str(write(**values)), home=tmp_path)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == code, done.stderr
    assert words in last
    assert "Traceback" not in done.stderr


def test_node_without_collaboration_says_who_can_change_that(
    wire: Wire, write: Write, tmp_path: Path
) -> None:
    homeless = {"id": 7, "name": "station", "organization": {"id": 1}, "collaboration": None}
    wire.answers["GET /node/7"] = (200, homeless)
    done = run("start", "--attach", "-c", str(write()), home=tmp_path)
    assert done.returncode == 10
    assert "in no collaboration" in done.stderr


def test_unknown_name_says_where_it_was_looked_for(tmp_path: Path) -> None:
    done = run("start", "--attach", "-n", "nobody", home=tmp_path)
    assert done.returncode == 10
    assert ".config/vantage6/node" in done.stderr


def test_node_is_found_by_its_name(write: Write, start: Start, tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "vantage6" / "node"
    folder.mkdir(parents=True)
    write(api_key="wrong").rename(folder / "mine.yaml")
    assert run("start", "--attach", "-n", "mine", home=tmp_path).returncode == 13


def test_second_node_on_one_data_folder_is_refused(
    wire: Wire, write: Write, start: Start, tmp_path: Path
) -> None:
    path = write()
    start(path)
    eventually(lambda: any(asked.path.endswith("reconcile") for asked in wire.asked))
    done = run("start", "--attach", "-c", str(path), home=tmp_path)
    assert done.returncode == 10
    assert "runs already" in done.stderr


def test_results_are_computed_even_without_a_broker(wire: Wire, write: Write, start: Start) -> None:
    wire.add(5, DONE)
    start(write())
    eventually(lambda: wire.ids("completed") == [5])


def test_node_tells_the_server_what_its_policies_allow(
    wire: Wire, write: Write, start: Start
) -> None:
    wire.answers["PATCH /node/7"] = (200, {"id": 7})
    wire.add(5, DONE)
    # The input of this program is no JSON.
    policies = {"allowed_users": [7], "allowed_algorithms": ".*", "allow_pickle": True}
    start(write(policies=policies))
    eventually(lambda: wire.ids("completed") == [5])
    (told,) = [asked.body for asked in wire.asked if asked.path == "/node/7" and asked.body]
    assert {"key": "allowed_users", "value": "7"} in told["config"]


def test_node_waits_for_its_server(wire: Wire, write: Write, start: Start) -> None:
    wire.add(5, DONE)
    wire.is_down = True
    process = start(write())
    eventually(lambda: wire.asked)
    assert process.poll() is None
    wire.is_down = False
    eventually(lambda: wire.ids("completed") == [5])


@pytest.mark.parametrize("transport", ["https", "redis"])
def test_doorbells_arrive_over_each_transport(
    wire: Wire,
    write: Write,
    start: Start,
    publish: Callable[[Message], int],
    redis_url: str,
    transport: str,
) -> None:
    start(write(transport=transport))
    with redis.Redis.from_url(redis_url) as admin:
        assert eventually(lambda: admin.exists(queues.alive(7)))
        wire.add(5, "import time; time.sleep(60)")
        wire.add(6, DONE)
        publish(ResultReady(5, 105))
        publish(ResultReady(6, 106))
        eventually(lambda: wire.ids("completed") == [6])
        eventually(lambda: wire.ids("active") == [5])
        wire.results[5]["status"] = "killed by user"
        publish(ResultKilled(5, 105))
        assert eventually(lambda: not admin.exists(queues.inflight(7), queues.inbox(7)))
    # The next claim of anything shows that the node is still listening.
    wire.add(7, DONE)
    publish(ResultReady(7, 107))
    eventually(lambda: wire.ids("completed") == [6, 7])
    asked = {asked.path for asked in wire.asked}
    assert ("/token/broker" in asked) == (transport == "redis")


def test_stop_is_quick_and_leaves_the_algorithm_running(
    wire: Wire, write: Write, start: Start, tmp_path: Path
) -> None:
    shared = "import time; open(os.environ['TEMPORARY_FOLDER'] + '/runs', 'a').write('x');"
    wait = "\nwhile not os.path.exists(os.environ['TEMPORARY_FOLDER'] + '/go'): time.sleep(0.02)\n"
    wire.add(5, shared + wait + DONE)
    path = write()
    first = start(path)
    eventually(lambda: wire.ids("active") == [5])
    first.send_signal(signal.SIGTERM)
    # Until it ends by itself, or by its limit of time, the algorithm runs on.
    assert first.wait(30) == 0
    assert wire.ids("active") == [5]
    start(path)
    (tmp_path / "data/runs/1/go").touch()
    eventually(lambda: wire.ids("completed") == [5])
    assert (tmp_path / "data/runs/1/runs").read_text() == "x"


def test_node_that_is_killed_loses_nothing_and_repeats_nothing(
    wire: Wire, write: Write, start: Start, tmp_path: Path
) -> None:
    shared = "import time; open(os.environ['TEMPORARY_FOLDER'] + '/runs', 'a').write('x');"
    for id_ in range(1, 7):
        wire.add(id_, shared + f"time.sleep({id_ * 0.3});" + DONE)
    path = write(parallel=2)
    for _ in range(3):
        process = start(path)
        eventually(lambda: wire.ids("active", "completed"))
        time.sleep(0.4)
        process.kill()
        process.wait()
    start(path)
    eventually(lambda: len(wire.ids("completed", "unknown error")) == 6, 60)
    assert len((tmp_path / "data/runs/1/runs").read_text()) <= 6


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            (404, {"msg": "no such path", "code": "not_found", "request_id": "1"}),
            "transport: redis",
        ),
        ((200, "<html>"), "not connected"),
        ((502, None), "not connected"),
    ],
    ids=["an old server", "somebody else", "a proxy without server"],
)
def test_node_that_gets_no_messages_goes_on_asking(
    wire: Wire, write: Write, start: Start, answer: tuple[int, Any], words: str
) -> None:
    wire.answers["GET /node/7/inbox"] = answer
    process = start(write())
    eventually(lambda: [asked.path for asked in wire.asked].count("/node/7/inbox") > 1)
    # What it does not hear of it learns when it reconciles.
    wire.add(5, DONE)
    eventually(lambda: wire.ids("completed") == [5])
    process.send_signal(signal.SIGINT)
    assert words in process.communicate(timeout=60)[1]


def test_token_that_is_refused_is_replaced_and_only_a_refused_key_ends_the_node(
    wire: Wire, write: Write, start: Start
) -> None:
    logins = "/token/node"
    wire.answers["GET /node/7/inbox"] = (401, {"msg": "No.", "code": "identity_gone"})
    process = start(write())
    eventually(lambda: [asked.path for asked in wire.asked].count(logins) > 1)
    assert process.poll() is None
    wire.answers["POST /token/node"] = (401, {"msg": "Wrong key.", "code": "unauthenticated"})
    assert process.wait(20) == 13


def test_server_port_that_nobody_listens_on_is_tried_again(write: Write, start: Start) -> None:
    process = start(write(port=free_port()))
    assert process.stderr is not None
    assert any("server does not answer" in line for line in process.stderr)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


def test_signal_within_a_wait_ends_the_wait() -> None:
    # A handler that called `Event.set` would wait for ever for the lock that its own thread holds.
    program = (
        "import signal\n"
        "from vantage6.node.commands.starting import stop_at_signals\n"
        "stop = stop_at_signals()\n"
        "with stop._cond:\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
        "assert stop.wait(10)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


ASK = """
import http.client, time, urllib.request
def ask():
    for _ in range(3000):
        try:
            return urllib.request.urlopen(urllib.request.Request(
                os.environ['HOST'] + ':' + os.environ['PORT'] + '/organization/2',
                headers={'Authorization': 'Bearer ' + open(os.environ['TOKEN_FILE']).read()},
            ), timeout=5).read()
        except (OSError, http.client.HTTPException):
            time.sleep(0.02)
ask()
while not os.path.exists('/mnt/tmp/go'):
    time.sleep(0.02)
open(os.environ['OUTPUT_FILE'], 'wb').write(ask())
"""


@pytest.mark.slow
def test_container_keeps_its_listener_when_the_node_is_restarted(
    wire: Wire, write: Write, start: Start, tmp_path: Path, docker_host: str, program_image: str
) -> None:
    wire.add(5, ASK)
    path = write(runtime="docker", docker_host=docker_host, pull_policy="never")
    first = start(path)
    eventually(lambda: "/organization/2" in [asked.path for asked in wire.asked])
    first.kill()
    first.wait()
    start(path)
    disk = tmp_path / "data/runs/1/shared"
    (disk / "go" if disk.exists() else tmp_path / "data/runs/1/go").touch()
    eventually(lambda: wire.ids("completed") == [5], 60)
    assert b"org 2" in base64.b64decode(wire.results[5]["result"])
    assert wire.claims == [5]


#: An algorithm that goes on until a file is there, or for a minute.
GOING_ON = """
import pathlib, time
for _ in range(600):
    if pathlib.Path({!r}).exists():
        break
    time.sleep(0.1)
"""


@pytest.mark.parametrize("transport", ["https", "redis"])
def test_node_whose_key_another_station_uses_ends_and_keeps_what_it_holds(
    wire: Wire,
    write: Write,
    start: Start,
    publish: Callable[[Message], int],
    tmp_path: Path,
    transport: str,
) -> None:
    wire.lease_seconds = 3
    end = tmp_path / "end"
    wire.add(5, GOING_ON.format(str(end)))
    process = start(write(transport=transport))
    eventually(lambda: wire.ids("active") == [5])
    for path in ("node/reconcile", "token/refresh"):
        refused = (401, {"msg": "This session was ended.", "code": "session_ended"})
        wire.answers[f"POST /{path}"] = refused
    words = "Another node works with this key."
    wire.answers["POST /token/node"] = (401, {"msg": words, "code": "key_in_use"})
    assert process.wait(20) == 13
    # The algorithm, which goes on, holds the same output open; so not all of it is read.
    assert any(words in line for line in process.stderr or pytest.fail("no output"))
    assert (tmp_path / "data/results/task-000000005/entry.json").exists()
    assert wire.ids("active") == [5]
    # It holds the output of the node open.
    end.touch()


def test_node_says_that_another_station_tried_its_key(
    wire: Wire, write: Write, start: Start
) -> None:
    wire.refused_login = {"at": "2026-01-02T03:04:05+00:00", "address": "192.0.2.7"}
    process = start(write())
    assert process.stderr is not None
    line = next(line for line in process.stderr if "another station was refused" in line)
    assert "192.0.2.7" in line
    assert "register a node of its own" in line


def test_a_restarted_node_names_the_same_data_folder_and_the_process_before(
    wire: Wire, write: Write, start: Start
) -> None:
    path, logins = write(), []
    for _ in range(2):
        wire.asked.clear()
        process = start(path)
        eventually(lambda: any(asked.path == "/node/reconcile" for asked in wire.asked))
        process.kill()
        process.wait(10)
        logins += [asked.body for asked in wire.asked if asked.path == "/token/node"]
    first, second = logins
    assert first["instance"] == second["instance"]
    assert first["process"] != second["process"]
    assert first["previous"] == []
    assert second["previous"] == [first["process"]]


def test_a_process_whose_login_was_not_answered_is_named_at_the_next_start(
    wire: Wire, write: Write, start: Start
) -> None:
    path, logins = write(), []
    for answer in ((502, None), (401, {"msg": "No.", "code": "key_in_use"}), None):
        wire.asked.clear()
        wire.answers.pop("POST /token/node", None)
        if answer is not None:
            wire.answers["POST /token/node"] = answer
        process = start(path)
        eventually(lambda: any(asked.path == "/token/node" for asked in wire.asked))
        process.kill()
        process.wait(10)
        logins.append(next(asked.body for asked in wire.asked if asked.path == "/token/node"))
    names = [login["process"] for login in logins]
    assert [login["previous"] for login in logins] == [[], names[:1], names[:2]]


def test_what_runs_is_listed_and_stopped_by_commands(
    wire: Wire, write: Write, start: Start, tmp_path: Path
) -> None:
    file = write()
    process = start(file)
    for id_ in (5, 6):
        wire.add(id_, "import time; time.sleep(60)", run_id=id_)
    eventually(lambda: wire.ids("active") == [5, 6])
    said = run("running", "-c", str(file), home=tmp_path)
    assert said.returncode == 0, said.stderr
    for words in ("Organization", "org 1", "alice", IMAGE, "MiB"):
        assert words in said.stdout
    done = run("kill", "5", "--reason", "wrong column", "-c", str(file), home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert wire.results[5]["reason"]["msg"] == "Stopped by the data station: wrong column"
    assert wire.ids("active") == [6]
    assert run("kill", "5", "--reason", "x", "-c", str(file), home=tmp_path).returncode == 10
    done = run("stop", "--now", "-c", str(file), home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert wire.results[6]["reason"]["code"] == "stopped_by_station"
    assert process.wait(20) == 0
    gone = run("running", "-c", str(file), home=tmp_path)
    assert gone.returncode == 10
    assert "does not run" in gone.stderr


def test_what_a_stopped_node_left_running_is_stopped_too(
    wire: Wire, write: Write, start: Start, tmp_path: Path
) -> None:
    file = write()
    process = start(file)
    wire.add(5, "import time; print('secret', flush=True); time.sleep(600)")
    eventually(lambda: wire.ids("active") == [5])
    assert run("stop", "-c", str(file), home=tmp_path).returncode == 0
    assert process.wait(20) == 0
    pid = int((tmp_path / "data/processes/task-000000005/pid").read_text().split()[0])
    assert Path(f"/proc/{pid}").exists()
    done = run("stop", "--now", "-c", str(file), home=tmp_path)
    assert "Stopped: result 5." in done.stdout + done.stderr, done
    eventually(lambda: not Path(f"/proc/{pid}").exists())
    start(file)
    eventually(lambda: wire.ids("killed by user") == [5])
    assert wire.results[5]["reason"]["code"] == "stopped_by_station"
    assert wire.results[5]["log"] == ""
