"""What changed lately, for clients that wait for it: a short stream in Redis.

It holds numbers alone, and for a while only. A client whose place in it is gone looks at everything
again, as after a start.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import redis

from vantage6.broker.connection import answering
from vantage6.broker.queues import CHANGES, CHANGES_WORD, WAKEUPS

#: Changes that are kept; Redis may keep some more.
KEPT = 5000
#: Changes that one look takes; so many mean that there may be more.
MOST_AT_ONCE = 1000
#: The place before all changes.
_START = "0-0"


@dataclass(frozen=True)
class Change:
    """Something happened to a task or to its results.

    Parameters
    ----------
    collaboration
        Where.
    task, run
        The task, and the number that it shares with its sub-tasks; 0 where it may be any task of
        the collaboration.
    """

    collaboration: int
    task: int = 0
    run: int = 0


@dataclass(frozen=True)
class Seen:
    """What a look found.

    Parameters
    ----------
    place
        Where the next look begins.
    is_gap
        The place of this look is gone, and changes after it may be, too.
    changes
        What happened after that place.
    """

    place: str
    is_gap: bool
    changes: list[Change]


def publish(pipeline: Any, changes: Iterable[Change]) -> None:
    """Put changes into the stream by a pipeline, and wake the requests that wait for them."""
    written = False
    for one in changes:
        fields = {"collaboration": one.collaboration, "task": one.task, "run": one.run}
        pipeline.xadd(CHANGES, fields, maxlen=KEPT, approximate=True)
        written = True
    if written:
        pipeline.publish(WAKEUPS, CHANGES_WORD)


def look(broker: redis.Redis, place: str | None) -> Seen:
    """Return what happened after a place in the stream.

    Parameters
    ----------
    broker
        Redis.
    place
        What an earlier look returned; None: nothing is returned but the place to begin at.

    Raises
    ------
    BrokerUnavailable
        If Redis does not answer.
    """
    with answering():
        if place is None:
            newest = cast("list[Any]", broker.xrevrange(CHANGES, count=1))
            return Seen(_text(newest[0][0]) if newest else _START, False, [])
        with broker.pipeline(transaction=True) as pipeline:
            pipeline.xrange(CHANGES, place, place)
            pipeline.xrange(CHANGES, f"({place}", count=MOST_AT_ONCE)
            same, entries = pipeline.execute()
    is_gap = place != _START and not same
    if not entries:
        # Redis may have forgotten its stream: the next look begins where it does.
        return Seen(_START if is_gap else place, is_gap, [])
    return Seen(_text(entries[-1][0]), is_gap, [_read(fields) for _, fields in entries])


def _read(fields: dict[Any, Any]) -> Change:
    return Change(**{_text(name): int(value) for name, value in fields.items()})


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
