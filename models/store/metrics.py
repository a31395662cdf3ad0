"""Numbers over all results, for the operator. None takes longer the more results have ended."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from peewee import fn

from vantage6.common.task_status import TaskStatus
from vantage6.models.sql.prepared import Prepared
from vantage6.models.store.queries import among
from vantage6.models.tables import Node, Result, Task

#: Organization and collaboration of each node, by its id.
Members = dict[int, tuple[int, int | None]]

_IMAGES: Prepared[Any] = Prepared(
    lambda ids: Task.select(Task.id, Task.image).where(among(Task.id, ids)).tuples()
)
_OPEN = (TaskStatus.PENDING, TaskStatus.INITIALIZING, TaskStatus.ACTIVE)


def open_results() -> dict[str, int]:
    """Return how many results are in each state that is no end."""
    query: Any = (
        Result.select(Result.status, fn.COUNT(Result.status))
        .where(Result.finished_at.is_null())
        .group_by(Result.status)
    )
    found = {str(status): count for status, count in query.tuples()}
    return {str(status): found.get(str(status), 0) for status in _OPEN}


def pending_since() -> dict[tuple[int, int], datetime]:
    """Return since when results wait to be claimed, by organization and collaboration."""
    query: Any = (
        Result.select(Result.organization, Task.collaboration, fn.MIN(Result.assigned_at))
        .join(Task)
        .where((Result.status == TaskStatus.PENDING) & Result.finished_at.is_null())
        .group_by(Result.organization, Task.collaboration)
    )
    return {(organization, group): since for organization, group, since in query.tuples()}


def members() -> Members:
    """Return the organization and the collaboration of each node."""
    rows: Any = Node.select(Node.id, Node.organization, Node.collaboration).tuples()
    return {id_: (organization, group) for id_, organization, group in rows}


def images(task_ids: Collection[int]) -> dict[int, str]:
    """Return the images of tasks by their ids."""
    return dict(_IMAGES(task_ids))
