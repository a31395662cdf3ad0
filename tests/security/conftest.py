"""A server in process and a station, as the tests of each have them."""

from tests.api.conftest import (
    api,
    broker_url,
    instance,
    light_passwords,
    researcher,
    root,
    server,
    uri,
    world,
)
from tests.node.conftest import docker_bench, process_bench

__all__ = [
    "api",
    "broker_url",
    "docker_bench",
    "instance",
    "light_passwords",
    "process_bench",
    "researcher",
    "root",
    "server",
    "uri",
    "world",
]
