"""Rows for tests: two collaborations that share one organization, their nodes, and users."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from peewee import QueryEvent

from vantage6.common.clock import now
from vantage6.common.encoding import bytes_to_base64s
from vantage6.common.task_status import TaskStatus
from vantage6.models import database, migrate
from vantage6.models.fields import is_sqlite
from vantage6.models.store import (
    collaborations,
    nodes,
    organizations,
    outbox,
    results,
    setup,
    tasks,
    users,
)
from vantage6.models.tables import (
    Collaboration,
    Node,
    Organization,
    Outbox,
    Result,
    Role,
    Task,
    User,
)

#: Seconds; no test waits for it.
LEASE = 180
IMAGE = "harbor2.vantage6.ai/demo/average"

_numbers = count(1)
#: A SQLite file with tables and rules, made once: most tests start from a copy.
_KEPT: list[bytes] = []


@dataclass
class World:
    """Amsterdam and Berlin work together; Berlin also works with Cairo, whom Amsterdam ignores."""

    amsterdam: Organization
    berlin: Organization
    cairo: Organization
    #: Amsterdam and Berlin.
    north: Collaboration
    #: Berlin and Cairo.
    south: Collaboration
    amsterdam_north: Node
    berlin_north: Node
    berlin_south: Node
    cairo_south: Node


def make_world() -> World:
    """Write the rows of a world."""
    amsterdam, berlin, cairo = (
        organizations.create(name=name) for name in ("Amsterdam", "Berlin", "Cairo")
    )
    north = collaborations.create("north", [amsterdam.id, berlin.id], encrypted=False)
    south = collaborations.create("south", [berlin.id, cairo.id], encrypted=True)
    return World(
        amsterdam,
        berlin,
        cairo,
        north,
        south,
        nodes.create(amsterdam, north)[0],
        nodes.create(berlin, north)[0],
        nodes.create(berlin, south)[0],
        nodes.create(cairo, south)[0],
    )


@contextmanager
def migrated() -> Iterator[None]:
    """Make tables and rules in the database that is bound, and hold a connection."""
    file = Path(database.db.obj.database) if is_sqlite(database.db.obj) else None
    if file and _KEPT:
        file.write_bytes(_KEPT[0])
    try:
        with database.session():
            if migrate.pending():
                migrate.up()
                setup.ensure_rules()
            if file and not _KEPT:
                database.db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                _KEPT.append(file.read_bytes())
            yield
    finally:
        database.dispose()


def make_user(organization: Organization, *roles: str, password: str = "!", **fields: Any) -> User:
    """Write a user with default roles, who by default cannot log in with any password."""
    number = next(_numbers)
    return users.create(
        **{
            "username": f"user-{number}",
            "password": password,
            "firstname": "Some",
            "lastname": "Body",
            "email": f"user-{number}@example.org",
            "organization_id": organization.id,
            "roles": [Role.get(Role.name == role).id for role in roles],
            **fields,
        }
    )


def make_task(
    collaboration: Collaboration,
    targets: Sequence[Organization],
    *,
    initiator: Organization | None = None,
    parent: Task | None = None,
    user: User | None = None,
    **fields: Any,
) -> Task:
    """Write a task for some organizations of a collaboration."""
    return tasks.create(
        collaboration_id=collaboration.id,
        inputs=[
            (target.id, as_it_travels(f"input of {target.name}", collaboration))
            for target in targets
        ],
        initiator_id=(initiator or targets[0]).id,
        user_id=user and user.id,
        parent=parent,
        **{"name": "sum", "image": IMAGE, "database": "default", **fields},
    ).task


def sealed(text: str) -> str:
    """Return a text in the form of an encrypted message, which nobody can open."""
    return "$".join(bytes_to_base64s(part) for part in (b"k" * 256, b"i" * 16, text.encode()))


def as_it_travels(text: str, collaboration: Collaboration) -> str:
    """Return a text as a collaboration takes it."""
    return sealed(text) if collaboration.encrypted else text


def result_of(task: Task, organization: Organization) -> Result:
    """Return what an organization computes for a task."""
    return Result.get(Result.task == task, Result.organization == organization)


def again(row: Any) -> Any:
    """Return a row as it is in the database at this moment."""
    return type(row).get_by_id(row.id)


def finish(
    row: Result, node: Node, status: TaskStatus = TaskStatus.COMPLETED, **contents: str
) -> Result:
    """Let a node report the end of a result."""
    # With its task, which somebody else may remove meanwhile.
    row = results.of_node(row.id, node)
    return results.patch(
        row,
        status=status,
        finished_at=now(),
        contents=contents or {"result": as_it_travels("42", row.task.collaboration)},
        lease_seconds=LEASE,
    )


def messages() -> list[int]:
    """Return the ids of the messages that wait in the outbox."""
    return [row.id for row in Outbox.select().order_by(Outbox.id)]


def content_of(message_id: int) -> Any:
    """Return the content of a message that waits in the outbox."""
    return outbox.find(message_id).content


@contextmanager
def counted() -> Iterator[list[QueryEvent]]:
    """Collect what is sent to the database, but for BEGIN and COMMIT."""
    events: list[QueryEvent] = []

    def note(event: QueryEvent) -> None:
        if event.sql not in ("BEGIN", "COMMIT"):
            events.append(event)

    database.db.obj.query_hooks.append(note)
    try:
        yield events
    finally:
        database.db.obj.query_hooks.remove(note)


def side_by_side(*jobs: Callable[[], Any]) -> list[Any]:
    """Run functions at the same moment, each with a connection of its own.

    Returns
    -------
    list
        What each returned or raised.
    """
    outcomes: list[Any] = [None] * len(jobs)
    start = threading.Barrier(len(jobs))

    def run(number: int) -> None:
        with database.session():
            start.wait(10)
            try:
                outcomes[number] = jobs[number]()
            except Exception as error:
                outcomes[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    return outcomes
