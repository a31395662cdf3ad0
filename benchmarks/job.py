"""Measure the main job as ratios to what the machine can do."""

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from itertools import cycle
from pathlib import Path
from typing import Any

import redis
from rich.console import Console

from vantage6.broker import queues
from vantage6.client import Client
from vantage6.sandbox.federation import IMAGE, IN_CONTAINERS, Federation
from vantage6.sandbox.programs import BIN

ROOT = Path(__file__).resolve().parent.parent
STATIONS = 10
TRANSPORTS = ("https", "redis")
QUEUES = 1000

console = Console(highlight=False, soft_wrap=True)


def measure(rounds: int) -> None:
    """Measure everything and print a line for each number."""
    build()
    with tempfile.TemporaryDirectory(prefix="vantage6-bench-") as folder:
        ages = {f"station{i:02}": [20 + i, 30 + i, 40 + i] for i in range(STATIONS)}
        federation = Federation(
            Path(folder),
            ages,
            runtime=IN_CONTAINERS,
            node_settings={
                name: {"transport": transport}
                for name, transport in zip(ages, cycle(TRANSPORTS), strict=False)
            },
        )
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
        [ROOT / "scripts" / "docker-engine.sh", "host"], stdout=subprocess.PIPE, text=True
    )
    if engine.returncode:
        raise SystemExit("The benchmarks need a Docker engine.")
    os.environ["DOCKER_HOST"] = engine.stdout.strip()
    environment = os.environ | {"PYTHON": str(BIN / "python")}
    with console.status("Building the image of the algorithm"):
        subprocess.run([ROOT / "scripts" / "build-images.sh"], env=environment, check=True)


def main_job(federation: Federation, client: Client, rounds: int) -> None:
    """Compare tasks over each transport with bare runs of the same image on the same file."""
    names = list(federation.ids)
    groups = {key: names[n :: len(TRANSPORTS)] for n, key in enumerate(TRANSPORTS)}
    bare_run, all_bare = BareRun(federation), BareRun(federation, STATIONS)

    def finish(task: int) -> None:
        found = federation.results(client, task)
        assert all(result["status"] == "completed" for result in found.values()), found

    def partial(names: list[str]) -> Callable[[], None]:
        return lambda: finish(federation.send(client, names, "average_partial"))

    def master(names: list[str]) -> Callable[[], None]:
        kwargs = {
            "column_name": "age",
            "organization_ids": [federation.ids[name] for name in names],
        }
        input_ = {"method": "master", "kwargs": kwargs, "master": True}
        return lambda: finish(federation.send(client, names[:1], "master", input=input_))

    def twice() -> None:
        bare_run()
        bare_run()

    one = {f"one node, {key}": partial(group[:1]) for key, group in groups.items()}
    compare("one bare run", bare_run, one, rounds)
    two = {f"master over two nodes, {key}": master(group[:2]) for key, group in groups.items()}
    compare("two bare runs in sequence", twice, two, rounds)
    many = {f"{STATIONS} nodes in parallel, half over each transport": partial(names)}
    compare(f"{STATIONS} bare runs in parallel", all_bare, many, max(1, rounds // 3))


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
                f"POST /task until {QUEUES} queues have a doorbell",
                timed(lambda: delivered(broker, nodes, post), max(1, rounds // 3)),
            )


def delivered(broker: redis.Redis, nodes: list[int], post: Callable[[], None]) -> None:
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
    raise AssertionError("a queue got no doorbell")


def register_many(federation: Federation) -> tuple[int, list[int], list[int]]:
    """Register organizations with nodes that do not run; return collaboration, both lists."""
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
    bare_name: str,
    bare: Callable[[], None],
    ours: Mapping[str, Callable[[], None]],
    rounds: int,
) -> None:
    """Time things in turn with a bare one, and print their ratios to it."""
    calls = {bare_name: bare, **ours}
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(rounds):
        for name, call in calls.items():
            seconds[name] += timed(call, 1)
    middle = statistics.median(seconds[bare_name])
    for name, found in seconds.items():
        report(name, found, None if name == bare_name else statistics.median(found) / middle)


def timed(call: Callable[[], None], rounds: int) -> list[float]:
    """Return how long each of some calls took, in seconds."""
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        found.append(time.perf_counter() - started)
    return found


def report(name: str, seconds: list[float], ratio: float | None = None) -> None:
    """Print the median, the extremes in milliseconds, and the ratio to what it is held against."""
    low, middle, high = min(seconds), statistics.median(seconds), max(seconds)
    beside = "" if ratio is None else f"  ratio {ratio:.2f}"
    console.print(
        f"{name:<48}{middle * 1000:9.1f} ms  ({low * 1000:.1f} to {high * 1000:.1f}, "
        f"{len(seconds)} rounds){beside}"
    )
