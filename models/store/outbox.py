"""Messages that wait until they are sent."""

import json
from datetime import timedelta
from enum import StrEnum
from typing import Any

from vantage6.common.clock import now
from vantage6.models.database import db
from vantage6.models.tables import Outbox

#: The one who writes a message also has it sent; this long the relay leaves it to that one.
_HEAD_START = timedelta(seconds=2)
#: Longest time between two attempts.
_LONGEST_PAUSE = timedelta(seconds=60)


class Topic(StrEnum):
    """What a waiting message tells."""

    #: ``{"task_id"}``: ring at every node of the task.
    TASK_CREATED = "task_created"
    #: ``{"result_ids"}``: ring again at the nodes of these results.
    RESULTS_READY = "results_ready"
    #: ``{"bells": [[node, result, task], …]}``: tell the nodes to stop.
    RESULTS_KILLED = "results_killed"


def add(topic: Topic, content: dict[str, Any]) -> int:
    """Write a message; call it inside the transaction that it tells of. Returns its id."""
    row = Outbox.create(topic=topic, content=json.dumps(content), available_at=now() + _HEAD_START)
    return int(row.id)


def due(limit: int = 100) -> list[int]:
    """Return the ids of messages whose time has come, oldest first."""
    query = (
        Outbox.select(Outbox.id)
        .where(Outbox.available_at <= now())
        .order_by(Outbox.available_at, Outbox.id)
        .limit(limit)
    )
    return [row.id for row in query]


def find(message_id: int) -> tuple[Topic, dict[str, Any]] | None:
    """Return topic and content of a message, or None once it was sent."""
    row = Outbox.get_or_none(Outbox.id == message_id)
    return None if row is None else (Topic(row.topic), json.loads(row.content))


def sent(message_id: int) -> None:
    """Forget a message."""
    Outbox.delete().where(Outbox.id == message_id).execute()


def postpone(message_id: int, error: str) -> None:
    """Note a failed attempt; the next one waits twice as long, at most a minute."""
    with db.atomic():
        row = Outbox.get_or_none(Outbox.id == message_id)
        if row is None:
            return
        pause = min(timedelta(seconds=2 ** min(row.attempts, 10)), _LONGEST_PAUSE)
        row.attempts += 1
        row.available_at = now() + pause
        row.error = error[:1000]
        row.save()
