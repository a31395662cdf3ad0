"""Flower tells nothing to those who do not know its password."""

import base64
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import yaml

from tests.services.process import Process
from tests.waiting import eventually
from vantage6.common.config import Instance
from vantage6.sandbox.ports import free_port
from vantage6.server import supervision

PAGES = ("/", "/workers", "/tasks", "/broker", "/api/workers", "/api/tasks", "/metrics")


@pytest.fixture
def instance(tmp_path: Path, redis_url: str) -> Instance:
    file = tmp_path / "server.yaml"
    settings = {
        "uri": f"sqlite:///{tmp_path / 'server.sqlite'}",
        "broker": redis_url,
        "data_dir": str(tmp_path / "data"),
        "flower": {"port": free_port(), "password": "a-password"},
    }
    file.write_text(yaml.safe_dump({"application": settings}))
    (tmp_path / "data").mkdir()
    return Instance.load(file)


@pytest.fixture
def address(instance: Instance, tmp_path: Path) -> Iterator[str]:
    """Give the address of a Flower that runs as a server runs it."""
    command, variables = supervision.program(instance, "flower")
    assert command[0] == sys.executable
    process = Process(command, tmp_path / "flower.log", environment={**os.environ, **variables})
    assert instance.config.flower is not None
    where = f"http://127.0.0.1:{instance.config.flower.port}"

    def is_there() -> bool:
        return status(where, "/static/js/flower.js", None) in (200, 404)

    process.wait_until(lambda: _quietly(is_there))
    yield where
    process.stop()


def _quietly(ask) -> bool:
    try:
        return ask()
    except OSError:
        return False


def is_answered(address: str, path: str) -> bool:
    return status(address, path, "a-password") == 200


def status(address: str, path: str, password: str | None) -> int:
    request = urllib.request.Request(address + path)
    if password is not None:
        login = base64.b64encode(f"flower:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {login}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_every_page_of_flower_asks_for_the_password(address: str) -> None:
    for path in (*PAGES, "/healthcheck"):
        assert status(address, path, None) == 401, path
        assert status(address, path, "guessed") == 401, path
    for path in ("/", "/metrics", "/healthcheck"):
        eventually(partial(is_answered, address, path))
