"""Fixtures of the node's tests."""

import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.node.factories import COMMAND, IMAGE, MIB, Bench, make_config
from tests.node.wire import Wire
from vantage6.node.runtime.docker import DockerRuntime
from vantage6.node.runtime.process import ProcessRuntime

_BASE = "vantage6/base:latest"

MakeBench = Callable[..., Bench]


@pytest.fixture(scope="session")
def engine(docker_host: str) -> Iterator[docker.APIClient]:
    """Give a connection to the engine."""
    client = docker.APIClient(base_url=docker_host, version="auto")
    yield client
    client.close()


@pytest.fixture(scope="session")
def program_image(engine: docker.APIClient) -> Iterator[str]:
    """Give the image of the test algorithm."""
    base = os.environ.get("V6_TEST_IMAGE", _BASE)
    container = engine.create_container(base, command=["true"])["Id"]
    repository, tag = IMAGE.split(":")
    try:
        engine.commit(container, repository, tag, changes=[f"CMD {json.dumps(COMMAND)}"])
    finally:
        engine.remove_container(container)
    yield IMAGE
    engine.remove_image(IMAGE, force=True)


def _configured(folder: Path, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "databases": [{"label": "default", "uri": str(folder / "patients.csv"), "type": "csv"}],
        "limits": {"memory_bytes": 512 * MIB, "pids": 64, "file_bytes": 4 * MIB},
        **values,
    }


@pytest.fixture
def docker_bench(program_image: str, tmp_path: Path) -> Iterator[MakeBench]:
    """Give a function that makes a bench on the Docker runtime."""
    made: list[Bench] = []

    def make(**values: Any) -> Bench:
        config = make_config(**_configured(tmp_path, values))
        # A name of its own, so that tests that run side by side do not meet.
        bench = Bench(tmp_path, DockerRuntime(f"test-{uuid.uuid4().hex[:8]}", config), config)
        made.append(bench)
        return bench

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def process_bench(tmp_path: Path) -> Iterator[MakeBench]:
    """Give a function that makes a bench on the process runtime."""
    made: list[Bench] = []

    def make(**values: Any) -> Bench:
        config = make_config(**_configured(tmp_path, values))
        runtime = ProcessRuntime(tmp_path / "processes", config.processes, config.limits)
        bench = Bench(tmp_path, runtime, config)
        made.append(bench)
        return bench

    yield make
    for bench in made:
        bench.close()


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.slow)])
def make_bench(request: pytest.FixtureRequest) -> MakeBench:
    """Give a function that makes a bench; the test runs with each runtime."""
    make: MakeBench = request.getfixturevalue(f"{request.param}_bench")
    return make


@pytest.fixture
def wire() -> Iterator[Wire]:
    """Give a server."""
    with Wire() as running:
        yield running
