"""In whose names tasks were sent, from the first one of a run down to a sub-task."""

from dataclasses import dataclass
from typing import Any

from peewee import JOIN, SQL

from vantage6.models.tables import Organization, Task, User

#: How many tasks may follow from each other, the first one included.
MOST_LEVELS = 16


@dataclass(frozen=True)
class Requester:
    """In whose name one task on the way to a sub-task was sent."""

    task_id: int
    organization_id: int
    organization: str
    user_id: int | None
    user: str | None
    image: str


def of(task: Task) -> list[Requester]:
    """Return in whose names a task and all tasks above it were sent, the first one first."""
    bottom = Task.select(Task.id, Task.parent, SQL("0").alias("level")).where(Task.id == task.id)
    tree = bottom.cte("above", recursive=True, columns=("id", "parent_id", "level"))
    above = Task.alias()
    # One more than there can be, so that rows of an older server end the search as well.
    tree = tree.union_all(
        above.select(above.id, above.parent, tree.c.level + 1)
        .join(tree, on=(above.id == tree.c.parent_id))
        .where(tree.c.level < MOST_LEVELS)
    )
    rows: Any = (
        Task.select(Task.id, Organization.id, Organization.name, User.id, User.username, Task.image)
        .join(tree, on=(Task.id == tree.c.id))
        .switch(Task)
        .join(Organization)
        .switch(Task)
        .join(User, JOIN.LEFT_OUTER)
        .with_cte(tree)
        .order_by(tree.c.level.desc())
        .tuples()
    )
    return [Requester(*row) for row in rows]
