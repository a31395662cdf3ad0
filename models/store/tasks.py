"""Tasks: a request to organizations of a collaboration."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from peewee import chunked

from vantage6.common.errors import Conflict, Invalid, NotFound
from vantage6.common.task_status import NO_RESULTS, TASK_STATES, UNFINISHED, TaskStatus
from vantage6.models.database import for_update, transaction
from vantage6.models.sql.bulk_insert import insert
from vantage6.models.sql.prepared import Prepared
from vantage6.models.store import lineage, outbox, requesters, result_endings, sealed, targets
from vantage6.models.store.access import Reach
from vantage6.models.store.queries import Page, among, like, page_of
from vantage6.models.tables import (
    Collaboration,
    Payload,
    Result,
    Run,
    Task,
)

#: Shared by all who write below a row; whoever wants it `FOR UPDATE` waits for them.
_SHARED = "FOR KEY SHARE"

_BY_ID = Prepared(lambda id_: Task.select().where(Task.id == id_))
_HELD = Prepared(
    lambda id_: for_update(
        Collaboration.select(Collaboration.id, Collaboration.encrypted).where(
            Collaboration.id == id_
        ),
        _SHARED,
    )
)
_RESULTS = Prepared(lambda ids: Result.select().where(among(Result.task, ids)).order_by(Result.id))
_CHILDREN: Prepared[Any] = Prepared(
    lambda ids: (
        Task.select(Task.parent, Task.id).where(among(Task.parent, ids)).order_by(Task.id).tuples()
    )
)


@dataclass(frozen=True)
class Created:
    """A new task and its results."""

    task: Task
    results: list[Result]


def get(task_id: int) -> Task:
    """Return a task."""
    row = _BY_ID.first(task_id)
    if row is None:
        raise NotFound(f"There is no task {task_id}.")
    return row


def is_part_of(organization_id: int, task: Task) -> bool:
    """Tell whether an organization sent a task, or is asked by it."""
    asked = (Result.task == task.id) & (Result.organization == organization_id)
    return task.initiator_id == organization_id or Result.select().where(asked).exists()


def task_status(results: Sequence[Result]) -> str:
    """Return the state of a task: the worst, else the busiest state of its results."""
    found = {result.status for result in results}
    return next((state for state, among in TASK_STATES.items() if found & among), NO_RESULTS)


def create(
    *,
    collaboration_id: int,
    inputs: Sequence[tuple[int, str | None]],
    initiator_id: int,
    user_id: int | None,
    parent: Task | None = None,
    **fields: str | None,
) -> Created:
    """Write a task, its results and the message that announces it, in one transaction.

    Parameters
    ----------
    collaboration_id
        Where it runs.
    inputs
        Organization and input, for each target.
    initiator_id
        The organization that gets the results.
    user_id
        Who asked for it, if that is known.
    parent
        The task whose algorithm asks for it; its run is shared.
    fields
        Name, description, image, database.

    Raises
    ------
    Invalid
        If an organization could never compute it, as `targets.check` says; or if an input is
        readable in an encrypted collaboration.
    Conflict
        If the parent has ended.
    """
    # PERF: looked through before anything is locked.
    readable = sealed.readable(inputs)
    return _write(collaboration_id, inputs, readable, initiator_id, user_id, parent, fields)


@transaction
def _write(
    collaboration_id: int,
    inputs: Sequence[tuple[int, str | None]],
    readable: Sequence[int],
    initiator_id: int,
    user_id: int | None,
    parent: Task | None,
    fields: dict[str, str | None],
) -> Created:
    is_encrypted = _hold(collaboration_id, parent)
    _check_depth(parent)
    targets.check(collaboration_id, [organization for organization, _ in inputs])
    # SECURITY: a client without encryption must not leave its input readable by mistake.
    if is_encrypted and readable:
        raise Invalid(
            f"Collaboration {collaboration_id} is encrypted, but the input for "
            f"{targets.names_of(readable)} is not. Call "
            "client.setup_encryption('<private key file>') and send the task again.",
            code=sealed.NOT_SEALED,
        )
    run = parent.run_id if parent else Run.create().id
    task = Task(
        collaboration=collaboration_id,
        initiator=initiator_id,
        init_user=user_id,
        parent=parent,
        run=run,
        **fields,
    )
    ((task.id,),) = insert(Task, [task.__data__], returning=[Task.id])
    rows = [Result(task=task.id, organization=organization) for organization, _ in inputs]
    ids: dict[int, int] = {}
    for some in chunked((row.__data__ for row in rows), 1000):
        ids |= insert(Result, some, returning=[Result.organization, Result.id])
    for row in rows:
        row.id = ids[row.organization_id]
    payloads = (
        {"result": ids[organization], "kind": "input", "content": text}
        for organization, text in inputs
        if text is not None
    )
    for some in chunked(payloads, 100):
        insert(Payload, some)
    outbox.add(outbox.Topic.TASK_CREATED, {"task_id": task.id})
    return Created(task, rows)


def _hold(collaboration_id: int, parent: Task | None) -> bool:
    """Keep the members of the collaboration, and the parent alive, until all is written.

    Who did so before is seen from here on. Returns whether the collaboration is encrypted.
    """
    held = _HELD.first(collaboration_id)
    if parent is not None:
        list(for_update(Task.select(Task.id).where(Task.id == parent.id), _SHARED))
        if not is_open(parent.id):
            raise Conflict(f"Task {parent.id} has ended.", code="task_ended")
    return held is not None and held.encrypted


def _check_depth(parent: Task | None) -> None:
    """Refuse a sub-task too many below another: nodes are told of each one on the way."""
    if parent is None or parent.parent_id is None:
        return
    if len(requesters.of(parent)) >= requesters.MOST_LEVELS:
        raise Invalid(
            f"Task {parent.id} is {requesters.MOST_LEVELS} levels deep, and sub-tasks end there. "
            "Let an algorithm further up send the task.",
            code="too_deep",
        )


def is_open(task_id: int) -> bool:
    """Tell whether a result of the task can still change."""
    return bool(
        Result.select()
        .where((Result.task == task_id) & Result.status.in_(list(UNFINISHED)))
        .exists()
    )


def with_descendants(task_id: int) -> Any:
    """Return the query for the ids of a task and of all its sub-tasks, at any depth."""
    top = Task.select(Task.id).where(Task.id == task_id).cte("tree", recursive=True)
    child = Task.alias()
    tree = top.union_all(child.select(child.id).join(top, on=(child.parent == top.c.id)))
    return tree.select_from(tree.c.id)


@transaction
def kill(task_id: int) -> int:
    """End every open result of a task and of all its sub-tasks, and return how many those were."""
    return _end(task_id)


def _end(task_id: int) -> int:
    tree = with_descendants(task_id)
    found = Task.select(Task.id).where(Task.id.in_(tree)).order_by(Task.id)
    held: set[int] = set()
    # Who writes a sub-task at this moment shares its parent: wait, and look for it once more.
    while new := {row.id for row in for_update(found)} - held:
        held |= new
    return result_endings.end(
        Result.task.in_(tree), reason_code="killed", reason="A user killed the task."
    )


@transaction
def delete(task: Task) -> int:
    """Kill a task with its sub-tasks, then remove it and its results; its sub-tasks stay.

    Returns how many results were ended.
    """
    ended = _end(task.id)
    result_endings.hold(Result.task == task.id)
    Task.delete().where(Task.id == task.id).execute()
    return ended


def results_of(task_ids: Sequence[int]) -> dict[int, list[Result]]:
    """Return the results of tasks without their payloads, by task, oldest first."""
    found: dict[int, list[Result]] = {task_id: [] for task_id in task_ids}
    for row in _RESULTS(task_ids):
        found[row.task_id].append(row)
    return found


def children_of(task_ids: Sequence[int]) -> dict[int, list[int]]:
    """Return the ids of the direct sub-tasks, by task."""
    found: dict[int, list[int]] = {task_id: [] for task_id in task_ids}
    for parent, child in _CHILDREN(task_ids):
        found[parent].append(child)
    return found


def visible(reach: Reach) -> Any:
    """Return the condition under which a task is within reach."""
    if reach.everything:
        return True
    there = Task.collaboration.in_(reach.collaborations())
    if reach.task is None:
        return there
    # SECURITY: an algorithm sees its own task and those that it made, in its own collaboration.
    return there & Task.id.in_(lineage.ids(reach.task, reach.organization))


def in_state(status: str) -> Any:
    """Return the condition under which a task is in a state; see `TASK_STATES`."""
    states = list(TASK_STATES)

    def has_result(*wanted: str) -> Any:
        among = frozenset().union(*(TASK_STATES[state] for state in wanted))
        return Task.id.in_(Result.select(Result.task).where(Result.status.in_(list(among))))

    if status == NO_RESULTS:
        return ~has_result(*states)
    if status not in states:
        return Task.id.in_([])
    before = states[: states.index(TaskStatus(status))]
    return has_result(status) & ~has_result(*before) if before else has_result(status)


def page(
    reach: Reach,
    page: Page,
    *,
    initiator: int | None = None,
    init_user: int | None = None,
    collaboration: int | None = None,
    parent: int | None = None,
    is_sub_task: bool | None = None,
    run: int | None = None,
    result: int | None = None,
    status: str | None = None,
    patterns: dict[str, str] | None = None,
    newest_first: bool = True,
) -> tuple[list[Task], int]:
    """Return the tasks within reach that fit the filters, newest or oldest first.

    ``patterns`` are SQL patterns for name, image, description and database.
    """
    query = Task.select().order_by(Task.id.desc() if newest_first else Task.id)
    if page.after is not None:
        query = query.where(Task.id < page.after if newest_first else Task.id > page.after)
    if not reach.everything:
        query = query.where(visible(reach))
    for column, value in (
        (Task.initiator, initiator),
        (Task.init_user, init_user),
        (Task.collaboration, collaboration),
        (Task.parent, parent),
        (Task.run, run),
    ):
        if value is not None:
            query = query.where(column == value)
    if is_sub_task is not None:
        query = query.where(Task.parent.is_null(not is_sub_task))
    if result is not None:
        query = query.where(Task.id.in_(Result.select(Result.task).where(Result.id == result)))
    if status is not None:
        query = query.where(in_state(status))
    for name, pattern in (patterns or {}).items():
        query = query.where(like(getattr(Task, name), pattern))
    return page_of(query, page)
