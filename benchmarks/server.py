"""Measure the server against the original: requests per second, growth, memory.

A real server is started as users do, with its own defaults, once on each database engine. The
database is filled in bulk; each number comes from a process of its own that sends requests.
"""

import json
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psutil

from benchmarks import filling, load, original
from benchmarks.report import Report, console
from tests.services.postgres import PostgresCluster
from vantage6.common.config import Instance
from vantage6.common.task_status import TaskStatus
from vantage6.models import database
from vantage6.models.tables import Outbox
from vantage6.sandbox.federation import Federation

ENGINES = ["SQLite", "PostgreSQL"]
#: Numbers of tasks at which lists are measured.
SIZES = (1_000, 10_000, 50_000, 100_000)
KILO, MEGA = 1000, 1000 * 1000
#: Uploads of 10 MB in one measurement.
LARGE_UPLOADS = 48
#: Longest time in which the workers must have told all nodes, in seconds.
_PATIENCE_SECONDS = 120


def measure(
    engines: Sequence[str], *, seconds: float, most_tasks: int, only: str, file: Path | None
) -> None:
    """Measure on each engine, and print a line for each number."""
    report = Report()
    for engine in engines:
        with (
            tempfile.TemporaryDirectory(prefix="vantage6-bench-") as folder,
            _database(engine) as settings,
        ):
            federation = Federation(Path(folder), {}, settings=settings)
            try:
                federation.start_server()
                instance = Instance.load(federation.server_file)
                database.bind(instance.config.uri, folder=instance.folder)
                report.heading(engine)
                with database.session():
                    Measurements(engine, federation, report, seconds, only).all(most_tasks)
            finally:
                federation.stop()
        if file:
            report.write(file)


@contextmanager
def _database(engine: str) -> Iterator[dict[str, Any]]:
    """Give the settings of a server on an engine; neither waits for the disk at every commit."""
    with PostgresCluster(durable=True) if engine == "PostgreSQL" else nullcontext() as cluster:
        if cluster is None:
            yield {}
        else:
            with cluster.database() as uri:
                yield {"uri": uri}


