"""Whatever dies, and whenever: every task ends, and no result is computed twice."""

import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import psutil
import pytest
import redis

from tests.acceptance.conftest import Stations
from tests.campaign import effort
from vantage6.broker import queues
from vantage6.client import Client

pytestmark = [pytest.mark.slow, pytest.mark.campaign, pytest.mark.timeout(600)]

#: How often a node is frozen and killed.
FREEZES = effort(10)
TASKS = 20


@pytest.fixture
def broker(stations: Stations) -> Iterator[redis.Redis]:
    """Give a client of the server's own Redis."""
    url = (stations.federation.folder / "server" / "broker.url").read_text()
    with redis.Redis.from_url(url, socket_timeout=2, protocol=2) as client:
        yield client


def await_true(condition, seconds: float = 30) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.02)


@pytest.mark.parametrize("name", ["alpha", "beta"], ids=["https", "redis"])
def test_a_node_that_is_frozen_and_killed_loses_nothing(
    stations: Stations, client: Client, broker: redis.Redis, name: str
) -> None:
    federation = stations.federation
    with closing(federation.client("root", "root")) as root:
        node_id = root.node.list(organization=federation.ids[name])["data"][0]["id"]
    tasks = []
    for _ in range(FREEZES):
        process = federation.node(name)
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        tasks.append(stations.send(client, name))
        # It was handed to the frozen process, or is kept for the next one.
        await_true(
            lambda: broker.llen(queues.inbox(node_id)) + broker.llen(queues.inflight(node_id)) > 0
        )
        federation.stop_node(name, signal.SIGKILL)
        broker.delete(queues.alive(node_id))
        federation.start_node(name)
        federation.wait_until_online(name)
    stations.check(client, tasks)


def test_a_killed_node_finds_its_running_algorithm_again(
    stations: Stations, client: Client
) -> None:
    task = stations.send(client, "alpha", seconds=4)
    await_true(lambda: client.task.get(task)["status"] == "active")
    stations.federation.stop_node("alpha", signal.SIGKILL)
    stations.federation.start_node("alpha")
    stations.check(client, [task])


def test_a_killed_node_delivers_what_ended_while_it_was_dead(
    stations: Stations, client: Client
) -> None:
    task = stations.send(client, "alpha", seconds=1, answer="in time")
    await_true(lambda: client.task.get(task)["status"] == "active")
    stations.federation.stop_node("alpha", signal.SIGKILL)
    time.sleep(2)
    stations.federation.start_node("alpha")
    stations.check(client, [task])
    assert client.result.list(task=task)["data"][0]["result"] == "in time"


@pytest.mark.parametrize("program", ["api", "worker", "beat", "redis"])
def test_killing_a_part_of_the_server_in_the_middle_of_20_tasks(
    stations: Stations, client: Client, program: str
) -> None:
    tasks = [stations.send(client, seconds=0.5) for _ in range(TASKS)]
    assert not client.task.get(tasks[-1])["complete"]
    stations.federation.kill(program)
    stations.check(client, tasks)


def test_killing_redis_and_losing_its_data_in_the_middle_of_20_tasks(
    stations: Stations, client: Client
) -> None:
    data = stations.federation.folder / "server" / "redis" / "appendonlydir"
    tasks = [stations.send(client, seconds=0.5) for _ in range(TASKS)]
    assert not client.task.get(tasks[-1])["complete"]
    process = stations.federation.process("redis")
    process.suspend()
    shutil.rmtree(data, ignore_errors=True)
    process.kill()
    stations.check(client, tasks)


def test_killing_the_worker_between_publishing_and_forgetting(
    stations: Stations, client: Client, broker: redis.Redis
) -> None:
    federation = stations.federation
    worker = federation.process("worker")
    frozen = [node for name in federation.ids if (node := federation.node(name))]
    assert len(frozen) == len(federation.ids)
    for process in [worker, *frozen]:
        process.suspend()
    tasks = [stations.send(client) for _ in range(TASKS)]
    node_ids = [node["id"] for node in client.node.list(include_metadata=False)]

    def delivered() -> int:
        names = [f(node) for node in node_ids for f in (queues.inbox, queues.inflight)]
        return sum(broker.llen(name) for name in names)

    before = delivered()
    database = sqlite3.connect(federation.folder / "server" / "default.sqlite", timeout=10)
    # While this holds the right to write, the worker can publish but not forget.
    database.execute("BEGIN IMMEDIATE")
    worker.resume()
    await_true(lambda: delivered() > before)
    worker.kill()
    database.rollback()
    assert database.execute("SELECT count(*) FROM outbox").fetchone()[0] > 0
    database.close()
    for process in frozen:
        process.resume()
    stations.check(client, tasks)
    database = sqlite3.connect(federation.folder / "server" / "default.sqlite", timeout=10)
    await_true(lambda: database.execute("SELECT count(*) FROM outbox").fetchone()[0] == 0)
    database.close()


def test_a_task_is_accepted_while_redis_hangs_and_runs_once_it_is_back(
    stations: Stations, client: Client
) -> None:
    process = stations.federation.process("redis")
    process.suspend()
    try:
        started = time.monotonic()
        task = stations.send(client)
        assert time.monotonic() - started < 8
    finally:
        process.resume()
    stations.check(client, [task])


def test_killed_tasks_stop_everywhere(stations: Stations, client: Client) -> None:
    task = stations.send(client, seconds=300)
    await_true(
        lambda: all(
            result["status"] == "active" for result in client.task.get(task, True)["results"]
        )
    )
    client.task.kill(task)
    assert client.task.get(task)["complete"]
    script = "counting.py"
    await_true(
        lambda: (
            not any(
                script in " ".join(p.info["cmdline"] or [])
                for p in psutil.process_iter(["cmdline"])
            )
        )
    )
