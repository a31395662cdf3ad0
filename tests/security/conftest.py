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
from tests.node.conftest import docker_bench, engine, process_bench, program_image

__all__ = [
    "api",
    "broker_url",
    "docker_bench",
    "engine",
    "instance",
    "light_passwords",
    "process_bench",
    "program_image",
    "researcher",
    "root",
    "server",
    "uri",
    "world",
]