@dataclass
class Measurements:
    """Everything that is measured on one engine."""

    engine: str
    federation: Federation
    report: Report
    seconds: float
    #: Part of the names of what is wanted.
    only: str = ""
    _tokens: dict[str, str] = field(default_factory=dict)

    def all(self, most_tasks: int) -> None:
        """Measure from the empty database to the full one."""
        self.few = filling.group("few", 11)
        self.user = self._user_token(self.few)
        self._memory("memory at rest", original.MEMORY_AT_REST)
        filling.tasks_up_to(SIZES[0], self.few)
        self._small_reads()
        self._lists(SIZES[0])
        self._logins()
        self._creation()
        self._results()
        for size in SIZES[1:]:
            if size <= most_tasks:
                self._full(size)

    # What is measured

    def _small_reads(self) -> None:
        organization = self.few.organizations[-1]
        self._get("GET version", "version", clients=32)
        self._get("GET version, 1 client", "version")
        self._get("GET rule/1", "rule/1", clients=8)
        self._get("GET rule/1, 1 client", "rule/1")
        self._get("GET organization (11 in list)", "organization", clients=8)
        self._get("GET organization/<id>", f"organization/{organization}", clients=8)

    def _lists(self, size: int) -> None:
        """Measure lists; each against itself at the first size."""
        kind, first = f"{size // 1000}k tasks", f"{SIZES[0] // 1000}k tasks"
        node, organization = self.few.nodes[-1], self.few.organizations[-1]
        token = self._node_token(self.few.api_keys[-1])
        page = "page=1&per_page=20&include=metadata"
        for name, path, clients, caller in (
            ("GET task page of 20", f"task?{page}", 8, self.user),
            ("GET task page of 20 with results", f"task?{page}&include=results", 1, self.user),
            ("GET result page of 20", f"result?{page}", 1, self.user),
            ("node sync", f"result?state=open&include=task&node_id={node}", 1, token),
            ("GET organization/<id>", f"organization/{organization}", 1, self.user),
            ("GET organization list", "organization", 1, self.user),
        ):
            self._get(f"{name}, {kind}", path, clients, caller, f"{name}, {first}")

    def _logins(self) -> None:
        user = {"username": self.few.username, "password": filling.PASSWORD}
        self._send("login user", "POST", ["token/user"], body=user)
        eight = self._load("POST", ["token/user"], body=user, clients=8, seconds=self.seconds * 1.5)
        for name, path in (("GET version", "version"), ("GET rule/1", "rule/1")):
            with self._beside(eight):
                self._get(f"{name} while 8 users log in", path, compared=f"{name}, 1 client")
        name = "login node, last of "
        self._login_node(f"{name}10", self.few.api_keys[9])
        self.hundred = filling.group("hundred", 100)
        self._login_node(f"{name}100", self.hundred.api_keys[-1], f"{name}10")
        crowd = filling.group("crowd", 900)
        self._login_node(f"{name}1000", crowd.api_keys[-1], f"{name}10")

    def _login_node(self, name: str, key: str, compared: str = "") -> None:
        self._send(name, "POST", ["token/node"], body={"api_key": key}, compared=compared)

    def _creation(self) -> None:
        name, hundred = "POST task,", self._user_token(self.hundred)
        for number, one, many in ((2, 1, 8), (10, 0, 8), (100, 1, 8)):
            group = self.few if number < 100 else self.hundred
            token = self.user if number < 100 else hundred
            if one:
                self._post_task(f"{name} {number} organizations, 1 client", group, number, 1, token)
            self._post_task(f"{name} {number} organizations", group, number, many, token)

    def _post_task(
        self, name: str, group: filling.Group, number: int, clients: int, token: str
    ) -> None:
        targets = [{"id": id_, "input": filling.text(200)} for id_ in group.organizations[:number]]
        body = {
            "collaboration_id": group.collaboration,
            "organizations": targets,
            "image": filling.IMAGE,
            "name": "an-awesome-task",
        }
        compared = name.partition(", 50k")[0] if ", 50k" in name else ""
        self._send(name, "POST", ["task"], clients, token, body, compared=compared)
        self._wait_for_workers()

    def _results(self) -> None:
        most = int(self.seconds * 800)
        self._patch("PATCH result, 1 kB", KILO, 8, most)
        self._patch("PATCH result, 1 MB", MEGA, 8, most // 4)
        for clients in (8, 32):
            name = "PATCH result, 10 MB" + (", 32 clients" if clients > 8 else "")
            with self._peak(f"  memory of the API, {clients} clients send 10 MB"):
                self._patch(name, 10 * MEGA, clients, LARGE_UPLOADS)
        result, *_ = filling.tasks(
            1,
            self.few,
            self.few.organizations[:10],
            status=TaskStatus.COMPLETED,
            said={"input": "", "result": filling.text(MEGA)},
        )
        task = self._task_of(result)
        self._get("GET results of a task, 10 x 1 MB", f"result?task_id={task}")
        self._memory("memory after 10 MB results", original.MEMORY_AFTER_LARGE_RESULTS)

    def _patch(self, name: str, size: int, clients: int, number: int) -> None:
        """Report a number of results as a node does in the end, each once."""
        if self.only not in name:
            return
        ids = filling.tasks(
            number,
            self.few,
            self.few.organizations[:1],
            status=TaskStatus.ACTIVE,
            said={"input": filling.text(200)},
        )
        body = {
            "status": "completed",
            "started_at": "2030-01-01T00:00:00+00:00",
            "finished_at": "2030-01-01T00:00:01+00:00",
            "result": filling.text(size),
            "log": "done",
        }
        paths = [f"result/{id_}" for id_ in ids]
        token = self._node_token(self.few.api_keys[0])
        self._send(name, "PATCH", paths, clients, token, body, once=True)

    def _full(self, size: int) -> None:
        with console.status(f"Adding tasks up to {size}"):
            filling.tasks_up_to(size, self.few)
        self._lists(size)
        if size == 50_000:
            name = "POST task, 2 organizations"
            self._post_task(f"{name}, 50k tasks", self.few, 2, 8, self.user)

    # How it is measured

    def _get(
        self, name: str, path: str, clients: int = 1, token: str | None = None, compared: str = ""
    ) -> None:
        self._send(name, "GET", [path], clients, token or self.user, compared=compared)

    def _send(
        self,
        name: str,
        method: str,
        paths: list[str],
        clients: int = 1,
        token: str = "",
        body: dict[str, Any] | None = None,
        compared: str = "",
        once: bool = False,
    ) -> None:
        if self.only in name:
            sent = self._load(method, paths, token, body, clients, once=once)
            outcome = load.finish(load.start(sent))
            self.report.add(self.engine, name, clients, outcome, compared)

    def _load(
        self,
        method: str,
        paths: list[str],
        token: str = "",
        body: dict[str, Any] | None = None,
        clients: int = 1,
        *,
        seconds: float | None = None,
        once: bool = False,
    ) -> load.Load:
        return load.Load(
            self.federation.port,
            method,
            [f"/api/{path}" for path in paths],
            token,
            json.dumps(body) if body else "",
            clients,
            seconds or self.seconds,
            once,
        )

    @contextmanager
    def _beside(self, sent: load.Load) -> Iterator[None]:
        """Send a load meanwhile; it lasts a little longer than what it disturbs."""
        process = load.start(sent)
        time.sleep(0.3)
        yield
        load.finish(process)

    def _user_token(self, group: filling.Group) -> str:
        return self._token("user", username=group.username, password=filling.PASSWORD)

    def _node_token(self, api_key: str) -> str:
        return self._token("node", api_key=api_key)

    def _token(self, kind: str, **body: str) -> str:
        name = str(body)
        if name not in self._tokens:
            answer = httpx2.post(f"{self.federation.address}/api/token/{kind}", json=body)
            self._tokens[name] = answer.raise_for_status().json()["access_token"]
        return self._tokens[name]

    def _task_of(self, result: int) -> int:
        address = f"{self.federation.address}/api/result/{result}"
        headers = {"Authorization": f"Bearer {self.user}"}
        answer = httpx2.get(address, headers=headers, timeout=30).raise_for_status()
        id_: int = answer.json()["task"]["id"]
        return id_

    def _wait_for_workers(self) -> None:
        """Wait until every node was told of its tasks, so that nothing disturbs what follows."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while Outbox.select().exists():
            assert time.monotonic() < deadline, "the workers did not tell the nodes"
            time.sleep(0.1)

    # Memory

    def _memory(self, name: str, known: float) -> None:
        if self.only in name:
            programs = ("api", "worker", "beat", "redis", "flower")
            parts = {program: self._size(self.federation.process(program)) for program in programs}
            self.report.add_memory(self.engine, name, parts, known)

    @contextmanager
    def _peak(self, name: str) -> Iterator[None]:
        """Print how large the API was, and how large it grew within."""
        api, over = self.federation.process("api"), threading.Event()
        before = peak = self._size(api)

        def watch() -> None:
            nonlocal peak
            while not over.wait(0.03):
                peak = max(peak, self._size(api))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()
        if self.only in name or self.only in "PATCH result, 10 MB":
            self.report.add_memory(
                self.engine, name, {"before": before, "more at the peak": peak - before}
            )

    @staticmethod
    def _size(process: psutil.Process) -> float:
        """Return the memory of a process and its children in MiB, shared pages in parts."""
        processes = [process, *process.children(recursive=True)]
        size: float = sum(one.memory_full_info().pss for one in processes) / 2**20
        return size
