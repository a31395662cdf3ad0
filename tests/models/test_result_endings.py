"""Ending results from outside, however many there are."""

import pytest

from tests.models.factories import World, content_of, make_task, messages, result_of
from vantage6.common.task_status import TaskStatus
from vantage6.models.database import db
from vantage6.models.store import results, tasks
from vantage6.models.tables import Result, Task

#: More than either database takes as parameters of one statement.
MANY = 70_000


def multiply(task: Task, number: int) -> None:
    """Give a task many sub-tasks like itself, each with a pending result, in two statements."""
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number})"
    same = "name, description, image, collaboration_id, run_id, initiator_id, created_at"
    db.execute_sql(
        f"INSERT INTO task (parent_id, {same}) {numbers} SELECT id, {same} FROM task, n "
        f"WHERE id = {task.id}"
    )
    db.execute_sql(
        "INSERT INTO result (task_id, organization_id, status, attempt, assigned_at) "
        f"SELECT id, initiator_id, 'pending', 0, created_at FROM task WHERE parent_id = {task.id}"
    )


@pytest.mark.slow
def test_a_tree_of_any_size_is_killed_and_its_nodes_are_told_in_portions(world: World):
    task = make_task(world.north, [world.amsterdam])
    other = make_task(world.north, [world.amsterdam])
    multiply(task, MANY)
    before = messages()
    assert tasks.kill(task.id) == MANY + 1
    assert Result.select().where(Result.status == TaskStatus.KILLED).count() == MANY + 1
    assert result_of(other, world.amsterdam).status == TaskStatus.PENDING
    told = [content_of(message)["bells"] for message in messages()[len(before) :]]
    assert max(map(len, told)) <= 1000
    assert len({result for doorbells in told for _, result, _ in doorbells}) == MANY + 1


@pytest.mark.slow
def test_relations_of_any_number_of_rows_are_one_question(world: World):
    parent = make_task(world.north, [world.amsterdam])
    multiply(parent, MANY)
    ids = [task_id for (task_id,) in Task.select(Task.id).tuples()]
    found = tasks.results_of(ids)
    assert len(found) == len(ids) == MANY + 1
    assert all(len(rows) == 1 for rows in found.values())
    assert len(tasks.children_of(ids)[parent.id]) == MANY
    assert len(results.payloads([rows[0].id for rows in found.values()])) == MANY + 1
