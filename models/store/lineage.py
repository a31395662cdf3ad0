"""What an algorithm sees of the tasks: its own, those above it by name, and those that it made."""

from enum import StrEnum
from typing import Any

from vantage6.models.sql.prepared import Prepared
from vantage6.models.tables import Task


class Kinship(StrEnum):
    """What a task is to an algorithm."""

    #: The task that it computes.
    OWN = "own"
    #: The task of the algorithm that asked for the own one, or one further up.
    ABOVE = "above"
    #: A sub-task that it made, or one that was made for such a sub-task.
    BELOW = "below"


def _chain(task_id: Any) -> Any:
    """Return the query for a task and all above it, from below."""
    columns = (Task.id, Task.parent, Task.initiator)
    first = Task.select(*columns).where(Task.id == task_id).cte("chain", recursive=True)
    above = Task.alias()
    chain = first.union_all(
        above.select(above.id, above.parent, above.initiator).join(
            first, on=(above.id == first.c.parent_id)
        )
    )
    return chain.select_from(chain.c.id, chain.c.parent_id, chain.c.initiator_id).tuples()


_CHAIN: Prepared[Any] = Prepared(_chain)


def kinship(task_id: int, own: int, organization: int | None) -> Kinship | None:
    """Return what a task is to an algorithm, or None if it must not know of it.

    Parameters
    ----------
    task_id
        The task.
    own
        The task that the algorithm computes.
    organization
        Where it computes it. SECURITY: the same task has an algorithm at each of its
        organizations; what one of them makes is not for the others.
    """
    if task_id == own:
        return Kinship.OWN
    if any(id_ == task_id for id_, _, _ in _CHAIN(own)):
        return Kinship.ABOVE
    made = any(
        parent == own and initiator == organization for _, parent, initiator in _CHAIN(task_id)
    )
    return Kinship.BELOW if made else None


def ids(own: int, organization: int | None) -> Any:
    """Return the query for the ids of an algorithm's own task and of all below it."""
    top = Task.select(Task.id).where(Task.id == own).cte("tree", recursive=True)
    child = Task.alias()
    # Of the own task, only what was made at the same organization; of that, everything.
    made = (top.c.id != own) | (child.initiator == organization)
    tree = top.union_all(
        child.select(child.id).join(top, on=(child.parent == top.c.id)).where(made)
    )
    return tree.select_from(tree.c.id)


def sub_tasks(own: int, organization: int | None) -> list[int]:
    """Return the ids of the sub-tasks that an algorithm itself made, oldest first."""
    query = Task.select(Task.id).where((Task.parent == own) & (Task.initiator == organization))
    return [row.id for row in query.order_by(Task.id)]
