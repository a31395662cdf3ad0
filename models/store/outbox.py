"""Messages that wait until they are sent."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from peewee import fn

from vantage6.common import logs
from vantage6.common.clock import now
from vantage6.models.database import db, kick_after_commit
from vantage6.models.sql.bulk_insert import insert
from vantage6.models.sql.prepared import Prepared
from vantage6.models.store.queries import among
from vantage6.models.tables import Outbox

#: The one who writes a message also has it sent; this long the relay leaves it to that one.
_HEAD_START = timedelta(seconds=2)
#: Longest time between two attempts.
_LONGEST_PAUSE = timedelta(seconds=60)
#: How often a message is tried before it counts as dead: with the pauses, for an hour and a half.
MOST_ATTEMPTS = 100
#: Time for which the relay leaves a message to somebody whom it told of it.
_HANDED_ON = timedelta(seconds=5)
#: How many new messages are read at once.
BATCH = 100


class Topic(StrEnum):
    """What a waiting message tells."""

    #: ``{"task_id"}``: tell every node of the task.
    TASK_CREATED = "task_created"
    #: ``{"result_ids"}``: tell the nodes of these results again.
    RESULTS_READY = "results_ready"
    #: ``{"bells": [[node, result, task], …]}``: tell the nodes to stop.
    RESULTS_KILLED = "results_killed"
    #: ``{"kind", "user_id", "asked_at", …}``: send a mail.
    MAIL = "mail"


@dataclass(frozen=True)
class Waiting:
    """A message that waits until it is sent."""

    id: int
    topic: Topic
    content: dict[str, Any]
    #: The request that wrote it, where that is known.
    request_id: str | None


_DEAD = Outbox.attempts >= MOST_ATTEMPTS


def add(topic: Topic, content: dict[str, Any]) -> int:
    """Write a message; call it inside the transaction that it tells of. Returns its id.

    The workers are kicked when that is committed.
    """
    row = {
        "topic": topic,
        "content": json.dumps(content),
        "available_at": now() + _HEAD_START,
        "request_id": logs.request_id(),
    }
    ((id_,),) = insert(Outbox, [row], returning=[Outbox.id])
    kick_after_commit(topic, id_)
    return int(id_)


def due(limit: int = 100, *, mails: bool = False) -> list[int]:
    """Return the ids of messages whose time has come, oldest first: of mails, or of all others."""
    query = (
        Outbox.select(Outbox.id)
        .where((Outbox.available_at <= now()) & ~_DEAD)
        .where((Outbox.topic == Topic.MAIL) if mails else (Outbox.topic != Topic.MAIL))
        .order_by(Outbox.available_at, Outbox.id)
        .limit(limit)
    )
    return [row.id for row in query]


def new() -> list[Waiting]:
    """Return the messages without an attempt, oldest first.

    At most `BATCH`. Mails have a way of their own; topics of another version are the relay's.
    """
    return [_read(row) for row in _NEW()]


_NEW = Prepared(
    lambda: (
        Outbox.select()
        .where((Outbox.attempts == 0) & Outbox.topic.in_(set(Topic) - {Topic.MAIL}))
        .order_by(Outbox.id)
        .limit(BATCH)
    )
)


def find(message_id: int) -> Waiting | None:
    """Return a message, or None once it was sent."""
    row = Outbox.get_or_none(Outbox.id == message_id)
    return None if row is None else _read(row)


def _read(row: Outbox) -> Waiting:
    return Waiting(row.id, Topic(row.topic), json.loads(row.content), row.request_id or None)


def forget(*message_ids: int) -> None:
    """Forget messages."""
    Outbox.delete().where(among(Outbox.id, message_ids)).execute()


def hand_on(message_id: int) -> int | None:
    """Reserve a due message for another worker for a while.

    Returns
    -------
    int or None
        The number of attempts so far, with which that worker may `begin`; None where one began
        meanwhile, or it was sent.
    """
    row = Outbox.get_or_none(Outbox.id == message_id)
    if row is None:
        return None
    moment = now()
    left = (
        Outbox.update(available_at=moment + _HANDED_ON)
        .where((Outbox.id == message_id) & (Outbox.attempts == row.attempts))
        .where(Outbox.available_at <= moment)
        .execute()
    )
    return int(row.attempts) if left else None


def begin(message_id: int, attempt: int, seconds: int) -> dict[str, Any] | None:
    """Begin an attempt at a mail, which must not go twice; it is out of reach for a while.

    Returns
    -------
    dict or None
        The content; None where another worker began this attempt, or the mail was sent.
    """
    begun = (
        Outbox.update(attempts=attempt + 1, available_at=now() + timedelta(seconds=seconds))
        .where((Outbox.id == message_id) & (Outbox.attempts == attempt))
        # A kick may name a mail that was rolled back, whose number another message got.
        .where(Outbox.topic == Topic.MAIL)
        .execute()
    )
    found = find(message_id) if begun else None
    return found.content if found else None


def postpone(message_id: int, error: str, *, begun: bool = False, blameless: bool = False) -> None:
    """Note a failed attempt; the next one waits twice as long, at most a minute.

    After `MOST_ATTEMPTS` there is no next one, until an operator has the message sent `again`.

    Parameters
    ----------
    message_id
        The message.
    error
        What went wrong.
    begun
        `begin` has counted the attempt already.
    blameless
        Any message would have failed, so that this one never dies of it.
    """
    with db.atomic():
        row = Outbox.get_or_none(Outbox.id == message_id)
        if row is None:
            return
        if not begun:
            row.attempts += 1
        if blameless:
            row.attempts = min(row.attempts, MOST_ATTEMPTS - 1)
        row.available_at = now() + min(
            timedelta(seconds=2 ** min(row.attempts - 1, 10)), _LONGEST_PAUSE
        )
        row.error = error[:1000]
        row.save()


def waiting() -> list[Outbox]:
    """Return the messages that are still to be tried, the next one first."""
    return list(Outbox.select().where(~_DEAD).order_by(Outbox.available_at, Outbox.id))


def dead() -> list[Outbox]:
    """Return the messages that were tried too often, oldest first."""
    return list(Outbox.select().where(_DEAD).order_by(Outbox.id))


@dataclass(frozen=True)
class Backlog:
    """How much waits."""

    #: Messages by topic, without dead ones.
    waiting: dict[str, int]
    dead: int
    #: When the oldest one that waits was written.
    oldest: datetime | None


def backlog() -> Backlog:
    """Return how much waits."""
    query: Any = Outbox.select(Outbox.topic, fn.COUNT(Outbox.id), fn.MIN(Outbox.written_at))
    rows = list(query.where(~_DEAD).group_by(Outbox.topic).tuples())
    return Backlog(
        waiting={topic: count for topic, count, _ in rows},
        dead=Outbox.select().where(_DEAD).count(),
        oldest=min((at for _, _, at in rows if at is not None), default=None),
    )


def again(message_ids: Collection[int] | None = None) -> int:
    """Have messages sent at once, as if without attempts so far; by default the dead ones.

    Returns
    -------
    int
        How many there are.
    """
    chosen = _DEAD if message_ids is None else among(Outbox.id, message_ids)
    fresh = Outbox.update(attempts=0, available_at=now(), error=None)
    return int(fresh.where(chosen).execute())
