"""Tasks are written as a whole or not at all, with numbers that are never used twice."""

import time

import peewee
import pytest

from tests.models.factories import (
    World,
    content_of,
    finish,
    make_task,
    make_user,
    messages,
    result_of,
    side_by_side,
)
from vantage6.common.enums import Scope
from vantage6.common.errors import Invalid, NotFound
from vantage6.models.database import db
from vantage6.models.fields import is_sqlite
from vantage6.models.store import outbox, results, targets, tasks
from vantage6.models.store.access import Reach
from vantage6.models.store.outbox import Topic
from vantage6.models.store.queries import Page
from vantage6.models.tables import Node, Outbox, Payload, Result, Run, Task


class Interrupted(Exception):
    """Something fails after a task was written."""


def count(*tables: type) -> list[int]:
    return [table.select().count() for table in tables]


def test_a_task_comes_with_its_results_inputs_and_message(world: World):
    task = make_task(world.north, [world.amsterdam, world.berlin])
    found = {row.organization_id: row for row in task.results}
    assert set(found) == {world.amsterdam.id, world.berlin.id}
    assert {row.status for row in found.values()} == {"pending"}
    mine = found[world.amsterdam.id].id
    assert results.payloads([mine]) == {mine: {"input": "input of Amsterdam"}}
    (message,) = messages()
    assert content_of(message) == {"task_id": task.id}
    assert outbox.find(message).topic is Topic.TASK_CREATED


def test_a_task_that_fails_half_way_leaves_nothing(world: World):
    def write_and_fail() -> None:
        with db.atomic():
            make_task(world.north, [world.amsterdam])
            raise Interrupted

    with pytest.raises(Interrupted):
        write_and_fail()
    assert count(Task, Result, Payload, Outbox, Run) == [0, 0, 0, 0, 0]


def test_a_task_without_targets_is_written(world: World):
    task = make_task(world.north, [], initiator=world.amsterdam)
    assert count(Task, Result) == [1, 0]
    assert not tasks.is_open(task.id)


def test_each_task_has_a_run_of_its_own_and_sub_tasks_share_it(world: World):
    first = make_task(world.north, [world.amsterdam])
    second = make_task(world.north, [world.amsterdam])
    child = make_task(world.north, [world.berlin], parent=first)
    assert first.run_id != second.run_id
    assert child.run_id == first.run_id
    assert tasks.children_of([first.id, second.id]) == {first.id: [child.id], second.id: []}


def test_runs_of_removed_tasks_are_not_used_again(world: World):
    first = make_task(world.north, [world.amsterdam])
    tasks.delete(first)
    assert make_task(world.north, [world.amsterdam]).run_id > first.run_id


def test_tasks_at_once_get_different_runs(world: World):
    made = side_by_side(*[lambda: make_task(world.north, [world.amsterdam])] * 6)
    assert len({task.run_id for task in made}) == 6


def test_removing_a_task_keeps_its_sub_tasks(world: World):
    parent = make_task(world.north, [world.amsterdam])
    child = make_task(world.north, [world.berlin], parent=parent)
    assert tasks.delete(parent) == 2
    assert tasks.get(child.id).parent_id is None
    assert not tasks.is_open(child.id)
    assert count(Task, Result, Payload) == [1, 1, 1]


def test_a_task_that_cannot_be_removed_is_not_ended(world: World):
    task = make_task(world.north, [world.amsterdam, world.berlin])
    before = messages()
    refuse = "BEGIN SELECT RAISE(ABORT, 'kept'); END"
    if not is_sqlite(db.obj):
        db.execute_sql(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql "
            "AS $$ BEGIN RAISE EXCEPTION 'kept'; END $$"
        )
        refuse = "FOR EACH ROW EXECUTE FUNCTION refuse()"
    db.execute_sql(f"CREATE TRIGGER kept BEFORE DELETE ON task {refuse}")
    with pytest.raises(peewee.PeeweeException, match="kept"):
        tasks.delete(task)
    assert tasks.is_open(task.id)
    assert messages() == before


def test_a_missing_task_is_not_found(world: World):
    with pytest.raises(NotFound, match="no task 999"):
        tasks.get(999)


def test_a_task_is_open_while_a_result_is(world: World):
    task = make_task(world.north, [world.amsterdam, world.berlin])
    finish(result_of(task, world.amsterdam), world.amsterdam_north)
    assert tasks.is_open(task.id)
    finish(result_of(task, world.berlin), world.berlin_north)
    assert not tasks.is_open(task.id)


