"""A server on PostgreSQL and on a Redis of somebody else's, and what Flower shows of it."""

import json
import time
import urllib.error
import urllib.request
from base64 import b64encode
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from examples.federation import Federation
from tests.services.postgres import PostgresCluster
from tests.services.redis import RedisServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

AGES = {"alpha": [45, 62, 71, 75], "beta": [28, 39, 47, 59]}


def flower(federation: Federation, path: str) -> Any:
    """Return what Flower answers to its user."""
    login = b64encode(f"flower:{federation.flower_password}".encode()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{federation.flower_port}{path}",
        headers={"Authorization": f"Basic {login}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_postgres_and_a_configured_redis(
    tmp_path: Path, postgres: PostgresCluster, redis_server: RedisServer
) -> None:
    with postgres.database() as uri:
        settings = {"uri": uri, "broker": redis_server.url}
        federation = Federation(tmp_path, AGES, settings=settings)
        try:
            federation.start()
            with closing(federation.client()) as client:
                task = federation.send(client, list(AGES), "master")
                found = federation.results(client, task)
                assert [r["result"] for r in found.values()] == [{"average": 53.25}] * 2
        finally:
            federation.stop()


def test_flower_shows_the_worker_and_its_tasks_to_those_who_may_see_them(tmp_path: Path) -> None:
    federation = Federation(tmp_path, AGES, encrypted=False)
    try:
        federation.start_server()
        federation.register()
        with closing(federation.client()) as client:
            federation.send(client, list(AGES), "average_partial")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"http://127.0.0.1:{federation.flower_port}/api/tasks")
        deadline = time.monotonic() + 30
        names: set[str] = set()
        while not {"fan_out", "relay"} <= names and time.monotonic() < deadline:
            names = {task["name"] for task in flower(federation, "/api/tasks").values()}
            time.sleep(0.2)
        assert {"fan_out", "relay"} <= names
        workers = flower(federation, "/api/workers?refresh=true")
        assert len(workers) == 1
    finally:
        federation.stop()
