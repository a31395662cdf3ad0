"""How many rows a query has; counted again only after a while where that takes long."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from peewee import SQL, fn

from vantage6.models.database import db

#: A total that was counted faster is counted each time, and so is a smaller one.
_LEAST_SECONDS = 0.002
_LEAST_ROWS = 1000
#: How long a total serves: so many times as long as it took to count, but no longer than this.
_TIMES = 20
_MOST_SECONDS = 2.0
_MOST_TOTALS = 256


class CountCache:
    """The totals that took long to count, for any number of threads.

    PERF: no index tells how many rows it has, so a database takes longer with every row.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        #: Each with the moment until which it serves; least recently used first.
        self._kept: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()

    def get(self, key: Hashable, count: Callable[[], int]) -> int:
        """Return the total that serves at this moment, or count."""
        started = self._clock()
        with self._lock:
            total, until = self._kept.get(key, (0, started))
            if started < until:
                self._kept.move_to_end(key)
                return total
        total = count()
        ended = self._clock()
        if total >= _LEAST_ROWS and ended - started >= _LEAST_SECONDS:
            with self._lock:
                self._kept[key] = total, ended + min(_TIMES * (ended - started), _MOST_SECONDS)
                self._kept.move_to_end(key)
                if len(self._kept) > _MOST_TOTALS:
                    self._kept.popitem(last=False)
        return total


def count_rows(query: Any) -> int:
    """Return the number of rows of a query, which neither groups them nor leaves out repetitions.

    See `CountCache` for how old it may be.
    """
    # COUNT(*) without a subquery: SQLite has a short way for just that.
    sql, values = query.order_by().select(fn.COUNT(SQL("*"))).sql()
    # Lists among the values could not be looked up.
    key = (sql, repr(values))
    return look_up(key, lambda: int(db.execute_sql(sql, values).fetchone()[0]))


def look_up(key: Hashable, count: Callable[[], int]) -> int:
    """Return a total of this database that serves at this moment, or count; see `CountCache`."""
    # Of two threads that make it at once, both get the same one.
    bound: Any = db.obj
    cache: CountCache = bound.__dict__.setdefault("count_cache", CountCache())
    return cache.get(key, count)
