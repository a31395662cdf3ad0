"""A result is taken once, by the node that it is for; what that node reports is kept."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.models.factories import (
    LEASE,
    World,
    again,
    finish,
    make_task,
    result_of,
    side_by_side,
)
from vantage6.common.clock import now
from vantage6.common.errors import Conflict, Forbidden, Invalid, NotFound
from vantage6.common.task_status import TaskStatus
from vantage6.models.store import results, tasks
from vantage6.models.tables import Organization, Result


@pytest.fixture
def result(world: World) -> Result:
    """Give Amsterdam's result of a task in the north."""
    task = make_task(world.north, [world.amsterdam, world.berlin])
    return result_of(task, world.amsterdam)


def test_a_claim_takes_a_pending_result(world: World, result: Result):
    before = now()
    claimed, is_new = results.claim(result.id, world.amsterdam_north, LEASE)
    assert is_new
    assert claimed.status == TaskStatus.INITIALIZING
    assert claimed.attempt == 1
    assert claimed.lease_until >= before + timedelta(seconds=LEASE)
    assert claimed.task.image == result.task.image


def test_a_second_claim_by_the_same_node_answers_the_same(world: World, result: Result):
    first, _ = results.claim(result.id, world.amsterdam_north, LEASE)
    second, is_new = results.claim(result.id, world.amsterdam_north, LEASE)
    assert not is_new
    assert (second.id, second.status, second.attempt) == (first.id, first.status, 1)
    assert second.lease_until >= first.lease_until


def test_a_claim_of_a_running_result_leaves_it_running(world: World, result: Result):
    results.claim(result.id, world.amsterdam_north, LEASE)
    results.patch(
        results.of_node(result.id, world.amsterdam_north),
        status=TaskStatus.ACTIVE,
        lease_seconds=LEASE,
    )
    claimed, _ = results.claim(result.id, world.amsterdam_north, LEASE)
    assert claimed.status == TaskStatus.ACTIVE


def test_of_many_claims_at_once_one_counts(world: World, result: Result):
    def claim() -> tuple[Result, bool]:
        return results.claim(result.id, world.amsterdam_north, LEASE)

    outcomes = side_by_side(*[claim] * 6)
    assert sorted(is_new for _, is_new in outcomes) == [*[False] * 5, True]
    assert again(result).attempt == 1


@pytest.mark.parametrize("node", ["berlin_north", "berlin_south", "cairo_south"])
def test_a_claim_is_refused_to_another_node(world: World, result: Result, node: str):
    with pytest.raises(Forbidden, match="not for this node"):
        results.claim(result.id, getattr(world, node), LEASE)
    assert again(result).status == TaskStatus.PENDING


def test_a_claim_is_refused_to_the_same_organization_in_another_collaboration(world: World):
    task = make_task(world.north, [world.berlin])
    mine = result_of(task, world.berlin)
    with pytest.raises(Forbidden):
        results.claim(mine.id, world.berlin_south, LEASE)
    claimed, _ = results.claim(mine.id, world.berlin_north, LEASE)
    assert claimed.attempt == 1


def test_a_claim_is_refused_to_a_node_without_collaboration(world: World, result: Result):
    world.amsterdam_north.collaboration = None
    with pytest.raises(Forbidden):
        results.claim(result.id, world.amsterdam_north, LEASE)


def test_a_claim_of_a_killed_result_is_a_conflict(world: World, result: Result):
    tasks.kill(result.task_id)
    with pytest.raises(Conflict, match="killed by user") as caught:
        results.claim(result.id, world.amsterdam_north, LEASE)
    assert caught.value.error_code == "result_finished"


def test_a_claim_of_a_finished_result_is_a_conflict(world: World, result: Result):
    finish(result, world.amsterdam_north)
    with pytest.raises(Conflict) as caught:
        results.claim(result.id, world.amsterdam_north, LEASE)
    assert caught.value.error_code == "result_finished"


def test_a_claim_of_a_removed_result_finds_nothing(world: World, result: Result):
    tasks.delete(result.task)
    with pytest.raises(NotFound):
        results.claim(result.id, world.amsterdam_north, LEASE)


