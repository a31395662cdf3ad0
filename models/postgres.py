"""PostgreSQL whose idle connections are not asked whether they live."""

import select
from typing import Any

from playhouse.pool import PooledPostgresqlDatabase


class IdleAwarePostgres(PooledPostgresqlDatabase):  # type: ignore[misc]
    """A pool that asks the system, and only in doubt the server, whether a connection lives.

    PERF: peewee sends a statement through each connection that it hands out, which takes as long
    as one that a request needs. When a server closes a connection, there is something to read.
    """

    def _is_closed(self, connection: Any) -> bool:
        if connection.closed:
            return True
        poll = select.poll()
        poll.register(connection.pgconn.socket, select.POLLIN)
        return bool(poll.poll(0)) and bool(super()._is_closed(connection))
