"""Outside libraries are imported only where setup.cfg says."""

import pytest
from grimp import ImportGraph

from scripts.walls import Walls


def problems(*rooms: str) -> list[str]:
    """Return what is wrong with rooms for a program in which one module imports redis."""
    graph = ImportGraph()
    for module in ("vantage6.broker.acl", "vantage6.api", "os"):
        graph.add_module(module)
    graph.add_module("redis", is_squashed=True)
    graph.add_import(importer="vantage6.broker.acl", imported="redis")
    graph.add_import(importer="vantage6.broker.acl", imported="os")
    check = Walls("walls", {}, {"rooms": list(rooms)}).check(graph, verbose=False)
    found: list[str] = check.metadata["problems"]
    assert check.kept is not bool(found)
    return found


@pytest.mark.parametrize("room", ["vantage6.broker", "vantage6.broker.acl"])
def test_a_library_in_its_room_is_accepted(room: str) -> None:
    assert problems(f"redis: {room}") == []


def test_a_library_outside_of_its_rooms_is_refused() -> None:
    assert len(problems("redis: vantage6.bro vantage6.api")) == 3


def test_a_library_that_is_not_listed_is_refused() -> None:
    (problem,) = problems()
    assert "vantage6.broker.acl imports redis" in problem


def test_a_room_that_does_not_use_its_library_is_refused() -> None:
    (problem,) = problems("redis: vantage6.broker vantage6.api")
    assert "vantage6.api does not import redis" in problem
    (problem,) = problems("redis: vantage6.broker", "kombu: vantage6.broker")
    assert "vantage6.broker does not import kombu" in problem
