"""One federation for all examples."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples import world
from vantage6.sandbox.federation import Federation


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """Give what ``make demo KEEP=1`` leaves running."""
    with world.demonstration(tmp_path_factory.mktemp("examples") / "demo") as federation:
        yield federation
