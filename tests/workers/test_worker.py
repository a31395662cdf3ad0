"""A worker and its clock as processes, from POST /task to the inbox of a node."""

import os
from collections.abc import Callable

import pytest

from tests.api.client import Api
from tests.models.factories import IMAGE, World, make_task, make_user, messages
from tests.services.process import Process
from tests.waiting import eventually
from tests.workers.conftest import doorbells, start_worker
from vantage6.api.app import create_app
from vantage6.api.identity.tokens import Tokens
from vantage6.broker.messages import ResultReady
from vantage6.common.config import Instance
from vantage6.models import database

pytestmark = pytest.mark.slow


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
    eventually(lambda: doorbells(instance.broker_url, world.amsterdam_north.id) == [ready])
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
    (doorbell,) = doorbells(instance.broker_url, world.berlin_north.id)
    assert doorbell.task_id == task.id