# Reports


def test_a_report_keeps_what_it_does_not_name(world: World, result: Result):
    node = world.amsterdam_north
    started = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    results.patch(results.of_node(result.id, node), started_at=started, lease_seconds=LEASE)
    results.patch(results.of_node(result.id, node), contents={"log": "line"}, lease_seconds=LEASE)
    row = results.patch(
        results.of_node(result.id, node), status=TaskStatus.ACTIVE, lease_seconds=LEASE
    )
    assert (row.status, row.started_at, row.finished_at) == (TaskStatus.ACTIVE, started, None)
    assert results.payloads([result.id])[result.id] == {
        "input": "input of Amsterdam",
        "log": "line",
    }


def test_a_report_replaces_what_it_names(world: World, result: Result):
    for text in ("one", "two"):
        results.patch(
            results.of_node(result.id, world.amsterdam_north),
            contents={"log": text},
            lease_seconds=LEASE,
        )
    assert results.payloads([result.id])[result.id]["log"] == "two"


def test_a_report_with_an_end_is_final(world: World, result: Result):
    row = finish(result, world.amsterdam_north)
    assert row.status == TaskStatus.COMPLETED
    assert row.lease_until is None
    with pytest.raises(Invalid, match="has ended: completed") as caught:
        results.patch(
            results.of_node(result.id, world.amsterdam_north),
            contents={"log": "late"},
            lease_seconds=LEASE,
        )
    assert caught.value.error_code == "result_finished"
    assert "log" not in results.payloads([result.id])[result.id]


def test_the_same_final_report_may_come_twice_and_changes_nothing(world: World, result: Result):
    first = finish(result, world.amsterdam_north, result="42")
    second = finish(result, world.amsterdam_north, result="43")
    assert second.finished_at == first.finished_at
    assert results.payloads([result.id])[result.id]["result"] == "42"


def test_two_equal_final_reports_at_once_are_both_accepted(world: World, result: Result):
    outcomes = side_by_side(*[lambda: finish(result, world.amsterdam_north)] * 4)
    assert [outcome.status for outcome in outcomes] == [TaskStatus.COMPLETED] * 4


def test_a_final_report_of_another_end_is_refused(world: World, result: Result):
    tasks.kill(result.task_id)
    with pytest.raises(Invalid, match="killed by user") as caught:
        finish(result, world.amsterdam_north)
    assert caught.value.error_code == "result_finished"
    assert again(result).status == TaskStatus.KILLED


def test_an_end_without_a_final_status_is_an_unknown_error(world: World, result: Result):
    row = results.patch(
        results.of_node(result.id, world.amsterdam_north),
        status=TaskStatus.ACTIVE,
        finished_at=now(),
        lease_seconds=LEASE,
    )
    assert row.status == TaskStatus.UNKNOWN_ERROR


def test_a_final_status_without_an_end_ends_now(world: World, result: Result):
    row = results.patch(
        results.of_node(result.id, world.amsterdam_north),
        status=TaskStatus.NOT_ALLOWED,
        reason=("policy", "The node runs other images only."),
        lease_seconds=LEASE,
    )
    assert row.finished_at is not None
    assert (row.reason_code, row.reason) == ("policy", "The node runs other images only.")


def test_a_report_is_refused_to_another_node(world: World, result: Result):
    with pytest.raises(Forbidden):
        finish(result, world.berlin_north)


def test_a_report_of_life_brings_a_lease_to_a_result_that_was_offered_again(
    world: World, result: Result
):
    """Without one, nobody would ever notice that its node is gone."""
    row = results.patch(
        results.of_node(result.id, world.amsterdam_north),
        status=TaskStatus.ACTIVE,
        lease_seconds=LEASE,
    )
    assert row.lease_until > now()


def test_an_organization_is_in_a_task_once(world: World):
    row = make_task(world.north, [world.berlin])
    with pytest.raises(Exception, match=r"(?i)unique"):
        Result.create(task=row, organization=Organization.get_by_id(world.berlin.id))
