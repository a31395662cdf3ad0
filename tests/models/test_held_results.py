"""A result that its station holds back waits as `pending`, and says why, until it goes on."""

from datetime import timedelta

import pytest

from tests.models.factories import LEASE, World, again, make_task, result_of
from vantage6.common.clock import now
from vantage6.common.errors import Invalid
from vantage6.common.task_status import TaskStatus
from vantage6.models.store import results, tasks
from vantage6.models.tables import Result

WHY = ("awaiting_approval", "A person at the station looks at it.")


@pytest.fixture
def held(world: World) -> Result:
    """Give a result of Amsterdam that its station holds back."""
    result = result_of(make_task(world.north, [world.amsterdam]), world.amsterdam)
    results.claim(result.id, world.amsterdam_north, LEASE)
    return report(world, result, TaskStatus.PENDING, WHY)


def report(
    world: World, result: Result, status: TaskStatus, reason: tuple[str, str] | None = None
) -> Result:
    """Report on a result in the name of Amsterdam's node."""
    row = results.of_node(result.id, world.amsterdam_north)
    started = now() if status == TaskStatus.ACTIVE else None
    return results.patch(row, status=status, started_at=started, reason=reason, lease_seconds=LEASE)


def shown(result: Result) -> tuple[str, str | None, object]:
    """Return what clients see of a result."""
    row = again(result)
    return row.status, row.reason_code, row.started_at


def test_a_held_result_is_pending_with_a_reason_and_cannot_get_lost(world: World, held: Result):
    assert shown(held) == ("pending", WHY[0], None)
    assert again(held).lease_until is None
    # Its node holds it; later a silent one does not; and then one that has lost its files.
    for running, start in (([held.id], []), ([], [held.id])):
        told = results.reconcile(world.amsterdam_north, running, [], LEASE)
        assert (told["start"], told["stop"], told["forget"]) == (start, [], [])
        assert results.sweep() == ([], [])
        assert shown(held) == ("pending", WHY[0], None)


@pytest.mark.parametrize("status", [TaskStatus.ACTIVE, TaskStatus.INITIALIZING])
def test_a_held_result_goes_on_without_the_reason(world: World, held: Result, status: TaskStatus):
    report(world, held, status)
    row = again(held)
    assert (row.status, row.reason_code, row.reason) == (status, None, None)
    assert row.lease_until > now() + timedelta(seconds=LEASE - 10)
    report(world, held, TaskStatus.COMPLETED)
    assert again(held).reason_code is None


def test_taking_up_a_held_result_is_no_further_attempt(world: World, held: Result):
    for _ in range(2 * results.MOST_ATTEMPTS):
        claimed, is_new = results.claim(held.id, world.amsterdam_north, LEASE)
        assert not is_new
        assert (claimed.status, claimed.reason_code) == (TaskStatus.INITIALIZING, None)
        assert claimed.attempt == 1
        report(world, held, TaskStatus.PENDING, WHY)


def test_a_held_result_can_be_killed_and_is_final_then(world: World, held: Result):
    tasks.kill(held.task_id)
    assert shown(held) == ("killed by user", "killed", None)
    with pytest.raises(Invalid, match="has ended"):
        report(world, held, TaskStatus.PENDING, WHY)
    told = results.reconcile(world.amsterdam_north, [held.id], [], LEASE)
    assert told["stop"] == [held.id]


def test_a_denied_result_ends_with_the_reason_of_the_station(world: World, held: Result):
    report(world, held, TaskStatus.NOT_ALLOWED, ("approval_denied", "Not this column."))
    assert shown(held)[:2] == ("not allowed", "approval_denied")
