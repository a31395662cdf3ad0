"""Ending results from outside, and offering them again when their node goes elsewhere."""

from itertools import islice
from typing import Any

from vantage6.common.clock import now
from vantage6.common.task_status import TaskStatus
from vantage6.models.database import for_update, transaction
from vantage6.models.store import outbox
from vantage6.models.store.queries import among
from vantage6.models.tables import Node, Result, Task

#: A node has the result.
TAKEN = [TaskStatus.INITIALIZING, TaskStatus.ACTIVE]
#: How many nodes one message of the outbox tells at most.
_MOST_RECIPIENTS = 1000


@transaction
def end(condition: Any, *, reason_code: str, reason: str) -> int:
    """End every open result that fits a condition, and return how many those were.

    The nodes to tell are stored with it: the task may be removed before the message is sent.
    """
    still_open = hold(condition & Result.finished_at.is_null())
    waiting = iter(recipients().where(still_open).tuples())
    while some := list(islice(waiting, _MOST_RECIPIENTS)):
        outbox.add(outbox.Topic.RESULTS_KILLED, {"bells": some})
    return int(
        Result.update(
            status=TaskStatus.KILLED,
            reason_code=reason_code,
            reason=reason,
            finished_at=now(),
            lease_until=None,
        )
        .where(still_open)
        .execute()
    )


def give_up(result_id: int) -> bool:
    """End a result of which the server refused every report; tell whether it was open."""
    ended = (
        Result.update(
            status=TaskStatus.FAILED,
            reason_code="report_refused",
            reason="The server refused every report of the station about this result. The logs of "
            "both say why.",
            finished_at=now(),
            lease_until=None,
        )
        .where((Result.id == result_id) & Result.finished_at.is_null())
        .execute()
    )
    return bool(ended)


def hold(condition: Any) -> Any:
    """Lock the results that fit a condition until the transaction ends, in the order of their ids.

    Who changes several of them does so first, and then changes no others: so no two wait for each
    other in a circle.

    Returns
    -------
    Any
        The condition that a result is one of those.
    """
    query: Any = for_update(Result.select(Result.id).where(condition).order_by(Result.id))
    return among(Result.id, [id_ for (id_,) in query.tuples()])


def kill_at(node: Node) -> int:
    """End every open result that a node has taken, also if it fell silent since.

    Returns how many those were.
    """
    return end(
        _of_member(node.organization_id, node.collaboration_id)
        & (Result.status.in_(TAKEN) | (Result.attempt > 0)),
        reason_code="killed",
        reason="A user killed everything that the node computes.",
    )


@transaction
def release(organization_id: int, collaboration_id: int | None) -> None:
    """Offer what the node of an organization has taken to the next one, which counts anew."""
    there = hold(_of_member(organization_id, collaboration_id) & Result.finished_at.is_null())
    Result.update(
        status=TaskStatus.PENDING,
        lease_until=None,
        started_at=None,
        attempt=0,
        reason_code=None,
        reason=None,
    ).where(there).execute()


def recipients() -> Any:
    """Return the query for node, result and task id of results that have a node."""
    return (
        Result.select(Node.id, Result.id, Result.task)
        .join(Task)
        .join(
            Node,
            on=(
                (Node.organization == Result.organization)
                & (Node.collaboration == Task.collaboration)
            ),
        )
    )


def _of_member(organization_id: int, collaboration_id: int | None) -> Any:
    """Return the condition under which a result is for an organization's node in a collaboration.

    Nothing is without a collaboration.
    """
    there = Task.select(Task.id).where(Task.collaboration == collaboration_id)
    return (Result.organization == organization_id) & Result.task.in_(there)
