"""The services that other tests lean on are real, empty, and gone after use."""

import subprocess
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from tests.services import missing, needs
from tests.services.postgres import PostgresCluster
from tests.services.redis import RedisServer
from vantage6.sandbox.ports import free_port


def test_a_missing_program_skips_on_a_laptop(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program"):
        needs("no-such-program")


def test_a_missing_program_fails_in_ci(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="an engine"):
        missing("an engine")


def test_ports_are_free():
    assert free_port() != free_port()


def test_redis_is_empty_for_each_test(redis_server: RedisServer, redis_url: str):
    with redis.Redis.from_url(redis_url) as client:
        client.set("left", "behind")
        client.acl_setuser("somebody", enabled=True, nopass=True)
        redis_server.reset()
        assert client.keys() == []
        assert client.acl_users() == ["default"]


@pytest.mark.slow
def test_a_redis_of_its_own_keeps_its_port_and_data(tmp_path: Path):
    with RedisServer(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        with redis.Redis.from_url(server.url) as client:
            client.set("kept", "yes")
        server.process.kill()
        server.start()
        with redis.Redis.from_url(server.url) as client:
            assert client.get("kept") == b"yes"
    assert not psutil.pid_exists(server.process.pid)


def test_each_database_is_empty_and_dropped(postgres: PostgresCluster):
    with postgres.database() as uri, psycopg.connect(uri) as connection:
        connection.execute("CREATE TABLE thing (id integer)")
        connection.commit()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(uri)
    with postgres.database() as other:
        assert other != uri


def test_the_engine_runs_our_image(average_image: str):
    command = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "python3"]
    subprocess.run(
        [*command, average_image, "-c", "import vantage6.algorithms.average"],
        check=True,
        timeout=60,
    )
