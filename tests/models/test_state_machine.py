"""Any sequence of what can happen to tasks and results, beside a model in twenty lines.

hypothesis looks for a sequence after which the database differs from the model.
"""

import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from tests.campaign import EFFORT, effort
from tests.models import invariants
from tests.models.factories import LEASE, finish, make_task, make_world, migrated
from vantage6.common.clock import now
from vantage6.common.errors import Conflict, Forbidden, Invalid, NotFound
from vantage6.common.task_status import UNFINISHED, TaskStatus
from vantage6.models import database
from vantage6.models.store import results, tasks
from vantage6.models.tables import Result, Task

pytestmark = [pytest.mark.slow, pytest.mark.campaign]

TAKEN = (TaskStatus.INITIALIZING, TaskStatus.ACTIVE)
ENDS = st.sampled_from([TaskStatus.COMPLETED, TaskStatus.CRASHED, TaskStatus.NOT_ALLOWED])


@dataclass
class Expected:
    """What the model knows of a result."""

    task: int
    organization: int
    status: TaskStatus = TaskStatus.PENDING
    attempts: int = 0
    started: bool = False
    #: Its station holds it back.
    held: bool = False

    @property
    def is_open(self) -> bool:
        return self.status in UNFINISHED


@dataclass
class Model:
    """What the model knows of everything."""

    results: dict[int, Expected] = field(default_factory=dict)
    #: Parents, by task.
    tasks: dict[int, int | None] = field(default_factory=dict)

    def is_open(self, task: int) -> bool:
        return any(one.is_open for one in self.results.values() if one.task == task)

    def below(self, task: int) -> set[int]:
        children = {one for one, parent in self.tasks.items() if parent == task}
        return {task}.union(*(self.below(child) for child in children))

    def kill(self, task: int) -> int:
        tree = self.below(task)
        ended = [one for one in self.results.values() if one.task in tree and one.is_open]
        for one in ended:
            one.status = TaskStatus.KILLED
        return len(ended)

    def remove(self, task: int) -> None:
        del self.tasks[task]
        self.results = {i: one for i, one in self.results.items() if one.task != task}
        for child, parent in self.tasks.items():
            if parent == task:
                self.tasks[child] = None


