"""Fill the database of a server in bulk, for measurements that need many rows."""

import base64
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from peewee import Model, fn

from vantage6.api.identity import passwords
from vantage6.common.clock import now
from vantage6.common.secret_files import hash_secret
from vantage6.common.task_status import TaskStatus
from vantage6.models.database import db
from vantage6.models.fields import is_sqlite
from vantage6.models.tables import (
    Collaboration,
    Membership,
    Node,
    Organization,
    Payload,
    Result,
    Role,
    Run,
    Task,
    User,
    UserRole,
)

PASSWORD = "Demo-password-1"
IMAGE = "harbor2.vantage6.ai/demo/average"
#: Results that wait for the node whose synchronization is measured.
OPEN = 10
_BATCH = 1000


@dataclass
class Group:
    """Organizations that work together, each with a node; a researcher works at the first."""

    collaboration: int
    organizations: list[int]
    nodes: list[int]
    api_keys: list[str]
    user: int = 0
    username: str = ""


def group(name: str, size: int) -> Group:
    """Register organizations with nodes in a collaboration, and a researcher."""
    with db.atomic():
        first = (Organization.select(fn.MAX(Organization.id)).scalar() or 0) + 1
        organizations = list(range(first, first + size))
        rows = [{"id": id_, "name": f"{name}{id_}"} for id_ in organizations]
        _insert(Organization, rows)
        _follow(Organization)
        collaboration = Collaboration.create(name=name).id
        _insert(
            Membership,
            [{"organization": id_, "collaboration": collaboration} for id_ in organizations],
        )
        keys = [f"{name}-{id_}" for id_ in organizations]
        _insert(
            Node,
            [
                {
                    "name": f"{name} {id_}",
                    "api_key": hash_secret(key),
                    "organization": id_,
                    "collaboration": collaboration,
                }
                for id_, key in zip(organizations, keys, strict=True)
            ],
        )
        found = Node.select(Node.id).where(Node.collaboration == collaboration).order_by(Node.id)
        made = Group(collaboration, organizations, [row.id for row in found], keys)
        made.username = f"researcher-{name}"
        made.user = researcher(made.username, organizations[0])
    return made


def researcher(username: str, organization: int) -> int:
    """Register a user who may do everything at an organization."""
    row = User.create(
        username=username,
        password=passwords.hash_password(PASSWORD),
        firstname="Re",
        lastname="Searcher",
        email=f"{username}@example.org",
        organization=organization,
    )
    UserRole.create(user=row, role=Role.get(Role.name == "Organization Admin"))
    id_: int = row.id
    return id_


def tasks_up_to(number: int, members: Group) -> None:
    """Add finished tasks until there are this many.

    Each went to one of the organizations in turn, and to the last one, for which `OPEN` of the
    first tasks wait.
    """
    there = Task.select().count()
    if not there:
        tasks(OPEN, members, members.organizations[-1:], status=TaskStatus.PENDING, said={})
    *others, last = members.organizations
    said = {"input": text(200), "result": text(200), "log": "done"}
    missing = number - Task.select().count()
    for index, other in enumerate(others):
        part = missing // len(others) + (index < missing % len(others))
        tasks(part, members, [other, last], status=TaskStatus.COMPLETED, said=said)
    settle()


def tasks(
    number: int,
    members: Group,
    organizations: Sequence[int],
    *,
    status: TaskStatus,
    said: dict[str, str],
) -> list[int]:
    """Add tasks with a result of each organization; return the ids of the results."""
    if number <= 0:
        return []
    moment = now()
    done = moment if status is TaskStatus.COMPLETED else None
    # A result that its node has taken is left to the node.
    lease = moment + timedelta(hours=1) if status is TaskStatus.ACTIVE else None
    with db.atomic():
        first = _next(Task)
        ids = range(first, first + number)
        run = _next(Run)
        _insert(Run, ({"id": run + i} for i in range(number)))
        _insert(
            Task,
            (
                {
                    "id": id_,
                    "name": "an-awesome-task",
                    "image": IMAGE,
                    "collaboration": members.collaboration,
                    "run": run + id_ - first,
                    "initiator": members.organizations[0],
                    "init_user": members.user,
                    "created_at": moment,
                }
                for id_ in ids
            ),
        )
        result = _next(Result)
        pairs = [(id_, organization) for id_ in ids for organization in organizations]
        _insert(
            Result,
            (
                {
                    "id": result + i,
                    "task": id_,
                    "organization": organization,
                    "status": status,
                    "assigned_at": moment,
                    "started_at": done,
                    "finished_at": done,
                    "lease_until": lease,
                }
                for i, (id_, organization) in enumerate(pairs)
            ),
        )
        results = list(range(result, result + len(pairs)))
        _insert(
            Payload,
            (
                {"result": id_, "kind": kind, "content": content}
                for id_ in results
                for kind, content in said.items()
            ),
        )
        for table in (Run, Task, Result):
            _follow(table)
    return results


def settle() -> None:
    """Tidy up after many new rows, as PostgreSQL does by itself within a minute."""
    if not is_sqlite(db.obj):
        db.execute_sql("VACUUM ANALYZE")


def text(size: int) -> str:
    """Return a text like that of an encrypted result, which cannot be compressed."""
    return base64.b64encode(os.urandom(size * 3 // 4 + 1)).decode()[:size]


def _next(table: Any) -> int:
    return int(table.select(fn.MAX(table.id)).scalar() or 0) + 1


def _insert(table: type[Model], rows: Any) -> None:
    waiting: Iterator[dict[str, Any]] = iter(rows)
    while batch := list(islice(waiting, _BATCH)):
        table.insert_many(batch).execute()


def _follow(table: type[Model]) -> None:
    """Let the next id of a table follow those that were given here."""
    if not is_sqlite(db.obj):
        name = table._meta.table_name
        db.execute_sql(
            f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), MAX(id)) FROM {name}"
        )
