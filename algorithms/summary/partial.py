"""Counts of one organization for quantiles and histograms; `describe` and `moments` are shared."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from vantage6.algorithms.statistics import disclosure
from vantage6.algorithms.statistics.arguments import bad, check_edges, check_name
from vantage6.algorithms.statistics.groups import ALL, Groups, describe, lattice_step, moments
from vantage6.algorithms.statistics.sentences import Refused
from vantage6.algorithms.statistics.station import Station
from vantage6.algorithms.statistics.sums import Array

__all__ = ["counts", "describe", "histogram_counts", "moments"]

#: Edges of one request for a column.
MOST_EDGES = 5000


def counts(
    station: Station,
    columns: list[str],
    edges: dict[str, Any],
    by: str | None = None,
    levels: dict[str, list[Any]] | None = None,
) -> dict[str, Any]:
    """Return how many values of each column are at most each edge.

    A station whose floor ``cell`` is k > 1 coarsens: from the left it keeps an edge only when at
    least k values lie since the last kept one, and at least k remain to the right. It answers one
    list of edges for a column, on the points of its own lattice, and no refinement.

    Parameters
    ----------
    columns, by, levels
        Columns with numbers; a column of groups; its levels.
    edges
        Column -> lists of rising edges; with `by`, level -> column -> lists.

    Returns
    -------
    dict
        ``columns``: column -> for each list, [index of edge, values at most it]; with `by` the same
        under ``groups``.
    """
    groups = Groups(station, columns, by, levels, complete=False)
    wanted = {ALL: edges} if by is None else edges
    said: dict[str, Any] = {}
    for group in groups:
        by_column = wanted.get(group, {})
        if not isinstance(by_column, Mapping) or not set(by_column) <= set(groups.columns):
            raise bad("edges gives lists of numbers for each column.")
        said[group] = {
            name: _counts(groups, group, name, lists) for name, lists in by_column.items()
        }
    return {"columns": said[ALL]} if by is None else {"groups": said}


def _counts(groups: Groups, group: str, name: str, lists: Any) -> list[list[list[int]]]:
    floors = groups.station.floors
    if not isinstance(lists, list):
        raise bad("edges gives lists of numbers for each column.")
    checked = [np.array(check_edges("edges", edges)) for edges in lists]
    if sum(len(edges) for edges in checked) > MOST_EDGES:
        raise bad(f"edges are at most {MOST_EDGES} for each column.")
    if floors.cell > 1 and len(checked) > 1:
        # SECURITY: nested questions would be subtracted from each other.
        raise bad("edges is one list for each column: this station answers no refinement.")
    values = np.sort(groups.numbers(group, name))
    is_whole = bool(np.all(values == np.floor(values)))
    answers = []
    for edges in checked:
        if len(values) and floors.cell > 1:
            _check_lattice(name, edges, lattice_step(groups.table, name), is_whole, groups)
        below = np.searchsorted(values, edges, side="right")
        answers.append(_kept(below, len(values), floors.cell))
    return answers


def _check_lattice(name: str, edges: Array, step: float, is_whole: bool, groups: Groups) -> None:
    floors = groups.station.floors
    try:
        disclosure.check_lattice(name, edges, step, 0.0, floors)
    except Refused:
        if not is_whole:
            raise
        disclosure.check_lattice(name, edges, step, 0.5, floors)


def _kept(below: Any, count: int, cell: int) -> list[list[int]]:
    """Return the edges that a station shows, with the number of values at most each."""
    kept: list[list[int]] = []
    last = 0
    for index, number in enumerate(below.tolist()):
        is_far = number - last >= cell and count - number >= cell
        if cell <= 1 or is_far:
            kept.append([index, number])
            last = number
    return kept


def histogram_counts(station: Station, column: str, edges: list[float]) -> dict[str, Any]:
    """Return how many values lie in (a, b] for neighbouring edges; the first is [a, b].

    Parameters
    ----------
    column, edges
        Column with numbers, and rising edges of its intervals, on the station's lattice.

    Returns
    -------
    dict
        ``n``, ``rows``, ``missing`` (None where small or where a cell is hidden), ``counts``,
        ``below`` and ``above`` (None where hidden), and ``masked``: the number of hidden cells.
    """
    check_name("column", column)
    points = np.array(check_edges("edges", edges, least=2))
    if len(points) > 201:
        raise bad("edges is a list of 2 to 200 numbers.")
    groups = Groups(station, [column], None, None, complete=False)
    values = groups.numbers(ALL, column)
    if len(values) and station.floors.cell > 1:
        is_whole = bool(np.all(values == np.floor(values)))
        _check_lattice(column, points, lattice_step(groups.table, column), is_whole, groups)
    below = int((values < points[0]).sum())
    at_most = np.searchsorted(np.sort(values), points, side="right")
    at_most[0] = below
    cells = np.array([below, *np.diff(at_most), len(values) - at_most[-1]])
    hidden = disclosure.mask(cells, station.floors)
    shown = [None if h else int(c) for c, h in zip(cells, hidden, strict=True)]
    missing = groups.rows - len(values)
    is_small = 0 < missing < station.floors.cell
    return {
        "n": None if hidden.any() else len(values),
        "rows": None if is_small or hidden.any() else groups.rows,
        "counts": shown[1:-1],
        "below": shown[0],
        "above": shown[-1],
        "masked": int(hidden.sum()),
    }
