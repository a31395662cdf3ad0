"""Totals are exact, but for those that take long to count; pages are of this moment."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.models.factories import World, make_task, migrated
from tests.models.test_prepared import sent
from vantage6.common.enums import Scope
from vantage6.models import database
from vantage6.models.sql.count_cache import CountCache, count_rows
from vantage6.models.store import result_lists, tasks
from vantage6.models.store.access import Reach
from vantage6.models.store.queries import Page
from vantage6.models.tables import Membership, Organization, Result, Task

EVERYTHING = Reach(Scope.GLOBAL)


@dataclass
class Table:
    """Rows that take time to count, by a clock of their own."""

    rows: int = 50_000
    seconds: float = 0.05
    moment: float = 0.0
    totals: CountCache = field(init=False)

    def __post_init__(self) -> None:
        self.totals = CountCache(lambda: self.moment)

    def count(self) -> int:
        self.moment += self.seconds
        return self.rows

    def total(self, key: str = "all") -> int:
        return self.totals.get(key, self.count)


@pytest.mark.parametrize(
    ("seconds", "kept"),
    [(0.002, 0.04), (0.05, 1.0), (0.1, 2.0), (30.0, 2.0)],
)
def test_a_total_serves_twenty_times_as_long_as_it_took_and_at_most_two_seconds(
    seconds: float, kept: float
):
    table = Table(seconds=seconds)
    assert table.total() == 50_000
    table.rows += 1
    table.moment += kept * 0.99
    assert table.total() == 50_000
    table.moment += kept * 0.02
    assert table.total() == 50_001


def test_what_is_counted_fast_is_counted_each_time():
    table = Table(seconds=0.0019)
    assert table.total() == 50_000
    table.rows += 1
    assert table.total() == 50_001


def test_a_small_total_is_exact_however_long_it_takes():
    table = Table(rows=998, seconds=5.0)
    assert table.total() == 998
    table.rows += 1
    assert table.total() == 999


def test_each_query_has_a_total_of_its_own():
    table = Table()
    assert table.total("all") == 50_000
    table.rows = 2000
    assert table.total("mine") == 2000
    assert table.total("all") == 50_000


def test_the_least_recently_used_total_leaves():
    table = Table(seconds=0.1)
    table.total("first")
    table.total("second")
    table.rows, table.seconds = 60_000, 0.003
    for number in range(255):
        table.total(f"other {number}")
        assert table.total("first") == 50_000
    assert table.total("second") == 60_000


def test_threads_may_ask_at_once():
    table = Table()
    keys = [f"{number % 300}" for number in range(6000)]
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(table.total, keys)) == {50_000}


def test_a_total_is_the_number_of_rows(world: World):
    query = Organization.select().order_by(Organization.name)
    assert count_rows(query) == 3
    assert count_rows(query.where(Organization.name != "Cairo")) == 2
    joined = query.join(Membership).where(Membership.collaboration == world.north.id)
    assert count_rows(joined) == 2
    assert count_rows(query.where(Organization.name == "")) == 0


def many() -> Any:
    """Return a query that any machine counts for more than 2 ms: each of 1,500 rows with each."""
    Organization.insert_many([{"name": f"place {number}"} for number in range(1500)]).execute()
    other = Organization.alias()
    return Organization.select().join(other, on=(other.id > 0))


def test_a_long_list_is_not_counted_again_at_once(tables: None):
    query = many()
    with sent() as events:
        totals = [count_rows(query) for _ in range(5)]
    assert totals == [1500**2] * 5
    assert len(events) == 1


def test_another_database_has_totals_of_its_own(tmp_path: Path):
    for name, total in (("one", 1500**2), ("other", 0)):
        database.bind(f"sqlite:///{tmp_path / name}", folder=tmp_path)
        with migrated():
            query = many()
            if not total:
                Organization.delete().execute()
            assert count_rows(query) == total


@pytest.fixture
def crowd(world: World) -> World:
    """Give a world with seven tasks and their ten results."""
    for collaboration, targets in (
        (world.north, [world.amsterdam, world.berlin]),
        (world.south, [world.cairo]),
        (world.north, [world.berlin]),
        (world.south, [world.cairo, world.berlin]),
        (world.north, [world.amsterdam]),
        (world.south, [world.berlin]),
        (world.north, [world.berlin, world.amsterdam]),
    ):
        make_task(collaboration, targets)
    return world


def test_pages_of_results_are_parts_of_the_whole_list(crowd: World):
    north, south = crowd.north.id, crowd.south.id
    for reach, places in (
        (EVERYTHING, {north, south}),
        (Reach(Scope.COLLABORATION, crowd.berlin.id), {north, south}),
        (Reach(Scope.ORGANIZATION, crowd.amsterdam.id), {north}),
        (Reach(Scope.COLLABORATION, crowd.berlin.id, collaboration=south), {south}),
    ):
        for node in (None, crowd.berlin_north):
            rows = Result.select().join(Task).where(Task.collaboration.in_(places))
            if node is not None:
                rows = rows.where(
                    (Result.organization == node.organization)
                    & (Task.collaboration == node.collaboration)
                )
            wanted = sorted((row.id for row in rows), reverse=True)
            found = []
            for number in range(1, 7):
                page, total = result_lists.page(reach, Page(number, 2), node=node and node.id)
                assert total == len(wanted)
                found += [row.id for row in page]
            assert found == wanted


def test_counting_neither_sorts_nor_joins_without_need(crowd: World):
    with sent() as events:
        assert result_lists.page(EVERYTHING, Page(1, 2), task=1)[1] == 2
        assert tasks.page(EVERYTHING, Page(1, 2))[1] == 7
    counts = [event.sql for event in events if "COUNT" in event.sql]
    assert len(counts) == 2
    assert not [sql for sql in counts if "JOIN" in sql or "ORDER" in sql or sql.count("SELECT") > 1]


def test_a_last_page_tells_the_total_without_counting(crowd: World):
    with sent() as events:
        assert tasks.page(EVERYTHING, Page(3, 3))[1] == 7
        assert tasks.page(EVERYTHING, Page(1, 3), run=999)[1] == 0
    assert len(events) == 2
    assert tasks.page(EVERYTHING, Page(9, 3)) == ([], 7)
