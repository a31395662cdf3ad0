"""The whole server in containers: used, killed piece by piece, backed up, and replaced."""

import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.deployment.deployment import (
    COMPOSE,
    CONTAINED,
    SERVICES,
    STATION_USER,
    Deployment,
    inspected,
    run,
    tool,
    wait_until,
)
from vantage6.client import Client
from vantage6.common.errors import V6Error

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PER_SECOND = 20
#: Of these, the ones that create a task.
WRITES_PER_SECOND = 4


def averaged(deployment: Deployment, client: Client) -> int:
    """Have the average computed, of two stations by one of them; return the task."""
    task = deployment.send(client, [CONTAINED], "master")
    found = deployment.results(client, task)
    assert [result["result"] for result in found.values()] == [{"average": 53.25}]
    return task


def check(deployment: Deployment, client: Client, tasks: list[int]) -> None:
    """Fail unless each of the counted tasks arrived and was computed once."""
    for task in tasks:
        result = deployment.results(client, task)["beta"]
        assert result["status"] == "completed"
        counts = Counter(deployment.count_file.read_text().split())
        assert counts[f"task-{result['id']:09}"] == 1


def test_a_federated_task_goes_through_nginx_and_tls(deployment: Deployment, client: Client):
    averaged(deployment, client)
    container = deployment.containers("node")[0]
    assert inspected(container, "{{.Config.User}}") == f"{STATION_USER}:{STATION_USER}"


def test_nobody_speaks_to_redis_in_the_clear(deployment: Deployment):
    assert deployment.execute("api", "cat", "/run/vantage6/broker").startswith("rediss://")
    ping = ("redis-cli", "--no-auth-warning", "--user", "health", "--pass", "-", "ping")
    encrypted = ("--tls", "--cacert", "/run/redis/certificate.pem")
    assert deployment.execute("redis", ping[0], *encrypted, *ping[1:]) == "PONG\n"
    with pytest.raises(AssertionError, match=r"reset|closed"):
        deployment.execute("redis", *ping)


def test_both_replicas_serve(deployment: Deployment):
    containers = deployment.containers("api")
    assert len(containers) == len(deployment.containers("worker")) == 2
    for _ in range(20):
        assert httpx2.get(f"{deployment.address}/api/version").status_code == 200
    for container in containers:
        log = subprocess.run(
            ["docker", "logs", container], capture_output=True, text=True, timeout=30
        )
        assert "/api/version" in log.stderr


def test_flower_runs_beside_it_for_who_knows_the_password(deployment: Deployment):
    deployment.compose("--profile", "flower", "up", "--detach", "flower")
    wait_until(lambda: shown(deployment, None) == 401, "Flower does not answer")
    password = deployment.execute("api", "cat", "/var/lib/vantage6/flower.key")
    assert shown(deployment, ("flower", password)) == 200


def shown(deployment: Deployment, login: tuple[str, str] | None) -> int:
    """Return how Flower answers to the question for its workers; 0 if not at all."""
    address = f"http://127.0.0.1:{deployment.flower_port}/api/workers"
    try:
        return httpx2.get(address, auth=login, timeout=10).status_code
    except httpx2.HTTPError:
        return 0


@pytest.mark.parametrize("service", [*SERVICES, "node"])
def test_what_is_killed_comes_back_and_no_task_is_lost(
    deployment: Deployment, client: Client, service: str
):
    tasks = [deployment.count(client)]
    deployment.kill_one(service)
    deployment.wait_until_ready()
    tasks.append(deployment.count(client))
    check(deployment, client, tasks)
    averaged(deployment, client)


