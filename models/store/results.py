"""Results: one organization's execution of a task. Every transition is a compare-and-set."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypedDict

from peewee import Case

from vantage6.common.clock import now
from vantage6.common.errors import Conflict, Forbidden, Invalid, NotFound
from vantage6.common.task_status import TaskStatus, has_task_finished
from vantage6.models.database import db, transaction
from vantage6.models.sql.bulk_insert import insert
from vantage6.models.sql.prepared import Prepared
from vantage6.models.store import outbox, result_endings, sealed
from vantage6.models.store.queries import among
from vantage6.models.store.result_endings import TAKEN
from vantage6.models.tables import Collaboration, Node, Payload, Result, Task

#: How often a node may take a result and fall silent before the server gives up.
MOST_ATTEMPTS = 5

_BY_ID = Prepared(
    lambda id_: (
        Result.select(Result, Task, Collaboration)
        .join(Task)
        .join(Collaboration)
        .where(Result.id == id_)
    )
)
_PAYLOADS = Prepared(lambda ids: Payload.select().where(among(Payload.result, ids)))
_WAITS = Result.status == TaskStatus.PENDING
#: Its node has it, and waits for a person at the station; the reason says so.
_IS_HELD = _WAITS & Result.reason_code.is_null(False)
_NO_REASON = {"reason_code": None, "reason": None}
_PENDING_OF: Prepared[Any] = Prepared(
    lambda task: result_endings.recipients().where((Result.task == task) & _WAITS).tuples()
)
_PENDING_AMONG: Prepared[Any] = Prepared(
    lambda ids: result_endings.recipients().where(among(Result.id, ids) & _WAITS).tuples()
)
_NODES = Prepared(
    lambda organizations, collaborations: Node.select().where(
        among(Node.organization, organizations) & among(Node.collaboration, collaborations)
    )
)
_PARTIES: Prepared[Any] = Prepared(
    lambda task: (
        Result.select(Result.organization)
        .where(Result.task == task)
        .order_by(Result.organization)
        .tuples()
    )
)


class Orders(TypedDict):
    """What a node should do with results."""

    #: Those that it should claim.
    start: list[int]
    #: Running ones that are no longer wanted.
    stop: list[int]
    #: Finished ones that need no upload.
    forget: list[int]


def get(result_id: int) -> Result:
    """Return a result with its task and the collaboration of that."""
    row = _BY_ID.first(result_id)
    if row is None:
        raise NotFound(f"There is no result {result_id}.")
    return row


def payloads(result_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """Return input, result and log of results, as far as they exist."""
    found: dict[int, dict[str, str]] = {result_id: {} for result_id in result_ids}
    for row in _PAYLOADS(result_ids) if result_ids else ():
        found[row.result_id][row.kind] = row.content
    return found


def put(result_id: int, contents: dict[str, str]) -> None:
    """Store texts of a result by their kind, in place of those that are there."""
    if contents:
        rows = [
            {"result": result_id, "kind": kind, "content": text} for kind, text in contents.items()
        ]
        insert(Payload, rows, replacing=[Payload.result, Payload.kind])


def of_node(result_id: int, node: Node) -> Result:
    """Return a result that a node has to compute.

    SECURITY: organization *and* collaboration must be the node's.

    Raises
    ------
    NotFound, Forbidden
        If there is no such result for this node.
    """
    row = get(result_id)
    if (row.organization_id, row.task.collaboration_id) != (
        node.organization_id,
        node.collaboration_id,
    ):
        raise Forbidden(f"Result {result_id} is not for this node.")
    return row


def claim(result_id: int, node: Node, lease_seconds: int) -> tuple[Result, bool]:
    """Take a result for a node; again by the same node changes nothing.

    Returns
    -------
    tuple
        The result, and whether it waited for its node until now.

    Raises
    ------
    NotFound, Forbidden
        If there is no such result for this node.
    Conflict
        With code ``result_finished`` if there is nothing left to do.
    """
    row = of_node(result_id, node)
    until = now() + timedelta(seconds=lease_seconds)
    taken = (
        Result.update(
            status=TaskStatus.INITIALIZING,
            lease_until=until,
            # A node that takes up again what it held back has not fallen silent.
            attempt=Result.attempt + Case(None, [(_IS_HELD, 0)], 1),
            **_NO_REASON,
        )
        .where((Result.id == result_id) & (Result.status == TaskStatus.PENDING))
        .execute()
    )
    if not taken:
        renewed = (
            Result.update(lease_until=until)
            .where((Result.id == result_id) & Result.status.in_(TAKEN))
            .execute()
        )
        if not renewed:
            row = get(result_id)
            raise Conflict(f"Result {result_id} has ended: {row.status}.", code="result_finished")
    return get(row.id), bool(taken) and row.reason_code is None


def patch(
    row: Result,
    *,
    status: TaskStatus | None = None,
    started_at: datetime | None = None,
    finished_at: datetime | None = None,
    reason: tuple[str, str] | None = None,
    contents: dict[str, str] | None = None,
    lease_seconds: int,
) -> Result:
    """Store what a node reports; what it leaves out stays.

    Parameters
    ----------
    row
        The result, as `of_node` gave it.
    status
        Its new state.
    started_at, finished_at
        When the algorithm started and ended; with an end the result is final.
    reason
        Code and sentence.
    contents
        ``result`` and ``log``.
    lease_seconds
        Until when the node need not be heard of again, unless the result is final.

    Raises
    ------
    Invalid
        With code ``result_finished`` if the result is final already. The same final report may
        come twice, since its answer can get lost. With code ``not_sealed`` if a text is readable
        in an encrypted collaboration.
    """
    sealed.check_report(row.task.collaboration, contents or {})
    fields: dict[str, Any] = {
        name: value
        for name, value in (
            ("status", status),
            ("started_at", started_at),
            ("finished_at", finished_at),
        )
        if value is not None
    }
    if finished_at is not None:
        fields["lease_until"] = None
        if not has_task_finished(fields.setdefault("status", row.status)):
            fields["status"] = TaskStatus.UNKNOWN_ERROR
    elif status is not None and has_task_finished(status):
        fields |= {"finished_at": now(), "lease_until": None}
    elif status in TAKEN:
        # Also where the result was offered again meanwhile: without a lease nobody would notice
        # that its node is gone.
        fields["lease_until"] = now() + timedelta(seconds=lease_seconds)
    elif status == TaskStatus.PENDING:
        # Held back at the station. It needs no lease: a silent node loses nothing by it.
        fields["lease_until"] = None
    if reason is not None:
        fields["reason_code"], fields["reason"] = reason
    elif status is not None:
        # The reason of an earlier wait is over with it.
        fields |= _NO_REASON
    with db.atomic():
        # Asked also where only texts come: those of a final result stay as they are.
        changed = _change(*fields).first(row.id, *fields.values())
        if changed is not None:
            put(row.id, contents or {})
    if changed is not None:
        changed.task = row.task
        return changed
    row = get(row.id)
    if not (finished_at and status == row.status):
        raise Invalid(f"Result {row.id} has ended: {row.status}.", code="result_finished")
    return row


@cache
def _change(*names: str) -> Prepared[Result]:
    """Return the statement that sets fields of a result, unless that has ended."""

    def build(id_: Any, *values: Any) -> Any:
        fields = {
            name: value.through(getattr(Result, name).db_value)
            for name, value in zip(names, values, strict=True)
        }
        return (
            Result.update(fields or {"attempt": Result.attempt})
            .where((Result.id == id_) & Result.finished_at.is_null())
            .returning(Result)
        )

    return Prepared(build, 1 + len(names))


@transaction
def reconcile(
    node: Node, running: Iterable[int], finished: Iterable[int], lease_seconds: int
) -> Orders:
    """Compare what a node holds with what it should hold, and renew its leases."""
    running, finished = set(running), set(finished)
    mine = (Result.organization == node.organization_id) & (
        Task.collaboration == node.collaboration_id
    )
    query = (
        Result.select(Result.id, Result.status)
        .join(Task)
        .where(mine & Result.finished_at.is_null())
    )
    wanted = {row.id: row.status for row in query.order_by(Result.id)}
    held = running | finished
    kept = sorted(held & set(wanted))
    if kept:
        # A result that was offered again while its node was silent is the node's once more. That
        # is no further attempt: a long computation outlives any number of broken connections.
        until = now() + timedelta(seconds=lease_seconds)
        mine = result_endings.hold(among(Result.id, kept))
        Result.update(lease_until=until).where(mine & Result.status.in_(TAKEN)).execute()
        if back := [i for i in kept if wanted[i] == TaskStatus.PENDING]:
            offered = among(Result.id, back) & _WAITS & ~_IS_HELD
            for status, started in ((TaskStatus.INITIALIZING, False), (TaskStatus.ACTIVE, True)):
                Result.update(status=status, lease_until=until).where(
                    offered & Result.started_at.is_null(not started)
                ).execute()
    return {
        "start": [i for i in wanted if i not in held],
        "stop": sorted(running - set(wanted)),
        "forget": sorted(finished - set(wanted)),
    }


@transaction
def sweep() -> tuple[list[int], list[int]]:
    """Offer results again whose node fell silent; give up on those that were offered too often.

    Returns
    -------
    tuple
        The ids of the results that were offered again, and of those that were given up.
    """
    silent = Result.status.in_(TAKEN) & (Result.lease_until < now())
    # Asked again by each update: a node may have come back before they were held.
    silent &= result_endings.hold(silent)
    late = list(Result.select(Result.id, Result.attempt).where(silent))
    again = [row.id for row in late if row.attempt < MOST_ATTEMPTS]
    over = [row.id for row in late if row.attempt >= MOST_ATTEMPTS]
    if again:
        Result.update(status=TaskStatus.PENDING, lease_until=None).where(
            among(Result.id, again) & silent
        ).execute()
        outbox.add(outbox.Topic.RESULTS_READY, {"result_ids": again})
    if over:
        Result.update(
            status=TaskStatus.UNKNOWN_ERROR,
            reason_code="node_lost",
            reason=f"The node took this result {MOST_ATTEMPTS} times and fell silent.",
            finished_at=now(),
            lease_until=None,
        ).where(among(Result.id, over) & silent).execute()
    return again, over


def tasks_of(result_ids: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return collaboration, id and run of the tasks that results belong to."""
    found: Any = (
        Task.select(Task.collaboration, Task.id, Task.run_id)
        .join(Result)
        .where(among(Result.id, result_ids))
        .distinct()
        .tuples()
    )
    return list(found)


def parties(task_id: int) -> list[int]:
    """Return the ids of the organizations that a task asks."""
    return [organization for (organization,) in _PARTIES(task_id)]


def pending_of(task_id: int) -> list[tuple[int, int, int]]:
    """Return node, result and task id for the results of a task that wait for their node."""
    return _PENDING_OF(task_id)


def pending_among(result_ids: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return node, result and task id for those of the results that wait for their node."""
    return _PENDING_AMONG(result_ids)


def nodes_for(results: Sequence[Result]) -> dict[tuple[int, int | None], Node]:
    """Return the nodes of results, which were read with their tasks.

    By organization and collaboration.
    """
    organizations = {row.organization_id for row in results}
    collaborations = {row.task.collaboration_id for row in results}
    found = _NODES(organizations, collaborations)
    return {(row.organization_id, row.collaboration_id): row for row in found}


def is_target(task_id: int, node: Node) -> bool:
    """Tell whether a node has to compute a result of a task."""
    return bool(
        Result.select()
        .join(Task)
        .where(
            (Result.task == task_id)
            & (Result.organization == node.organization_id)
            & (Task.collaboration == node.collaboration_id)
        )
        .exists()
    )
