"""Workers in this process, with a database, a real Redis, and a world."""

import base64
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery import Celery
from kombu.utils.json import loads

from tests.models.factories import World, make_world, migrated
from tests.services.process import Process
from vantage6.broker import queues
from vantage6.broker.connection import client
from vantage6.broker.messages import Message, decode
from vantage6.broker.publisher import Publisher
from vantage6.broker.telemetry import Telemetry
from vantage6.common.config import Instance, ServerConfig
from vantage6.common.config.instance import FILE_VARIABLE
from vantage6.models import database
from vantage6.workers.mail import Mailer
from vantage6.workers.settings import settings
from vantage6.workers.tasks import register


@pytest.fixture
def instance(tmp_path: Path, redis_url: str) -> Instance:
    """Give the configuration of a server with SQLite and the Redis of the tests."""
    file = tmp_path / "server.yaml"
    values = {"uri": "sqlite:///x.sqlite", "broker": redis_url, "data_dir": str(tmp_path / "data")}
    file.write_text(yaml.safe_dump({"application": values}))
    return Instance.load(file)


@pytest.fixture
def world(instance: Instance) -> Iterator[World]:
    """Give what is in its database."""
    database.bind(instance.config.uri, folder=instance.folder)
    with migrated():
        yield make_world()


@dataclass
class Workers:
    """The tasks of a worker, called one by one."""

    url: str
    config: ServerConfig = field(default_factory=ServerConfig)
    has_flower: bool = True

    def __post_init__(self) -> None:
        self.app = Celery("tests", set_as_current=False)
        self.app.conf.update(settings(self.url))
        telemetry = Telemetry(self.url)
        mailer = Mailer(self.config, "petronas", telemetry)
        register(
            self.app,
            Publisher(self.url),
            client(self.url),
            mailer,
            telemetry,
            has_flower=self.has_flower,
        )

    def run(self, name: str, *args: Any) -> None:
        """Run a task as a worker does: without a connection that somebody else opened."""
        database.close()
        self.app.tasks[name](*args)
        database.connect()


@pytest.fixture
def workers(instance: Instance) -> Workers:
    """Give workers whose broker answers."""
    return Workers(instance.broker_url)


def doorbells(url: str, node_id: int) -> list[Message]:
    """Return what waits in the inbox of a node, oldest first."""
    with client(url) as admin:
        waiting = admin.lrange(queues.inbox(node_id), 0, -1)
    return [decode(loads(_body(loads(raw)))) for raw in reversed(waiting)]


def _body(envelope: dict[str, Any]) -> Any:
    body = envelope["body"]
    encoded = envelope["properties"].get("body_encoding") == "base64"
    return base64.b64decode(body) if encoded else body


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
    words = ("--pool", "threads", "--concurrency", "2", "--queues", "control,mail,maintenance")
    worker = celery("worker", *words, "--without-mingle", "--without-gossip", "--loglevel", "INFO")
    worker.wait_until(lambda: "ready" in worker.log.read_text())
    return worker
