"""Columns of a station by group, and the first two rounds of every description of columns."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from vantage6.algorithms.statistics import columns as kinds
from vantage6.algorithms.statistics import disclosure
from vantage6.algorithms.statistics.arguments import (
    bad,
    check_levels,
    check_name,
    check_names,
    check_vector,
)
from vantage6.algorithms.statistics.columns import Columns
from vantage6.algorithms.statistics.levels import ordered
from vantage6.algorithms.statistics.sentences import Refused
from vantage6.algorithms.statistics.station import Station
from vantage6.algorithms.statistics.sums import Array, total_of, triangle

#: The key of the only group where there is no column of groups.
ALL = ""


class Groups:
    """The records of a station, cut by the levels of a column.

    Parameters
    ----------
    complete
        Whether only records count that have a value in all columns.
    """

    def __init__(
        self, station: Station, columns: Any, by: str | None, levels: Any, *, complete: bool
    ) -> None:
        self.station = station
        self.columns = check_names("columns", columns)
        check_name("by", by, optional=True)
        given = check_levels(levels)
        table = station.columns
        for name in self.columns:
            table.kind(name)
        self.rows = table.rows
        used = [by] if by is not None else []
        self.table = table.complete([*self.columns, *used] if complete else used)
        self.groups: dict[str, Columns] = {ALL: self.table}
        if by is None:
            return
        texts = self.table.texts(by)
        found = ordered(texts.tolist())
        if by in given and not set(found) <= set(given[by]):
            raise Refused("unknown_level", column=by)
        counts = {level: int((texts == level).sum()) for level in found}
        disclosure.check_levels(by, counts, station.floors)
        names = given.get(by, found)
        self.groups = {level: self.table.take(texts == level) for level in names}

    def numbers(self, group: str, name: str) -> Array:
        """Return the values of a column in a group, without missing ones; floors are applied."""
        values: Array = self.groups[group].numbers(name)
        values = values[~np.isnan(values)]
        if self._is_enough(len(values), name):
            disclosure.check_column(name, values, self.station.floors)
        return values

    def numbers_for_squares(self, group: str, name: str) -> Array:
        """Return `numbers`, of which sums of squares leave, now or in the next round.

        SECURITY: squares of few records about their mean tell more than their sum.
        """
        values = self.numbers(group, name)
        if len(values) > 0:
            disclosure.check_degrees(len(values), 1, self.station.floors)
        return values

    def _is_enough(self, count: int, name: str) -> bool:
        if list(self.groups) == [ALL]:
            return disclosure.check_records(count, self.station.floors)
        disclosure.check_cells(name, [count], self.station.floors)
        return count > 0

    def __iter__(self) -> Iterator[str]:
        return iter(self.groups)


def describe(
    station: Station,
    columns: list[str],
    by: str | None = None,
    levels: dict[str, list[Any]] | None = None,
    complete: bool = False,
    numeric: bool = False,
) -> dict[str, Any]:
    """Return what each column holds: counts, and the sum of numbers.

    Parameters
    ----------
    columns, by, levels
        Columns; a column of groups; its levels.
    complete
        Count only records with a value in every column.
    numeric
        Refuse columns that do not hold numbers.

    Returns
    -------
    dict
        ``rows`` and ``columns``: column -> ``kind``, ``n``, ``missing`` (None if small), and
        ``sum`` (units of the column) and ``integer``, or ``levels`` (level -> records). With `by`
        the same under ``groups``.
    """
    groups = Groups(station, columns, by, levels, complete=complete)
    floors = station.floors
    if by is not None:
        disclosure.check_records(groups.table.rows, floors)
    described = {
        group: {name: _describe(groups, group, name, numeric) for name in groups.columns}
        for group in groups
    }
    left_out = groups.rows - groups.table.rows
    missing = [column["missing"] for columns_ in described.values() for column in columns_.values()]
    is_hidden = None in missing or 0 < left_out < floors.cell
    ok: dict[str, Any] = {"rows": None if is_hidden else groups.rows}
    if by is None:
        return ok | {"columns": described[ALL]}
    return ok | {"groups": described}


def _describe(groups: Groups, group: str, name: str, numeric: bool) -> dict[str, Any]:
    table, floors = groups.groups[group], groups.station.floors
    present = table.is_present(name)
    n = int(present.sum())
    missing = table.rows - n
    said: dict[str, Any] = {"n": n, "missing": None if 0 < missing < floors.cell else missing}
    kind = table.kind(name)
    if kind == kinds.EMPTY or n == 0:
        if floors.zeros:
            disclosure.check_records(n, floors)
        return {"kind": "empty", **said, "holds": kind}
    if kind in (kinds.TEXT, kinds.BOOLEAN) and not numeric:
        disclosure.check_records(n, floors)
        texts = table.take(present).texts(name)
        found = ordered(texts.tolist())
        counts = np.array([int((texts == level).sum()) for level in found])
        disclosure.check_levels(name, dict(zip(found, counts.tolist(), strict=True)), floors)
        return {
            "kind": "categorical",
            **said,
            "holds": kind,
            "levels": dict(zip(found, counts.tolist(), strict=True)),
        }
    values = groups.numbers_for_squares(group, name)
    return {
        "kind": "numeric",
        **said,
        "holds": kind,
        "sum": total_of(values),
        "integer": bool(np.all(values == np.floor(values))),
    }


def moments(
    station: Station,
    columns: list[str],
    centre: dict[str, list[float]],
    by: str | None = None,
    levels: dict[str, list[Any]] | None = None,
    complete: bool = True,
) -> dict[str, Any]:
    """Return sums of differences from a centre, and of their squares and products.

    Chan, Golub & LeVeque 1983, "shifted data": with s = Σ(x - c) and q = Σ(x - c)², the mean is
    c + s/n and the sum of squares q - s²/n.

    Parameters
    ----------
    columns, by, levels
        Columns with numbers; a column of groups; its levels.
    centre
        Level -> centre of each column.
    complete
        Use only records with a value in every column.

    Returns
    -------
    dict
        ``groups``: level -> ``n``, ``s`` (one for each column) and ``q`` (triangle). If not
        `complete`, ``n`` and ``q`` have one number for each column. ``step``: the lattice of each
        column, where the station has one.
    """
    groups = Groups(station, columns, by, levels, complete=complete)
    floors = station.floors
    count = len(groups.columns)
    if not isinstance(centre, Mapping) or not set(groups) <= set(centre):
        raise bad("centre gives numbers for each group.")
    if complete and disclosure.check_records(groups.table.rows, floors) and by is None:
        disclosure.check_parameters(groups.table.rows, count if count > 1 else 0, floors)
    answers: dict[str, Any] = {}
    for group in groups:
        shift = check_vector("centre", centre[group], count)
        values = [
            groups.numbers_for_squares(group, name) - c
            for name, c in zip(groups.columns, shift, strict=True)
        ]
        said: dict[str, Any] = {"s": [total_of(column) for column in values]}
        if complete:
            _check_pairs(groups, group)
            matrix = np.column_stack(values)
            cross = matrix.T @ matrix
            # The squares decide on every standard deviation: each sum is rounded once.
            cross[np.diag_indices(count)] = [total_of(column**2) for column in values]
            said |= {"n": len(matrix), "q": triangle(cross)}
        else:
            said |= {"n": [len(v) for v in values], "q": [total_of(v**2) for v in values]}
        answers[group] = said
    ok: dict[str, Any] = {"groups": answers}
    if floors.cell > 1:
        ok["step"] = [lattice_step(groups.table, name) for name in groups.columns]
    return ok


def _check_pairs(groups: Groups, group: str) -> None:
    """Refuse two columns of two values that set few records apart together.

    SECURITY: the sum of products of such columns is a cell of their table.
    """
    columns = {name: groups.groups[group].numbers(name) for name in groups.columns}
    sides = {
        name: values == values.max() for name, values in columns.items() if len(set(values)) == 2
    }
    for (one, left), (other, right) in combinations(sides.items(), 2):
        counts = np.bincount(2 * left + right, minlength=4).tolist()
        disclosure.check_cells(f"{one}, {other}", counts, groups.station.floors)


def lattice_step(table: Columns, name: str) -> float:
    """Return the distance of points between which a station distinguishes no values."""
    values = table.numbers(name)
    values = values[values == values]
    if len(values) < 2:
        return 1.0
    step = disclosure.step_above(0.01 * float(values.std(ddof=1)))
    is_whole = bool(np.all(values == np.floor(values)))
    return max(step, 1.0) if is_whole else step
