"""Rows that are written without peewee are the rows that peewee would write."""

import pytest

from tests.models.factories import World, make_task
from vantage6.common.clock import now
from vantage6.common.task_status import TaskStatus
from vantage6.models.sql.bulk_insert import insert
from vantage6.models.tables import Payload, Result, Task


@pytest.fixture
def task(world: World) -> Task:
    """Give a task for one organization."""
    return make_task(world.north, [world.amsterdam])


def test_what_is_not_named_gets_its_default(world: World, task: Task):
    before = now()
    row = {"task": task.id, "organization": world.berlin.id}
    ((id_,),) = insert(Result, [row], returning=[Result.id])
    found = Result.get_by_id(id_)
    assert (found.task_id, found.organization_id) == (task.id, world.berlin.id)
    assert (found.status, found.attempt, found.reason, found.finished_at) == (
        TaskStatus.PENDING,
        0,
        None,
        None,
    )
    assert before <= found.assigned_at <= now()


def test_values_are_converted_as_their_columns_do(world: World, task: Task):
    moment = now()
    row = {"task": task, "organization": world.berlin, "finished_at": moment}
    insert(Result, [row | {"status": TaskStatus.CRASHED}])
    found = Result.get(Result.organization == world.berlin)
    assert (found.status, found.finished_at) == (TaskStatus.CRASHED, moment)
    with pytest.raises(ValueError, match="without zone"):
        insert(Result, [row | {"finished_at": moment.replace(tzinfo=None)}])


def test_rows_may_name_their_fields_in_any_order(world: World, task: Task):
    rows = [
        {"task": task.id, "organization": world.berlin.id},
        {"organization": world.cairo.id, "task": task.id},
    ]
    found = insert(Result, rows, returning=[Result.organization, Result.id])
    assert [organization for organization, _ in sorted(found)] == [world.berlin.id, world.cairo.id]


def test_a_row_that_is_there_gets_the_new_values(task: Task):
    (result,) = Result.select().where(Result.task == task)
    key = [Payload.result, Payload.kind]
    for text in ("first", "second"):
        rows = [{"result": result.id, "kind": kind, "content": text} for kind in ("log", "result")]
        insert(Payload, rows, replacing=key)
    found = Payload.select().where(Payload.result == result).order_by(Payload.kind)
    assert [(row.kind, row.content) for row in found if row.kind != "input"] == [
        ("log", "second"),
        ("result", "second"),
    ]
