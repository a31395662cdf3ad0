"""The worlds of the published client, each started once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.peer import environment
from tests.peer.behind_the_proxy import report
from tests.peer.worlds import AGES, ALPHA, BETA, OF_OLD, World, algorithms
from vantage6.sandbox.federation import Federation

SUM = {"method": "average_partial", "kwargs": {"column_name": "age"}}
CENTRAL = {"method": "master", "kwargs": {"column_name": "age"}, "master": True}
BROKEN = {"method": "average_partial", "kwargs": {"column_name": "height"}}
#: The tasks of the sealed world, one after the other; they have these ids, and their results too.
HISTORY: list[dict[str, Any]] = [
    # Task 1, with results 1 of alpha and 2 of beta.
    {"names": [ALPHA, BETA], "input_": SUM, "name": "sums", "description": "of ages"},
    # Task 2, with result 3; its sub-task is 3, with results 4 and 5.
    {"names": [ALPHA], "input_": CENTRAL, "name": "average"},
    # Task 4, with result 6: it crashes.
    {"names": [ALPHA], "input_": BROKEN, "name": "broken"},
    # Task 5, with result 7.
    {"names": [BETA], "input_": {**SUM, "output_format": "pickle"}, "name": "legacy"},
    # Tasks 6 with result 8 (sub-task 7 with 9 and 10), and 8 with result 11 (9 with 12 and 13).
    *(
        {
            "names": [ALPHA],
            "input_": {"method": method, "kwargs": {"column_name": "age"}, "master": True},
            "name": kind,
            "image": OF_OLD[kind],
            "data_format": "legacy",
        }
        for kind, method in (
            ("ContainerClient", "average"),
            ("AlgorithmClient", "average_with_new_client"),
        )
    ),
    # Tasks 10 and 11, with results 14 and 15.
    *(
        {"names": [ALPHA], "input_": report(kind), "name": f"{kind} calls", "image": OF_OLD[kind]}
        for kind in OF_OLD
    ),
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def python() -> Path:
    """Return the Python that has the published client."""
    return environment.python()


@contextmanager
def world(python: Path, folder: Path, nodes: list[str], **settings: Any) -> Iterator[World]:
    """Give a server with two organizations and some of their nodes, and stop it in the end."""
    federation = Federation(folder / "federation", AGES, runtime=algorithms(python), **settings)
    world = World(python, folder, federation)
    try:
        federation.start_server()
        federation.register()
        for name in nodes:
            federation.start_node(name)
        federation.wait_until_online(*nodes)
        world.add_users()
        yield world
    finally:
        world.close()
        federation.stop()


@pytest.fixture(scope="session")
def sealed(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give an encrypted world with a history, which no test changes."""
    folder = tmp_path_factory.mktemp("sealed")
    with world(python, folder, ["alpha", "beta"], settings={"flower": None}) as sealed:
        for task in HISTORY:
            sealed.researcher.wait_for_results(sealed.send(**task)["id"], 0.05)
        yield sealed


@pytest.fixture(scope="session")
def open_world(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a world without encryption, in which only the node of alpha runs."""
    folder = tmp_path_factory.mktemp("open")
    with world(python, folder, ["alpha"], encrypted=False, settings={"flower": None}) as open_world:
        yield open_world
