"""A server in process: configured by a file, with a database and, where a test asks, a Redis."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.api.client import Api
from tests.models.factories import World, make_user, make_world, migrated
from tests.services import NO_BROKER
from vantage6.api.app import create_app
from vantage6.api.identity import guesses, passwords
from vantage6.api.service import Service
from vantage6.common.config import Instance
from vantage6.models.tables import User


@dataclass
class Server:
    """A server with a world in its database."""

    instance: Instance
    world: World
    api: Api
    service: Service


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """Return the URI of the database: SQLite.

    A module to which the database matters replaces this by `database_uri`, which is both.
    """
    return f"sqlite:///{tmp_path / 'server.sqlite'}"


@pytest.fixture
def broker_url() -> str:
    """Return the address of the broker: nobody is there.

    A module that needs one replaces this by `redis_url`.
    """
    return NO_BROKER


@pytest.fixture
def instance(tmp_path: Path, uri: str, broker_url: str) -> Instance:
    """Give a server's configuration."""
    file = tmp_path / "server.yaml"
    settings = {
        "uri": uri,
        "broker": broker_url,
        "data_dir": str(tmp_path / "data"),
        "max_body_bytes": 2**20,
    }
    file.write_text(yaml.safe_dump({"application": settings}))
    return Instance.load(file)


def configured(instance: Instance, **settings: Any) -> Instance:
    """Return the same server with other settings."""
    content = yaml.safe_load(instance.file.read_text())
    content["application"] |= settings
    instance.file.write_text(yaml.safe_dump(content))
    return Instance.load(instance.file)


@pytest.fixture
def server(instance: Instance) -> Iterator[Server]:
    """Give a server whose database holds a world; the test has a connection of its own to it."""
    service = Service.of(instance)
    api = Api(create_app(instance, service), service.tokens)
    with migrated():
        yield Server(instance, make_world(), api, service)


@pytest.fixture
def api(server: Server) -> Api:
    """Give somebody who calls the server."""
    return server.api


@pytest.fixture
def world(server: Server) -> World:
    """Give what is in the server's database."""
    return server.world


@pytest.fixture
def root(world: World) -> User:
    """Give a user of Amsterdam who may do everything."""
    return make_user(world.amsterdam, "Root")


@pytest.fixture
def researcher(world: World) -> User:
    """Give a researcher of Amsterdam."""
    return make_user(world.amsterdam, "Researcher")


@pytest.fixture
def light_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords in a millisecond instead of a tenth of a second.

    For tests of what happens around the hash; those of the hash itself do without.
    """
    light = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", light)
    monkeypatch.setattr(guesses, "_WAIT_SECONDS", 0.001)
