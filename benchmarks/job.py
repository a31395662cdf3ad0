"""Measure the main job as ratios to what the machine can do."""

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import redis
from rich.console import Console

from examples.federation import BIN, IMAGE, IN_CONTAINERS, Federation
from vantage6.broker import queues
from vantage6.client import Client

ROOT = Path(__file__).resolve().parent.parent
STATIONS = 10
QUEUES = 1000

console = Console(highlight=False, soft_wrap=True)


def measure(rounds: int) -> None:
    """Measure everything and print a line for each number."""
    build()
    with tempfile.TemporaryDirectory(prefix="vantage6-bench-") as folder:
        ages = {f"station{i:02}": [20 + i, 30 + i, 40 + i] for i in range(STATIONS)}
        federation = Federation(Path(folder), ages, runtime=IN_CONTAINERS)
        try:
            with console.status(f"Starting a server and {STATIONS} stations"):
                federation.start()
            with closing(federation.client()) as client:
                main_job(federation, client, rounds)
                memory(federation)
                creation(federation, rounds)
        finally:
            federation.stop()


def build() -> None:
    """Build the image of the algorithm, and point everything at the engine."""
    engine = subprocess.run(
        [ROOT / "compose" / "docker-engine.sh", "host"], stdout=subprocess.PIPE, text=True
    )
    if engine.returncode:
        raise SystemExit("The benchmarks need a Docker engine.")
    os.environ["DOCKER_HOST"] = engine.stdout.strip()
    environment = os.environ | {"PYTHON": str(BIN / "python")}
    with console.status("Building the image of the algorithm"):
        subprocess.run([ROOT / "compose" / "build-images.sh"], env=environment, check=True)


def main_job(federation: Federation, client: Client, rounds: int) -> None:
    """Compare tasks with bare runs of the same image on the same file, in turn."""
    names = list(federation.ids)
    bare_run = BareRun(federation)

    def task(names: list[str], method: str) -> Callable[[], None]:
        def send() -> None:
            found = federation.results(client, federation.send(client, names, method))
            assert all(result["status"] == "completed" for result in found.values()), found

        return send

    def master() -> None:
        ids = [federation.ids[name] for name in names[:2]]
        input_ = {
            "method": "master",
            "kwargs": {"column_name": "age", "organization_ids": ids},
            "master": True,
        }
        id_ = federation.send(client, names[:1], "master", input=input_)
        found = federation.results(client, id_)
        assert all(result["status"] == "completed" for result in found.values()), found

    def twice() -> None:
        bare_run()
        bare_run()

    compare("one node", task(names[:1], "average_partial"), "one bare run", bare_run, rounds)
    compare("master over two nodes", master, "two bare runs in sequence", twice, rounds)
    few = max(1, rounds // 3)
    all_bare = BareRun(federation, STATIONS)
    compare(
        f"{STATIONS} nodes in parallel",
        task(names, "average_partial"),
        f"{STATIONS} bare runs in parallel",
        all_bare,
        few,
    )


class BareRun:
    """``docker run`` of the averaging algorithm with a file of a station, without any of ours."""

    def __init__(self, federation: Federation, parallel: int = 1) -> None:
        folder = federation.folder / "bare"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
        input_ = {"method": "average_partial", "kwargs": {"column_name": "age"}}
        (folder / "input").write_text("json." + json.dumps(input_))
        (folder / "token").write_text("none")
        source = federation.folder / next(iter(federation.ids)) / "example.csv"
        (folder / "default.csv").write_bytes(source.read_bytes())
        self._commands = []
        for number in range(parallel):
            variables = {
                "INPUT_FILE": "/mnt/input",
                "OUTPUT_FILE": f"/mnt/output{number}",
                "TOKEN_FILE": "/mnt/token",
                "USER_REQUESTED_DATABASE_LABEL": "default",
                "DEFAULT_DATABASE_URI": "/mnt/default.csv",
                "DEFAULT_DATABASE_TYPE": "csv",
            }
            settings = [f"--env={name}={value}" for name, value in variables.items()]
            self._commands.append(
                ["docker", "run", "--rm", f"--volume={folder}:/mnt", *settings, IMAGE]
            )

    def __call__(self) -> None:
        """Run, and wait for the end of all."""
        processes = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for command in self._commands
        ]
        for process in processes:
            said, _ = process.communicate(timeout=120)
            assert process.returncode == 0, said


