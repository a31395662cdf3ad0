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
class _Bound:
    """A parameter that a call fills: with which of its values, and in which form."""

    number: int
    convert: Convert | None

    def fill(self, values: tuple[Any, ...]) -> Any:
        value = values[self.number]
        return self.convert(value) if self.convert else value


class Parameter(Node):
    """Stands in a query for a value that is known at the call.

    The value is converted as the column does that it is compared with, or by a function.
    """

    def __init__(self, number: int, convert: Convert | None = None) -> None:
        self.number = number
        self.convert = convert

    def through(self, convert: Convert) -> "Parameter":
        """Return the same value as a function converts it."""
        return Parameter(self.number, convert)

    def __sql__(self, ctx: Any) -> Any:
        """Take a number among the parameters."""
        bound = _Bound(self.number, self.convert or ctx.state.converter)
        return ctx.value(bound, converter=False)


class _Built:
    """What is kept of a query for one kind of database."""

    def __init__(self, query: Any) -> None:
        self._query = query
        self.sql, self.parameters = query.sql()
        self._maker: Any = None

    def rows(self, cursor: Any) -> list[Any]:
        """Return the rows of a cursor as the query makes them."""
        found = cursor.fetchall()
        maker = self._maker
        if maker is None:
            # The method is private, but nothing public makes rows of a cursor; setup.cfg pins
            # peewee >= 4.5, < 5, and a test tells if it changes. To make rows it only reads what
            # it found out about the columns, so all calls share it.
            maker = self._query._get_cursor_wrapper(cursor)
            maker.initialize()
            maker.cursor = None
            self._maker = maker
        return [maker.process_row(row) for row in found]


class Prepared(Generic[Row]):
    """A query of which only values change; a call returns its rows.

    PERF: peewee takes ten times as long to build the SQL of a small query as a database to run it.
    What every request asks is built once for each kind of database, then sent with other values.
    Threads that build the same at once do it twice, which is harmless.

    Parameters
    ----------
    build
        Takes as many values as a call, and returns the query. It sees a `Parameter` for each value,
        and can do no more than compare a column with it; a list of ids is for `among`. NULL is
        equal to nothing.
    values
        How many values a call has, where ``build`` takes any number.
    """

    def __init__(self, build: Callable[..., "ModelSelect[Row]"], values: int | None = None) -> None:
        self._build = build
        count = len(inspect.signature(build).parameters) if values is None else values
        self._parameters = [Parameter(number) for number in range(count)]
        self._built: dict[type, _Built] = {}

    def __call__(self, *values: Any) -> list[Row]:
        """Return all rows."""
        engine = type(db.obj)
        built = self._built.get(engine)
        if built is None:
            built = self._built[engine] = _Built(self._build(*self._parameters))
        given = [p.fill(values) if isinstance(p, _Bound) else p for p in built.parameters]
        return built.rows(db.execute_sql(built.sql, given))

    def first(self, *values: Any) -> Row | None:
        """Return the first row, or None; for what has at most one."""
        return next(iter(self(*values)), None)