def test_a_backup_goes_into_a_new_deployment(
    deployment: Deployment, client: Client, folder: Path, images: dict[str, str]
):
    task = averaged(deployment, client)
    archive = "/var/lib/vantage6/backup.zip"
    deployment.execute("api", "vserver", "backup", archive)
    container = deployment.containers("api")[0]
    copied = folder / "backup.zip"
    run("docker", "cp", f"{container}:{archive}", str(copied))
    deployment.execute("api", "rm", archive)

    second = Deployment(folder / "second", f"{deployment.project}b", images)
    second.ids, second.api_keys = deployment.ids, deployment.api_keys
    copied.chmod(0o644)
    second.folder.mkdir()
    try:
        mounted = f"{copied}:/backup.zip:ro"
        second.compose("run", "--rm", "-T", "-v", mounted, "migrate", "restore", "/backup.zip")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SSL_CERT_FILE", str(second.folder / "certificate.pem"))
            second.start_server()
            with closing(Client("https://127.0.0.1", second.port, "/api")) as there:
                there.authenticate("researcher", "Demo-password-1")
                there.setup_encryption(deployment.key_file(CONTAINED))
                (result,) = there.result.list(task=task)["data"]
        assert result["result"] == {"average": 53.25}
    finally:
        second.stop_server()


class Load:
    """Requests at a steady pace, and what became of them."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._stop = threading.Event()
        self.answers: Counter[str] = Counter()
        self.tasks: list[int] = []
        self.failures: list[str] = []

    def _ticks(self, per_second: float) -> Iterator[None]:
        """Give the moments of the requests, which do not wait for earlier ones to be quick."""
        due = time.monotonic()
        while not self._stop.wait(max(0, due - time.monotonic())):
            yield
            due += 1 / per_second

    def read(self, client: Client, per_second: float) -> None:
        """Ask for things on one connection, as long as it is kept alive."""
        headers = {"Authorization": f"Bearer {client.token}"}
        with httpx2.Client(base_url=self._deployment.address, headers=headers, timeout=30) as http:
            for _ in self._ticks(per_second):
                try:
                    answer = http.get("/api/task", params={"per_page": 5})
                except httpx2.HTTPError as error:
                    self.failures.append(f"{time.time():.2f} GET {error!r}")
                    continue
                self.answers[f"GET {answer.status_code}"] += 1
                if answer.status_code != 200:
                    self.failures.append(f"{time.time():.2f} GET {answer.text[:200]}")

    def write(self, client: Client, per_second: float) -> None:
        """Create tasks."""
        for _ in self._ticks(per_second):
            try:
                self.tasks.append(self._deployment.count(client))
                self.answers["POST 201"] += 1
            except V6Error as error:
                self.failures.append(f"{time.time():.2f} POST {error!r}")

    @contextmanager
    def running(self, client: Client) -> Iterator[None]:
        """Send requests as long as this is entered."""
        readers = 5
        threads = [
            threading.Thread(
                target=self.read, args=(client, (PER_SECOND - WRITES_PER_SECOND) / readers)
            )
            for _ in range(readers)
        ] + [threading.Thread(target=self.write, args=(client, WRITES_PER_SECOND))]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(60)


def test_replacing_api_and_workers_under_load_fails_no_request_and_loses_no_task(
    deployment: Deployment, client: Client
):
    before = {service: set(deployment.containers(service)) for service in ("api", "worker")}
    known = task_ids(client)
    load = Load(deployment)
    started = time.monotonic()
    with load.running(client):
        done = subprocess.run(
            [COMPOSE / "rolling-restart.sh", "api", "worker"],
            env={
                **deployment.environment,
                "COMPOSE": " ".join([*tool(), "-p", deployment.project]),
            },
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, done.stderr
    seconds = time.monotonic() - started
    for service, old in before.items():
        new = set(deployment.containers(service))
        assert len(new) == 2
        assert not new & old
    assert load.failures == []
    # The pace was kept, or nearly so.
    assert load.answers.total() > PER_SECOND * seconds * 0.5
    assert task_ids(client) - known == set(load.tasks)
    assert len(load.tasks) > WRITES_PER_SECOND * seconds / 2
    check(deployment, client, load.tasks)


def task_ids(client: Client) -> set[int]:
    return {task["id"] for task in client.task.list(all_pages=True)}


def test_a_caller_is_known_by_its_own_address(deployment: Deployment):
    """What it claims in a header does not help it around the limits on guessing.

    The last test, as nobody of this machine gets in for a while.
    """
    wrong = {"username": "nobody", "password": "wrong"}
    for last in range(40):
        answer = httpx2.post(
            f"{deployment.address}/api/token/user",
            json=wrong,
            headers={"X-Forwarded-For": f"10.0.0.{last}"},
        )
        if answer.status_code == 429:
            return
    raise AssertionError("forty failed logins were not too many")