class Life(RuleBasedStateMachine):
    """Tasks in one collaboration of two organizations."""

    tasks_made = Bundle("tasks_made")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        database.bind("sqlite:///life.sqlite", folder=Path(self.folder.name))
        self.connection = migrated()
        self.connection.__enter__()
        self.model = Model()
        self.ended: invariants.Ended = {}

    def teardown(self) -> None:
        self.connection.__exit__(None, None, None)
        self.folder.cleanup()

    @initialize()
    def begin(self) -> None:
        self.world = make_world()
        self.nodes = {
            node.organization_id: node
            for node in (self.world.amsterdam_north, self.world.berlin_north)
        }

    def made(self, task: Task) -> int:
        self.model.tasks[task.id] = task.parent_id
        for result in task.results:
            self.model.results[result.id] = Expected(task.id, result.organization_id)
        return task.id

    def some(self, number: int) -> tuple[int, Expected] | None:
        """Return one of the results that there are."""
        ids = sorted(self.model.results)
        return (ids[number % len(ids)], self.model.results[ids[number % len(ids)]]) if ids else None

    @rule(target=tasks_made, both=st.booleans())
    def create(self, both: bool) -> int:
        targets = [self.world.amsterdam, self.world.berlin][: 1 + both]
        return self.made(make_task(self.world.north, targets))

    @rule(target=tasks_made, parent=tasks_made)
    def create_below(self, parent: int) -> object:
        above = Task.get_or_none(Task.id == parent)
        if above is None:
            return multiple()
        if not self.model.is_open(parent):
            with pytest.raises(Conflict, match="has ended"):
                make_task(self.world.north, [self.world.berlin], parent=above)
            return multiple()
        return self.made(make_task(self.world.north, [self.world.berlin], parent=above))

    @rule(number=st.integers(0, 50))
    def claim(self, number: int) -> None:
        if not (found := self.some(number)):
            return
        id_, expected = found
        if not expected.is_open:
            with pytest.raises(Conflict):
                results.claim(id_, self.nodes[expected.organization], LEASE)
            return
        results.claim(id_, self.nodes[expected.organization], LEASE)
        if expected.status == TaskStatus.PENDING:
            expected.status = TaskStatus.INITIALIZING
            expected.attempts += not expected.held
            expected.held = False

    @rule(number=st.integers(0, 50))
    def claim_for_another(self, number: int) -> None:
        if found := self.some(number):
            other = next(o for o in self.nodes if o != found[1].organization)
            with pytest.raises(Forbidden):
                results.claim(found[0], self.nodes[other], LEASE)

    @rule(number=st.integers(0, 50))
    def start(self, number: int) -> None:
        if not (found := self.some(number)):
            return
        id_, expected = found
        row = results.of_node(id_, self.nodes[expected.organization])
        report = {"status": TaskStatus.ACTIVE, "started_at": now(), "lease_seconds": LEASE}
        if not expected.is_open:
            with pytest.raises(Invalid, match="has ended"):
                results.patch(row, **report)
            return
        results.patch(row, **report)
        expected.status, expected.started, expected.held = TaskStatus.ACTIVE, True, False

    @rule(number=st.integers(0, 50))
    def hold(self, number: int) -> None:
        """Let a station hold back what it has not started."""
        if not (found := self.some(number)):
            return
        id_, expected = found
        if expected.status != TaskStatus.INITIALIZING or expected.started:
            return
        row = results.of_node(id_, self.nodes[expected.organization])
        results.patch(row, status=TaskStatus.PENDING, reason=("held", "Wait."), lease_seconds=LEASE)
        expected.status, expected.held = TaskStatus.PENDING, True

    @rule(number=st.integers(0, 50), status=ENDS)
    def end(self, number: int, status: TaskStatus) -> None:
        if not (found := self.some(number)):
            return
        id_, expected = found
        if expected.is_open or expected.status == status:
            finish(results.get(id_), self.nodes[expected.organization], status)
            expected.status = status
        else:
            with pytest.raises(Invalid, match="has ended"):
                finish(results.get(id_), self.nodes[expected.organization], status)

    @rule(task=tasks_made)
    def kill(self, task: int) -> None:
        if task in self.model.tasks:
            assert tasks.kill(task) == self.model.kill(task)

    @rule(task=consumes(tasks_made))
    def remove(self, task: int) -> None:
        if task not in self.model.tasks:
            with pytest.raises(NotFound):
                tasks.get(task)
            return
        assert tasks.delete(tasks.get(task)) == self.model.kill(task)
        self.model.remove(task)

    @rule()
    def fall_silent(self) -> None:
        """Let every lease run out."""
        late = now() - timedelta(seconds=1)
        Result.update(lease_until=late).where(Result.lease_until.is_null(False)).execute()
        results.sweep()
        for one in self.model.results.values():
            if one.status in TAKEN:
                over = one.attempts >= results.MOST_ATTEMPTS
                one.status = TaskStatus.UNKNOWN_ERROR if over else TaskStatus.PENDING

    @rule(organization=st.sampled_from(["amsterdam", "berlin"]), held=st.sets(st.integers(1, 20)))
    def reconcile(self, organization: str, held: set[int]) -> None:
        node = self.nodes[getattr(self.world, organization).id]
        mine = {
            i: one
            for i, one in self.model.results.items()
            if one.is_open and one.organization == node.organization_id
        }
        orders = results.reconcile(node, held, [], LEASE)
        assert orders["start"] == sorted(set(mine) - held)
        assert orders["stop"] == sorted(held - set(mine))
        for i in held & set(mine):
            if mine[i].status == TaskStatus.PENDING and not mine[i].held:
                mine[i].status = TaskStatus.ACTIVE if mine[i].started else TaskStatus.INITIALIZING

    @invariant()
    def the_database_is_as_the_model(self) -> None:
        rows = {row.id: (row.task_id, row.status) for row in Result.select()}
        assert rows == {i: (one.task, one.status) for i, one in self.model.results.items()}
        assert {row.id: row.parent_id for row in Task.select()} == self.model.tasks
        invariants.check(self.ended)


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=effort(40),
    stateful_step_count=30,
    deadline=None,
    derandomize=EFFORT == 1,
    suppress_health_check=list(HealthCheck),
)
