"""Lists of results, of which there are many more than of anything else."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from peewee import SQL, fn

from vantage6.models.database import db
from vantage6.models.fields import is_sqlite
from vantage6.models.sql.count_cache import look_up
from vantage6.models.sql.prepared import Prepared
from vantage6.models.store import lineage
from vantage6.models.store.access import Reach
from vantage6.models.store.queries import Page, among, total
from vantage6.models.tables import AlgorithmPort, Membership, Node, Result, Task


def _between(column: Any) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    return lambda moment: column >= moment, lambda moment: column <= moment


_ASSIGNED, _STARTED, _FINISHED = map(
    _between, (Result.assigned_at, Result.started_at, Result.finished_at)
)
#: Beside the task that is joined.
_OfRun = Task.alias()
#: What a list can be narrowed down by, and the condition on a result or its task for a value.
_FILTERS: dict[str, Callable[[Any], Any]] = {
    "task": lambda id_: Result.task == id_,
    "tasks": lambda ids: among(Result.task, ids),
    "run": lambda id_: Result.task.in_(_OfRun.select(_OfRun.id).where(_OfRun.run == id_)),
    "below": lambda id_: Result.id < id_,
    "above": lambda id_: Result.id > id_,
    "organization": lambda id_: Result.organization == id_,
    "node": lambda id_: Node.id == id_,
    "port": lambda port: Result.id.in_(
        AlgorithmPort.select(AlgorithmPort.result).where(AlgorithmPort.port == port)
    ),
    "assigned_from": _ASSIGNED[0],
    "assigned_till": _ASSIGNED[1],
    "started_from": _STARTED[0],
    "started_till": _STARTED[1],
    "finished_from": _FINISHED[0],
    "finished_till": _FINISHED[1],
}
#: What tells whose the texts of a result are.
_OF_TASK = (Task.parent, Task.initiator)
#: The same for who asks: the collaboration of a node, or the organization of a user.
_REACH: dict[str, Callable[[Any, Any], Any]] = {
    "collaboration": lambda collaboration, id_: collaboration == id_,
    "member": lambda collaboration, id_: collaboration.in_(
        Membership.select(Membership.collaboration).where(Membership.organization == id_)
    ),
}


def page(
    reach: Reach,
    page: Page,
    *,
    newest_first: bool = True,
    open_only: bool = False,
    with_tasks: bool = False,
    **filters: int | datetime | None,
) -> tuple[list[Result], int]:
    """Return the results on a page of those within reach that fit the filters, and the total.

    Parameters
    ----------
    reach, page
        Which ones; see `page_of` for how old the total may be.
    newest_first
        Or oldest first.
    open_only
        Only those that have not ended.
    with_tasks
        Read their tasks completely, and not only where they are computed.
    filters
        As `_FILTERS` names them; None asks for nothing.
    """
    asked: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
    if not reach.everything:
        if reach.collaboration is not None:
            asked["collaboration"] = reach.collaboration
        else:
            asked["member"] = reach.organization
        if reach.task is not None:
            # SECURITY: an algorithm sees results of its own task and of those that it made.
            found = lineage.ids(reach.task, reach.organization).tuples()
            asked["tasks"] = tuple(id_ for (id_,) in found)
    if page.after is not None:
        asked["below" if newest_first else "above"] = page.after
    names, values = tuple(asked), tuple(asked.values())
    if page.number is None:
        rows = _list(names, newest_first, open_only, with_tasks)(*values)
    else:
        part = _list(names, newest_first, open_only, with_tasks, paged=True)
        rows = part(*values, page.size, page.before)
    count: Prepared[Any] = _count(names, open_only)
    key = (names, values, open_only)
    return rows, total(page, rows, lambda: look_up(key, lambda: int(count(*values)[0][0])))


@cache
def _list(
    names: tuple[str, ...],
    newest_first: bool,
    open_only: bool,
    with_tasks: bool,
    *,
    paged: bool = False,
) -> Prepared[Result]:
    """Return the query for some filters; a page takes its size and what is before it, too."""

    def build(*values: Any) -> Any:
        task = (Task,) if with_tasks else (Task.id, Task.collaboration, *_OF_TASK)
        # PERF: the sum keeps SQLite from the index of collaborations, from which it would sort all
        # results within reach; so it walks down from the newest until the page is full.
        collaboration = Task.collaboration + 0 if is_sqlite(db.obj) else Task.collaboration
        query = _filter(
            Result.select(Result, *task).join(Task), collaboration, names, open_only, values
        )
        query = query.order_by(Result.id.desc() if newest_first else Result.id)
        return query.limit(values[-2]).offset(values[-1]) if paged else query

    return Prepared(build, len(names) + (2 if paged else 0))


@cache
def _count(names: tuple[str, ...], open_only: bool) -> Prepared[Any]:
    """Return the query for the number of results that fit some filters."""

    def build(*values: Any) -> Any:
        query = Result.select(fn.COUNT(SQL("*"))).tuples()
        # Where nothing is asked of tasks, they need not be joined.
        if {"node", *_REACH} & set(names):
            query = query.join(Task)
        # For this the index of collaborations is the shorter way.
        return _filter(query, Task.collaboration, names, open_only, values)

    return Prepared(build, len(names))


def _filter(
    query: Any, collaboration: Any, names: tuple[str, ...], open_only: bool, values: tuple[Any, ...]
) -> Any:
    """Return a query for results and their tasks with the filters that are asked for."""
    if open_only:
        query = query.where(Result.finished_at.is_null())
    if "node" in names:
        there = (Node.organization == Result.organization) & (
            Node.collaboration == Task.collaboration
        )
        query = query.join(Node, on=there)
    for name, value in zip(names, values, strict=False):
        condition = _REACH[name](collaboration, value) if name in _REACH else _FILTERS[name](value)
        query = query.where(condition)
    return query
