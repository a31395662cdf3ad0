"""Prepared queries return what the query returns from which they are made."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from peewee import ModelSelect, QueryEvent

from tests.models.factories import World, make_task, make_world, migrated, side_by_side
from tests.services.postgres import PostgresCluster
from vantage6.common.clock import now
from vantage6.common.task_status import TaskStatus
from vantage6.models import database
from vantage6.models.database import db
from vantage6.models.sql.prepared import Prepared
from vantage6.models.store import results
from vantage6.models.store.queries import among
from vantage6.models.tables import Membership, Node, Organization, Result


@contextmanager
def sent() -> Iterator[list[QueryEvent]]:
    """Collect what is sent to the database."""
    events: list[QueryEvent] = []
    db.obj.query_hooks.append(events.append)
    try:
        yield events
    finally:
        db.obj.query_hooks.remove(events.append)


def names(rows: list[Organization]) -> list[str]:
    return [row.name for row in rows]


@pytest.fixture
def of_ids() -> Prepared[Organization]:
    """Give a query for organizations with some ids."""
    return Prepared(
        lambda ids: Organization.select().where(among(Organization.id, ids)).order_by("id")
    )


def test_each_call_asks_with_its_own_value(world: World):
    named = Prepared(lambda name: Organization.select().where(Organization.name == name))
    assert named("Berlin") == [world.berlin]
    assert named("Cairo") == [world.cairo]
    assert named("Paris") == []
    assert named.first("Amsterdam") == world.amsterdam
    assert named.first("Paris") is None


def test_a_value_may_stand_in_several_places(world: World):
    asked = Prepared(
        lambda one, other: Membership.select().where(
            ((Membership.organization == one) & (Membership.collaboration == other))
            | ((Membership.organization != one) & (Membership.collaboration != other))
        )
    )
    found = {(row.organization_id, row.collaboration_id) for row in asked(1, 1)}
    assert found == {(1, 1), (2, 2), (3, 2)}


def test_null_is_equal_to_nothing(world: World):
    db.execute_sql("UPDATE node SET name = NULL WHERE id = 1")
    assert Prepared(lambda name: Node.select().where(Node.name == name))(None) == []


def test_a_value_is_converted_as_its_column_does(world: World):
    task = make_task(world.north, [world.amsterdam, world.berlin])
    moment = now()
    Result.update(status=TaskStatus.ACTIVE, started_at=moment).where(Result.id == 1).execute()
    by_status = Prepared(lambda status: Result.select().where(Result.status == status))
    by_moment = Prepared(lambda moment: Result.select().where(Result.started_at >= moment))
    by_task = Prepared(lambda task: Result.select().where(Result.task == task))
    assert [row.id for row in by_status(TaskStatus.ACTIVE)] == [1]
    assert [row.started_at for row in by_moment(moment)] == [moment]
    assert len(by_task(task)) == 2
    with pytest.raises(ValueError, match="without zone"):
        by_moment(moment.replace(tzinfo=None))


def test_any_number_of_ids_is_one_statement(world: World, of_ids: Prepared[Organization]):
    with sent() as events:
        assert names(of_ids([])) == []
        assert names(of_ids({2})) == ["Berlin"]
        assert names(of_ids(range(2, 50_000))) == ["Berlin", "Cairo"]
    assert len({event.sql for event in events}) == 1
    assert len(events) == 3


def test_the_query_is_built_once(world: World):
    built: list[Any] = []

    def build(id_: Any) -> Any:
        built.append(id_)
        return Organization.select().where(Organization.id == id_)

    query = Prepared(build)
    assert names(query(1) + query(2) + query(3)) == ["Amsterdam", "Berlin", "Cairo"]
    assert len(built) == 1


def test_calls_share_no_rows(world: World, of_ids: Prepared[Organization]):
    before = of_ids([1, 2])
    Organization.update(name="Bonn").where(Organization.id == 2).execute()
    after = of_ids([1, 2])
    assert names(before) == ["Amsterdam", "Berlin"]
    assert names(after) == ["Amsterdam", "Bonn"]
    assert before[0] is not after[0]


def test_joined_rows_come_along(world: World):
    (row,) = make_task(world.north, [world.berlin], name="mean").results
    with sent() as events:
        assert results.get(row.id).task.name == "mean"
    assert len(events) == 1


def test_threads_may_build_the_same_query_at_once(world: World):
    for _ in range(20):
        query = Prepared(
            lambda ids: (
                Organization.select(Organization.name).where(among(Organization.id, ids)).tuples()
            )
        )
        jobs = [lambda number=number, query=query: query([number]) for number in (1, 2, 3)]
        assert side_by_side(*jobs) == [[("Amsterdam",)], [("Berlin",)], [("Cairo",)]]


def test_one_query_serves_both_kinds_of_database(
    tmp_path: Path, postgres: PostgresCluster, of_ids: Prepared[Organization]
):
    with postgres.database() as there:
        for uri in (f"sqlite:///{tmp_path / 'one.sqlite'}", there) * 2:
            database.bind(uri, folder=tmp_path)
            with migrated():
                if not Organization.select().exists():
                    make_world()
                assert names(of_ids([3, 1])) == ["Amsterdam", "Cairo"]


def test_peewee_still_makes_rows_of_a_cursor_without_keeping_them(world: World):
    changed = "peewee changed what vantage6.models.sql.prepared needs of it"
    assert hasattr(ModelSelect, "_get_cursor_wrapper"), changed
    for query in (
        Node.select(),
        Node.select().tuples(),
        Node.select().objects(),
        Result.select(Result, Node).join(Node, on=(Node.organization == Result.organization)),
    ):
        make_task(world.north, [world.amsterdam])
        before = dict(vars(query))
        first, second = (
            list(query._get_cursor_wrapper(db.execute_sql(*query.sql()))) for _ in range(2)
        )
        assert vars(query) == before, changed
        assert len(first) == len(second) == len(list(query.clone())) > 0, changed
        assert first[0] is not second[0], changed
