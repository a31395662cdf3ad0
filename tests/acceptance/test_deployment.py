"""A server on PostgreSQL and on a Redis of somebody else's, and what Flower shows of it."""

import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.flower import flower, wait_until_watched
from tests.services.postgres import PostgresCluster
from tests.services.redis import RedisServer
from tests.waiting import eventually
from vantage6.sandbox.federation import Federation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

AGES = {"alpha": [45, 62, 71, 75], "beta": [28, 39, 47, 59]}


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
        wait_until_watched(federation)
        with closing(federation.client()) as client:
            federation.send(client, list(AGES), "average_partial")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"http://127.0.0.1:{federation.flower_port}/api/tasks")
        names: set[str] = set()
        while "fan_out" not in names:
            tasks = eventually(lambda: flower(federation, "/api/tasks"))
            names = {task["name"] for task in tasks.values()}
        # The rounds of the schedule would hide everything else.
        assert not names & {"relay", "watch", "sweep", "prune"}
        # A worker that is busy answers the question of Flower too late, and is asked again.
        assert eventually(lambda: len(flower(federation, "/api/workers?refresh=true")) == 1)
    finally:
        federation.stop()
