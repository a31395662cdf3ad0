"""What a node holds is compared with what it should hold; leases, kills, and given-up results."""

from datetime import timedelta

import pytest

from tests.models.factories import (
    LEASE,
    World,
    again,
    finish,
    make_task,
    messages,
    result_of,
    side_by_side,
)
from vantage6.common.clock import now
from vantage6.common.task_status import TaskStatus
from vantage6.models.store import outbox, results, tasks
from vantage6.models.store.outbox import Topic
from vantage6.models.tables import Result, Task


@pytest.fixture
def task(world: World) -> Task:
    """Give a task for Amsterdam and Berlin."""
    return make_task(world.north, [world.amsterdam, world.berlin])


@pytest.fixture
def result(world: World, task: Task) -> Result:
    """Give Amsterdam's result of it."""
    return result_of(task, world.amsterdam)


def run_out(*found: Result) -> None:
    """Let the leases of results end."""
    Result.update(lease_until=now() - timedelta(seconds=1)).where(
        Result.id << [row.id for row in found]
    ).execute()


def orders(
    world: World, running: list[int] | None = None, finished: list[int] | None = None
) -> tuple[list[int], list[int], list[int]]:
    """Return what Amsterdam's node is told to start, stop and forget."""
    told = results.reconcile(world.amsterdam_north, running or [], finished or [], LEASE)
    return told["start"], told["stop"], told["forget"]


def test_a_lost_message_is_healed(world: World, result: Result):
    assert orders(world) == ([result.id], [], [])
    assert again(result).status == TaskStatus.PENDING


def test_a_claimed_result_that_the_node_lost_is_started_again(world: World, result: Result):
    results.claim(result.id, world.amsterdam_north, LEASE)
    assert orders(world) == ([result.id], [], [])


def test_what_runs_goes_on_with_a_new_lease(world: World, result: Result):
    results.claim(result.id, world.amsterdam_north, 10)
    before = again(result).lease_until
    assert orders(world, running=[result.id]) == ([], [], [])
    assert again(result).lease_until > before
    assert again(result).attempt == 1


def test_what_waits_for_its_upload_keeps_its_lease_too(world: World, result: Result):
    results.claim(result.id, world.amsterdam_north, 10)
    before = again(result).lease_until
    assert orders(world, finished=[result.id]) == ([], [], [])
    assert again(result).lease_until > before


def test_what_was_killed_stops_and_is_forgotten(world: World, task: Task, result: Result):
    results.claim(result.id, world.amsterdam_north, LEASE)
    tasks.kill(task.id)
    assert orders(world, running=[result.id]) == ([], [result.id], [])
    assert orders(world, finished=[result.id]) == ([], [], [result.id])


def test_what_was_removed_stops_and_is_forgotten(world: World, task: Task, result: Result):
    tasks.delete(task)
    assert orders(world, running=[result.id], finished=[999]) == ([], [result.id], [999])


def test_results_of_others_are_no_business_of_a_node(world: World, task: Task, result: Result):
    theirs = result_of(task, world.berlin)
    assert orders(world, running=[theirs.id]) == ([result.id], [theirs.id], [])
    assert again(theirs).lease_until is None
    south = make_task(world.south, [world.berlin, world.cairo])
    told = results.reconcile(world.berlin_south, [], [], LEASE)
    assert told["start"] == [result_of(south, world.berlin).id]


def test_a_result_that_was_offered_again_comes_back_to_its_node(world: World, result: Result):
    results.claim(result.id, world.amsterdam_north, LEASE)
    # However often: a long computation outlives any number of broken connections.
    for _ in range(results.MOST_ATTEMPTS + 1):
        run_out(result)
        assert results.sweep() == ([result.id], [])
        assert orders(world, running=[result.id]) == ([], [], [])
    row = again(result)
    assert (row.status, row.attempt) == (TaskStatus.INITIALIZING, 1)
    started = {"status": TaskStatus.ACTIVE, "started_at": now(), "lease_seconds": LEASE}
    results.patch(results.of_node(result.id, world.amsterdam_north), **started)
    run_out(result)
    results.sweep()
    orders(world, running=[result.id])
    row = again(result)
    assert row.status == TaskStatus.ACTIVE
    assert row.lease_until > now()


# Sweeping


def test_only_silent_nodes_lose_results(world: World, result: Result):
    results.claim(result.id, world.amsterdam_north, LEASE)
    before = messages()
    assert results.sweep() == ([], [])
    assert again(result).status == TaskStatus.INITIALIZING
    assert messages() == before


