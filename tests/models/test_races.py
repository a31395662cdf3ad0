"""Sixteen at once: whatever they do to each other's tasks and results, the invariants hold."""

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.models import invariants
from tests.models.factories import (
    LEASE,
    World,
    finish,
    make_task,
    make_world,
    migrated,
    side_by_side,
)
from vantage6.common.clock import now
from vantage6.common.errors import V6Error
from vantage6.common.task_status import TaskStatus
from vantage6.models import database
from vantage6.models.database import transaction
from vantage6.models.store import result_endings, results, tasks
from vantage6.models.tables import Node, Result, Task

pytestmark = pytest.mark.slow

THREADS = 16
STEPS = 25
ENDS = [TaskStatus.COMPLETED, TaskStatus.CRASHED, TaskStatus.NOT_ALLOWED]


@pytest.fixture
def world(database_uri: str, tmp_path: Path):
    """Give a world in either database."""
    database.bind(database_uri, folder=tmp_path, connections=THREADS + 2)
    with migrated():
        yield make_world()


class Actor:
    """Does something random to random tasks and results of a world, again and again."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.nodes = {
            (node.organization_id, node.collaboration_id): node
            for node in (world.amsterdam_north, world.berlin_north)
        }

    def __call__(self) -> None:
        steps: Sequence[Callable[[], Any]] = [
            *[self.create, self.create_below] * 2,
            *[self.claim, self.report, self.end] * 4,
            *[self.reconcile, self.run_out, results.sweep],
            *[self.kill, self.remove],
        ]
        for _ in range(STEPS):
            # The other was faster, and this one is told so.
            with suppress(V6Error):
                self.random.choice(steps)()

    def some(self, table: Any) -> Any:
        """Return one of the newest rows, so that all actors meet at the same ones."""
        rows = list(table.select().order_by(table.id.desc()).limit(6))
        return self.random.choice(rows) if rows else None

    def node_of(self, result: Result) -> Node:
        return self.nodes[result.organization_id, self.world.north.id]

    def create(self) -> None:
        make_task(self.world.north, [self.world.amsterdam, self.world.berlin])

    def create_below(self) -> None:
        if parent := self.some(Task):
            make_task(self.world.north, [self.world.amsterdam], parent=parent)

    def claim(self) -> None:
        if result := self.some(Result):
            results.claim(result.id, self.node_of(result), LEASE)

    def report(self) -> None:
        if result := self.some(Result):
            results.patch(
                results.of_node(result.id, self.node_of(result)),
                status=TaskStatus.ACTIVE,
                started_at=now(),
                contents={"log": "line"},
                lease_seconds=LEASE,
            )

    def end(self) -> None:
        if result := self.some(Result):
            finish(result, self.node_of(result), self.random.choice(ENDS))

    def reconcile(self) -> None:
        node = self.random.choice(list(self.nodes.values()))
        running = [result.id for result in Result.select(Result.id).limit(20)]
        results.reconcile(node, running, [], LEASE)

    @transaction
    def run_out(self) -> None:
        late = now() - timedelta(seconds=1)
        leased = result_endings.hold(Result.lease_until.is_null(False))
        Result.update(lease_until=late).where(leased).execute()

    def kill(self) -> None:
        if task := self.some(Task):
            tasks.kill(task.id)

    def remove(self) -> None:
        if task := self.some(Task):
            tasks.delete(task)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_sixteen_do_at_once(world: World, seed: int):
    make_task(world.north, [world.amsterdam, world.berlin])
    actors = [Actor(world, seed * 100 + number) for number in range(THREADS)]
    outcomes = side_by_side(*actors)
    assert outcomes == [None] * THREADS
    invariants.check()
    assert Task.select().count() > 10


def at_once(world: World, *jobs: Callable[[], Any]) -> list[Any]:
    """Run sixteen jobs, in turn of these kinds, and check what they leave."""
    outcomes = side_by_side(*[jobs[number % len(jobs)] for number in range(THREADS)])
    surprises = [one for one in outcomes if isinstance(one, Exception)]
    assert [one for one in surprises if not isinstance(one, V6Error)] == []
    invariants.check()
    return outcomes


def test_claims_reports_kills_and_removals_of_one_task(world: World):
    for _ in range(10):
        task = make_task(world.north, [world.amsterdam, world.berlin])
        one, other = task.results
        at_once(
            world,
            lambda one=one: results.claim(one.id, world.amsterdam_north, LEASE),
            lambda one=one: finish(one, world.amsterdam_north),
            lambda other=other: finish(other, world.berlin_north, TaskStatus.CRASHED),
            lambda task=task: tasks.kill(task.id),
            lambda task=task: tasks.delete(task),
            lambda task=task: make_task(world.north, [world.berlin], parent=task),
        )


def test_nothing_starts_below_a_task_that_is_being_killed(world: World):
    for _ in range(10):
        task = make_task(world.north, [world.amsterdam])
        at_once(
            world,
            lambda task=task: make_task(world.north, [world.berlin], parent=task),
            lambda task=task: tasks.kill(task.id),
        )
        assert Result.select().where(Result.finished_at.is_null()).count() == 0


def test_a_result_ends_once(world: World):
    for _ in range(10):
        task = make_task(world.north, [world.amsterdam])
        (result,) = task.results
        outcomes = at_once(
            world,
            lambda result=result: finish(result, world.amsterdam_north, TaskStatus.COMPLETED),
            lambda result=result: finish(result, world.amsterdam_north, TaskStatus.CRASHED),
            lambda task=task: tasks.kill(task.id),
        )
        ends = {one.status for one in outcomes if isinstance(one, Result)}
        killed = [one for one in outcomes if isinstance(one, int) and one]
        assert len(ends) + len(killed) == 1, outcomes
