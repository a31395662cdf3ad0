"""What must hold in the database after whatever happened, in whatever order."""

import json
from collections import Counter

from vantage6.common.task_status import UNFINISHED
from vantage6.models.store.outbox import Topic
from vantage6.models.tables import Outbox, Payload, Result, Task

#: What can be seen of an ended result.
Ended = dict[int, tuple[object, ...]]


def check(ended: Ended | None = None) -> None:
    """Fail unless everything holds.

    Parameters
    ----------
    ended
        Ended results as they were when they ended; they must still be the same. Those that are
        new are added, those whose task was removed are left out.
    """
    tasks = {task.id: task for task in Task.select()}
    results = list(Result.select().order_by(Result.id))
    _ends_are_ends(results, ended if ended is not None else {})
    pairs = Counter((result.task_id, result.organization_id) for result in results)
    assert max(pairs.values(), default=1) == 1, pairs
    for payload in Payload.select(Payload.result).distinct():
        assert payload.result_id in {result.id for result in results}
    runs = Counter(task.run_id for task in tasks.values() if task.parent_id is None)
    for task in tasks.values():
        if task.parent_id is not None:
            parent = tasks[task.parent_id]
            assert (task.run_id, task.collaboration_id) == (parent.run_id, parent.collaboration_id)
            assert runs[task.run_id] <= 1 or parent.run_id == task.run_id
    _nothing_runs_below_what_was_killed(tasks, results)
    _everybody_is_told(tasks, results)


def _ends_are_ends(results: list[Result], ended: Ended) -> None:
    now = {}
    for result in results:
        is_open = result.status in UNFINISHED
        assert is_open == (result.finished_at is None), (result.status, result.finished_at)
        if not is_open:
            assert result.lease_until is None
            now[result.id] = (result.status, result.finished_at, result.reason_code)
    for result_id, seen in now.items():
        assert ended.setdefault(result_id, seen) == seen
    for result in results:
        assert result.id in now or result.id not in ended, "an ended result runs again"


def _nothing_runs_below_what_was_killed(tasks: dict[int, Task], results: list[Result]) -> None:
    killed = {result.task_id for result in results if result.reason_code == "killed"}
    for result in results:
        above, task = set(), tasks[result.task_id]
        while task is not None:
            above.add(task.id)
            task = tasks.get(task.parent_id)
        assert result.finished_at or not above & killed, (result.task_id, above & killed)


def _everybody_is_told(tasks: dict[int, Task], results: list[Result]) -> None:
    """No worker runs in these tests, so each message is still there."""
    created: set[int] = set()
    doorbells: set[int] = set()
    for row in Outbox.select():
        content = json.loads(row.content)
        if row.topic == Topic.TASK_CREATED:
            created.add(content["task_id"])
        elif row.topic == Topic.RESULTS_KILLED:
            doorbells |= {result for _, result, _ in content["bells"]}
    assert set(tasks) <= created
    assert {result.id for result in results if result.reason_code == "killed"} <= doorbells
