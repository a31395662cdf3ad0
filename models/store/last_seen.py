"""When users and nodes were last heard of."""

from datetime import timedelta

from vantage6.common.clock import now
from vantage6.models.tables import Node, User

#: How old the note may get before a request writes it anew.
_EVERY = timedelta(seconds=60)
#: The same of the comparison of a node, which asks once a minute.
OF_COMPARISON = timedelta(seconds=10)


def note(row: User | Node, every: timedelta = _EVERY) -> None:
    """Note the time of a user's or node's request; at most once a minute, or another interval."""
    moment = now()
    if row.last_seen is None or moment - row.last_seen > every:
        table = type(row)
        table.update(last_seen=moment).where(table.id == row.id).execute()
        row.last_seen = moment
