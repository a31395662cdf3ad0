"""Ports: where algorithms listen within the VPN."""

from typing import Any

from peewee import JOIN

from vantage6.common.errors import Invalid, NotFound
from vantage6.models.database import transaction
from vantage6.models.store import tasks
from vantage6.models.store.access import Reach
from vantage6.models.store.queries import Page, page_of
from vantage6.models.tables import AlgorithmPort, Node, Result, Task

#: More than any image exposes; the list of a result shows them all.
MOST_PER_RESULT = 100


def get(port_id: int) -> AlgorithmPort:
    """Return a port with its result and its task."""
    row = (
        AlgorithmPort.select(AlgorithmPort, Result, Task)
        .join(Result)
        .join(Task)
        .where(AlgorithmPort.id == port_id)
        .get_or_none()
    )
    if row is None:
        raise NotFound(f"There is no port {port_id}.")
    return row


def page(
    reach: Reach,
    page: Page,
    *,
    task: int | None = None,
    result: int | None = None,
    run: int | None = None,
) -> tuple[list[AlgorithmPort], int]:
    """Return the ports within reach that fit the filters, newest first."""
    query = AlgorithmPort.select().join(Result).join(Task).order_by(AlgorithmPort.id.desc())
    if not reach.everything:
        query = query.where(tasks.visible(reach))
    for column, value in (
        (Result.task, task),
        (AlgorithmPort.result, result),
        (Task.run, run),
    ):
        if value is not None:
            query = query.where(column == value)
    return page_of(query, page)


@transaction
def create(result: Result, port: int, label: str | None) -> AlgorithmPort:
    """Write a port on which the algorithm of a result listens.

    Raises
    ------
    Invalid
        With code ``result_finished`` if the algorithm has ended, with ``too_many_ports`` if it has
        enough.
    """
    if result.finished_at is not None:
        raise Invalid(f"Result {result.id} has ended: {result.status}.", code="result_finished")
    if AlgorithmPort.select().where(AlgorithmPort.result == result).count() >= MOST_PER_RESULT:
        raise Invalid(
            f"Result {result.id} has {MOST_PER_RESULT} ports; remove them first.",
            code="too_many_ports",
        )
    return AlgorithmPort.create(result=result, port=port, label=label)


def delete(result: Result) -> int:
    """Remove the ports of a result, and return how many there were."""
    removed: int = AlgorithmPort.delete().where(AlgorithmPort.result == result).execute()
    return removed


def addresses(
    task: Task,
    organization: int | None,
    *,
    own: bool,
    parent: bool,
    children: bool,
    label: str | None = None,
) -> list[dict[str, Any]]:
    """Return where the algorithms of a task and of its nearest relatives listen.

    Parameters
    ----------
    task
        The task.
    organization
        Where the algorithm runs that asks.
    own, parent, children
        Whose addresses: those of the task itself, of the algorithm that asked for it, of the
        sub-tasks that the algorithm itself made.
    label
        Only ports with this label.
    """
    related = Task.id << ([task.id] if own else [])
    if parent and task.parent_id is not None:
        # SECURITY: of the parent and of the sub-tasks, what belongs to the algorithm that asked
        # for the task, or to the one that asks now; the same task runs at other organizations.
        related |= (Task.id == task.parent_id) & (Result.organization == task.initiator_id)
    if children:
        related |= (Task.parent == task.id) & (Task.initiator == organization)
    query: Any = (
        AlgorithmPort.select(
            AlgorithmPort.port,
            AlgorithmPort.label,
            Node.ip,
            Result.organization.alias("organization_id"),
            Result.task.alias("task_id"),
            Task.parent.alias("parent_id"),
        )
        .join(Result)
        .join(Task)
        .join(
            Node,
            JOIN.LEFT_OUTER,
            on=(
                (Node.organization == Result.organization)
                & (Node.collaboration == Task.collaboration)
            ),
        )
        # SECURITY: a collaboration sees nothing of another one, whoever is related to whom.
        .where(related & (Task.collaboration == task.collaboration_id))
        .order_by(AlgorithmPort.id)
    )
    if label is not None:
        query = query.where(AlgorithmPort.label == label)
    return list(query.dicts())