def creation(federation: Federation, rounds: int) -> None:
    """Time the creation of tasks for many organizations, and the way to their queues."""
    with console.status(f"Registering {QUEUES} organizations"):
        collaboration, organizations, nodes = register_many(federation)
    with closing(federation.client("many", "Demo-password-1")) as client:
        for number in (2, 10, 100, QUEUES):
            body = {
                "collaboration_id": collaboration,
                "organizations": [{"id": id_, "input": "e30="} for id_ in organizations[:number]],
                "image": "none",
            }

            def post(body: dict[str, Any] = body) -> None:
                client.request("task", json=body, method="post")

            post()
            report(f"POST /task for {number} organizations", timed(post, rounds))
        url = (federation.folder / "server" / "broker.url").read_text()
        with closing(redis.Redis.from_url(url, socket_timeout=5)) as broker:
            report(
                f"POST /task until {QUEUES} queues have rung",
                timed(lambda: rung(broker, nodes, post), max(1, rounds // 3)),
            )


def rung(broker: redis.Redis, nodes: list[int], post: Callable[[], None]) -> None:
    """Empty all queues, send a task, and wait until each queue has its message."""
    names = [queues.inbox(node) for node in nodes]
    broker.delete(*names)
    post()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        pipeline = broker.pipeline(transaction=False)
        for name in names:
            pipeline.llen(name)
        if all(pipeline.execute()):
            return
    raise AssertionError("a queue was not rung")


def register_many(federation: Federation) -> tuple[int, list[int], list[int]]:
    """Register organizations with nodes that nobody runs; return collaboration, both lists."""
    with closing(federation.client("root", "root")) as root:
        ids = [
            root.request("organization", json={"name": f"many{i}"}, method="post")["id"]
            for i in range(QUEUES)
        ]
        collaboration = root.collaboration.create("many", organizations=ids)["id"]
        nodes = [
            root.node.create(collaboration=collaboration, organization=id_)["id"] for id_ in ids
        ]
        roles = {role["name"]: role["id"] for role in root.role.list(include_metadata=False)}
        root.user.create(
            username="many",
            firstname="M",
            lastname="M",
            password="Demo-password-1",
            email="many@example.org",
            organization=ids[0],
            roles=[roles["Researcher"]],
        )
    return collaboration, ids, nodes


def memory(federation: Federation) -> None:
    """Print the memory of each process, shared pages counted in parts."""
    groups = {
        name: [federation.process(name), *federation.process(name).children(recursive=True)]
        for name in ("api", "worker", "beat", "redis", "flower")
    }
    node = federation.node(next(iter(federation.ids)))
    groups["one node"] = [node] if node else []
    for name, processes in groups.items():
        size = sum(process.memory_full_info().pss for process in processes) / 2**20
        console.print(f"{'memory of ' + name:<48}{size:9.0f} MiB")


def compare(
    name: str, ours: Callable[[], None], bare_name: str, bare: Callable[[], None], rounds: int
) -> None:
    """Time two things in turn and print their ratio."""
    ours()
    bare()
    mine, theirs = [], []
    for _ in range(rounds):
        theirs += timed(bare, 1)
        mine += timed(ours, 1)
    report(bare_name, theirs)
    report(name, mine)
    ratio = statistics.median(mine) / statistics.median(theirs)
    console.print(f"{'  ratio':<48}{ratio:9.2f}")


def timed(call: Callable[[], None], rounds: int) -> list[float]:
    """Return how long each of some calls took, in seconds."""
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        found.append(time.perf_counter() - started)
    return found


def report(name: str, seconds: list[float]) -> None:
    """Print the median and the extremes in milliseconds."""
    low, middle, high = min(seconds), statistics.median(seconds), max(seconds)
    console.print(
        f"{name:<48}{middle * 1000:9.1f} ms  ({low * 1000:.1f} to {high * 1000:.1f}, "
        f"{len(seconds)} rounds)"
    )
