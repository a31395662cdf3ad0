"""When users and nodes were last heard of."""

from datetime import timedelta

from vantage6.common.clock import now
from vantage6.models.tables import Node, User

#: How old the note may get before a request writes it anew.
_EVERY = timedelta(seconds=60)


def note(row: User | Node) -> None:
    """Note that somebody was heard of; at most once a minute."""
    moment = now()
    if row.last_seen is None or moment - row.last_seen > _EVERY:
        table = type(row)
        table.update(last_seen=moment).where(table.id == row.id).execute()
        row.last_seen = moment
