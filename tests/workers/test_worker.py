"""A worker and its clock as processes, from POST /task to the inbox of a node."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api.client import Api
from tests.models.factories import IMAGE, World, make_task, make_user, messages
from tests.services.process import Process
from tests.workers.conftest import bells
from vantage6.api.app import create_app
from vantage6.api.tokens import Tokens
from vantage6.broker.messages import ResultReady
from vantage6.common.config import Instance
from vantage6.common.config.instance import FILE_VARIABLE
from vantage6.models import database

pytestmark = pytest.mark.slow


def eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def celery(instance: Instance, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Give a function that starts a process of Celery as `vserver start` does."""
    started: list[Process] = []

    def start(*words: str) -> Process:
        command = [sys.executable, "-m", "celery", "-A", "vantage6.workers.run", *words]
        environment = {**os.environ, FILE_VARIABLE: str(instance.file)}
        log = tmp_path / f"{words[0]}.log"
        started.append(Process(command, log, environment=environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()


def start_worker(celery: Callable[..., Process]) -> Process:
    words = ("--pool", "threads", "--concurrency", "2", "--queues", "control,maintenance")
    worker = celery("worker", *words, "--without-mingle", "--without-gossip", "--loglevel", "INFO")
    worker.wait_until(lambda: "ready" in worker.log.read_text())
    return worker


def test_a_task_reaches_its_node_at_once(
    instance: Instance, world: World, celery: Callable[..., Process]
):
    database.close()
    worker = start_worker(celery)
    api = Api(create_app(instance), Tokens.from_config(instance.config, instance.folder))
    database.connect()
    researcher = make_user(world.amsterdam, "Researcher")
    targets = [{"id": world.amsterdam.id, "input": "x"}]
    body = {"collaboration_id": world.north.id, "organizations": targets, "image": IMAGE}
    task = api.post("/task", researcher, body).json
    ready = ResultReady(task["results"][0]["id"], task["id"])
    eventually(lambda: bells(instance.broker_url, world.amsterdam_north.id) == [ready])
    eventually(lambda: messages() == [])
    assert "message sent" in worker.log.read_text()
    assert "Traceback" not in worker.log.read_text()


def test_what_nobody_asked_for_is_found_by_the_clock(
    instance: Instance, world: World, celery: Callable[..., Process]
):
    """A task from the shell, or one whose author crashed before it could ask."""
    task = make_task(world.north, [world.berlin])
    start_worker(celery)
    celery("beat", "--scheduler", "celery.beat:Scheduler", "--schedule", os.devnull)
    eventually(lambda: messages() == [])
    (bell,) = bells(instance.broker_url, world.berlin_north.id)
    assert bell.task_id == task.id