def ids_below(task: Task) -> list[int]:
    return sorted(row.id for row in tasks.with_descendants(task.id))


def test_descendants_are_found_at_any_depth(world: World):
    line = [make_task(world.north, [world.amsterdam])]
    for _ in range(5):
        line.append(make_task(world.north, [world.amsterdam], parent=line[-1]))
    assert ids_below(line[0]) == [task.id for task in line]
    assert ids_below(line[-1]) == [line[-1].id]


# Targets


def test_good_targets_are_accepted(world: World):
    targets.check(world.north.id, [world.amsterdam.id, world.berlin.id])


def test_a_target_may_be_named_once_only(world: World):
    with pytest.raises(Invalid, match="named more than once") as caught:
        targets.check(world.north.id, [world.berlin.id, world.berlin.id])
    assert caught.value.error_code == "named_twice"


def test_a_target_must_be_a_member(world: World):
    with pytest.raises(Invalid, match=f"Organization {world.cairo.id} is not in") as caught:
        targets.check(world.north.id, [world.amsterdam.id, world.cairo.id])
    assert caught.value.error_code == "no_member"


def test_a_target_must_have_a_node_there(world: World):
    Node.delete().where(Node.id == world.berlin_north.id).execute()
    with pytest.raises(Invalid, match=r"No node .* for Berlin \(\d+\)\. Register one") as caught:
        targets.check(world.north.id, [world.amsterdam.id, world.berlin.id])
    assert caught.value.error_code == "no_node"


# Lists


def test_only_tasks_of_own_collaborations_are_in_reach(world: World):
    north = make_task(world.north, [world.amsterdam])
    south = make_task(world.south, [world.cairo])
    for reach, visible in (
        (Reach(Scope.GLOBAL), [south.id, north.id]),
        (Reach(Scope.ORGANIZATION, world.amsterdam.id), [north.id]),
        (Reach(Scope.ORGANIZATION, world.berlin.id), [south.id, north.id]),
        # A node sees its own collaboration only, though its organization is in two.
        (Reach(Scope.ORGANIZATION, world.berlin.id, world.south.id), [south.id]),
    ):
        rows, total = tasks.page(reach, Page())
        assert ([row.id for row in rows], total) == (visible, len(visible))


def test_filters_of_tasks(world: World):
    user = make_user(world.amsterdam)
    one = make_task(world.north, [world.amsterdam], user=user, name="Mean 50%", image="a:1")
    two = make_task(world.south, [world.cairo], name="mean", parent=one, image="b:1")
    for filters, expected in (
        ({"initiator": world.amsterdam.id}, [one]),
        ({"init_user": user.id}, [one]),
        ({"collaboration": world.south.id}, [two]),
        ({"parent": one.id}, [two]),
        ({"run": one.run_id}, [two, one]),
        ({"result": result_of(two, world.cairo).id}, [two]),
        ({"patterns": {"name": "MEAN%"}}, [two, one]),
        ({"patterns": {"name": "mean"}}, [two]),
        ({"patterns": {"image": "_:1", "name": "%50%"}}, [one]),
        ({"patterns": {"name": "\\"}}, []),
        ({"patterns": {"name": "mean\\"}}, []),
    ):
        rows, _ = tasks.page(Reach(Scope.GLOBAL), Page(), **filters)
        assert rows == expected, filters


def test_a_pattern_is_compared_with_the_beginning_of_a_long_text(world: World):
    """Or a table of such texts would be searched for minutes."""
    tasks_ = [
        make_task(world.north, [world.amsterdam], description=text)
        for text in ("a" * 1024, "a" * 60_000 + "b", "b" + "a" * 60_000)
    ]
    started = time.process_time()
    for pattern, expected in (
        ("a" * 1024, [0]),
        ("a%", [1, 0]),
        ("%a%", [2, 1, 0]),
        ("%b%", [2]),
        ("%" + "a" * 126 + "c", []),
    ):
        rows, _ = tasks.page(Reach(Scope.GLOBAL), Page(), patterns={"description": pattern})
        assert rows == [tasks_[index] for index in expected], pattern
    assert time.process_time() - started < 1


def test_pages_of_tasks(world: World):
    made = [make_task(world.north, [world.amsterdam]).id for _ in range(5)]
    newest = made[::-1]
    for page, expected in ((1, newest[:2]), (3, newest[4:]), (4, [])):
        rows, total = tasks.page(Reach(Scope.GLOBAL), Page(page, 2))
        assert ([row.id for row in rows], total) == (expected, 5)