def test_a_result_of_a_silent_node_is_offered_again_with_a_message(world: World, result: Result):
    results.claim(result.id, world.amsterdam_north, LEASE)
    run_out(result)
    known = set(messages())
    assert results.sweep() == ([result.id], [])
    row = again(result)
    assert (row.status, row.lease_until, row.attempt) == (TaskStatus.PENDING, None, 1)
    (message,) = set(messages()) - known
    waiting = outbox.find(message)
    assert (waiting.topic, waiting.content) == (Topic.RESULTS_READY, {"result_ids": [result.id]})


def test_a_result_is_given_up_after_the_last_attempt(world: World, result: Result):
    for attempt in range(1, results.MOST_ATTEMPTS + 1):
        results.claim(result.id, world.amsterdam_north, LEASE)
        run_out(result)
        again_, over = results.sweep()
        assert (again_, over) == (
            ([], [result.id]) if attempt == results.MOST_ATTEMPTS else ([result.id], [])
        )
    row = again(result)
    assert (row.status, row.reason_code) == (TaskStatus.UNKNOWN_ERROR, "node_lost")
    assert str(results.MOST_ATTEMPTS) in row.reason
    assert row.finished_at is not None


def test_finished_results_are_never_swept(world: World, result: Result):
    finish(result, world.amsterdam_north)
    run_out(result)
    assert results.sweep() == ([], [])
    assert again(result).status == TaskStatus.COMPLETED


def test_sweeping_twice_at_once_offers_once_more_at_most(world: World, result: Result):
    results.claim(result.id, world.amsterdam_north, LEASE)
    run_out(result)
    outcomes = side_by_side(results.sweep, results.sweep)
    assert all(isinstance(outcome, tuple) for outcome in outcomes)
    assert again(result).attempt == 1


# Killing


@pytest.fixture
def family(world: World, task: Task) -> list[Task]:
    """Give a task, its sub-task, and the sub-task of that one."""
    child = make_task(world.north, [world.amsterdam, world.berlin], parent=task)
    grandchild = make_task(world.north, [world.berlin], parent=child)
    return [task, child, grandchild]


def test_a_kill_reaches_every_depth(world: World, family: list[Task]):
    before = messages()
    rows = Result.select().count()
    assert tasks.kill(family[0].id) == rows
    rows = list(Result.select())
    assert {row.status for row in rows} == {TaskStatus.KILLED}
    assert {row.reason_code for row in rows} == {"killed"}
    assert all(row.finished_at for row in rows)
    assert len(messages()) == len(before) + 1


def test_a_kill_of_a_sub_task_spares_its_parent(world: World, family: list[Task]):
    tasks.kill(family[1].id)
    assert tasks.is_open(family[0].id)
    assert not tasks.is_open(family[1].id)
    assert not tasks.is_open(family[2].id)


def test_a_kill_never_overwrites_what_has_ended(world: World, family: list[Task]):
    done = [
        finish(result_of(family[0], world.amsterdam), world.amsterdam_north),
        finish(result_of(family[2], world.berlin), world.berlin_north, TaskStatus.CRASHED),
    ]
    before = [(row.id, row.status, row.finished_at) for row in done]
    assert tasks.kill(family[0].id) == Result.select().count() - len(done)
    assert [(row.id, row.status, row.finished_at) for row in map(again, done)] == before


def test_a_second_kill_says_nothing(world: World, task: Task):
    tasks.kill(task.id)
    before = messages()
    assert tasks.kill(task.id) == 0
    assert messages() == before


def test_the_message_of_a_kill_outlives_its_task(world: World, task: Task):
    ids = {row.organization_id: row.id for row in task.results}
    tasks.delete(task)
    message = messages()[-1]
    killed = outbox.find(message)
    assert killed.topic is Topic.RESULTS_KILLED
    assert sorted(map(tuple, killed.content["bells"])) == sorted(
        [
            (world.amsterdam_north.id, ids[world.amsterdam.id], task.id),
            (world.berlin_north.id, ids[world.berlin.id], task.id),
        ]
    )


def test_a_kill_and_a_final_report_at_once_leave_one_end(world: World, task: Task, result: Result):
    results.claim(result.id, world.amsterdam_north, LEASE)
    killed, reported = side_by_side(
        lambda: tasks.kill(task.id), lambda: finish(result, world.amsterdam_north)
    )
    row = again(result)
    assert row.status in (TaskStatus.KILLED, TaskStatus.COMPLETED)
    was_killed = row.status == TaskStatus.KILLED
    # The result of Berlin is killed in any case.
    assert killed == 1 + was_killed
    assert isinstance(reported, Exception) == was_killed
