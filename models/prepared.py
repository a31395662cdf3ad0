"""Queries whose SQL is built once."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from peewee import Model, ModelSelect, Node

from vantage6.models.database import db

Row = TypeVar("Row", bound=Model)
Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class _Gap:
    """A parameter that a call fills: with which of its values, and in which form."""

    number: int
    convert: Convert | None

    def filled(self, values: tuple[Any, ...]) -> Any:
        value = values[self.number]
        return self.convert(value) if self.convert else value


class Slot(Node):
    """Stands in a query for a value that is known at the call.

    The value is converted as the column does that it is compared with, or by a function.
    """

    def __init__(self, number: int, convert: Convert | None = None) -> None:
        self.number = number
        self.convert = convert

    def through(self, convert: Convert) -> "Slot":
        """Return the same value as a function converts it."""
        return Slot(self.number, convert)

    def __sql__(self, ctx: Any) -> Any:
        """Leave a gap among the parameters."""
        gap = _Gap(self.number, self.convert or ctx.state.converter)
        return ctx.value(gap, converter=False)


class Prepared(Generic[Row]):
    """A query of which only values change; a call returns its rows.

    PERF: peewee takes ten times as long to build the SQL of a small query as a database to run it.
    What every request asks is built once for each kind of database, then sent with other values.
    Threads that build the same at once do it twice, which is harmless.

    Parameters
    ----------
    build
        Takes as many values as a call, and returns the query. It sees a `Slot` for each value, and
        can do no more than compare a column with it; a list of ids is for `among`. NULL is equal to
        nothing.
    """

    def __init__(self, build: Callable[..., "ModelSelect[Row]"]) -> None:
        self._build = build
        self._slots = [Slot(number) for number in range(len(inspect.signature(build).parameters))]
        self._built: dict[type, tuple[Any, str, list[Any]]] = {}

    def __call__(self, *values: Any) -> list[Row]:
        """Return all rows."""
        engine = type(db.obj)
        if engine not in self._built:
            query = self._build(*self._slots)
            self._built[engine] = query, *query.sql()
        query, sql, parameters = self._built[engine]
        given = [p.filled(values) if isinstance(p, _Gap) else p for p in parameters]
        # The method is private, but nothing public makes rows of a cursor; setup.cfg pins peewee
        # >= 4.5, < 5, and a test tells if it changes. It only reads the query, so calls share none.
        return list(query._get_cursor_wrapper(db.execute_sql(sql, given)))

    def first(self, *values: Any) -> Row | None:
        """Return the first row, or None; for what has at most one."""
        return next(iter(self(*values)), None)
