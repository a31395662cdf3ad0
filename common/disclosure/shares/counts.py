"""Rules for counts of records, alone and in tables."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from vantage6.common.disclosure.shares.context import Context
from vantage6.common.disclosure.shares.numbers import count_of, is_number
from vantage6.common.disclosure.shares.places import Key, Place, entry, flatten, names_of, steps
from vantage6.common.disclosure.shares.tables import find_hidden, find_small, is_small

_NOT_A_COUNT = "Declare this number with the class that it has; a count is a whole number."
_BEYOND = "Send counts of the records of this station only."
_SMALL = "Merge groups, or ask for fewer of them, until each has at least {cell} records."
_HIDDEN = "Cells of fewer than {cell} records, and cells that give them away, were hidden."

#: A larger table with small cells is refused, as the search for others to hide takes too long.
MOST_CELLS = 10_000

#: So many counts in a list are few, whatever the question named.
FEW_COUNTS = 4

Row = list[int | None]


def judge_counts(context: Context, places: list[Place]) -> None:
    """Check counts that stand alone: 0, or at least ``cell``."""
    lists: Counter[tuple[Key, ...]] = Counter()
    for place in places:
        lists[names_of(place)] += len(place.leaves)
        _judge_count(context, place)
    # SECURITY: whole numbers of records, such as ages, are as large as counts.
    if max(lists.values()) > max(FEW_COUNTS, context.question.most_named):
        remedy = "Declare a list of counts as a table."
        context.refuse("too_many_numbers", places[0].share.path, remedy)


def _judge_count(context: Context, place: Place) -> None:
    path, cell = place.share.path, context.floors.cell
    for key, value in place.entries:
        counts = [count_of(leaf) for leaf in flatten([value]) if leaf is not None]
        if None in counts:
            context.refuse("not_a_count", path, _NOT_A_COUNT)
        known = [count for count in counts if count is not None]
        if any(0 < count < cell for count in known):
            context.refuse("count_below_cell", path, _SMALL.format(cell=cell))
        if context.question.rows is not None and max(known, default=0) > context.question.rows:
            context.refuse("count_beyond_data", path, _BEYOND)
        if place.share.of is not None:
            _judge_rest(context, place, key, known)


def _judge_rest(context: Context, place: Place, key: Key, known: list[int]) -> None:
    """Check what is left of a larger count.

    SECURITY: a count beside the count of all shows the count of the others.
    """
    assert place.share.of is not None  # noqa: S101 - the caller has looked
    cell = context.floors.cell
    wholes = [count_of(leaf) for leaf in context.answer.of(place, place.share.of, key)]
    for whole in wholes:
        if whole is not None and any(0 < whole - count < cell for count in known):
            remedy = f"Hide the larger count, or leave out no group of fewer than {cell} records."
            context.refuse("rest_below_cell", place.share.path, remedy)


def judge_tables(context: Context, places: Iterable[Place]) -> None:
    """Check tables of counts, and hide what the card lets the station hide."""
    tables: dict[tuple[str, tuple[Key, ...]], list[Place]] = {}
    for place in places:
        tables.setdefault(_table_of(context, place), []).append(place)
    for parts in tables.values():
        _judge_table(context, parts)


def _table_of(context: Context, place: Place) -> tuple[str, tuple[Key, ...]]:
    """Return what the places of one table have in common."""
    share = place.share
    if share.masked is not None:
        return share.masked, context.answer.common(place, share.masked)
    ends = steps(share.path)[::-1]
    stars = next((i for i, step in enumerate(ends) if step != "*"), len(ends))
    keys = place.keys if place.key is None else (*place.keys, place.key)
    return share.path, keys[: len(keys) - max(0, stars - 1)]


def _judge_table(context: Context, parts: list[Place]) -> None:
    path, floors = parts[0].share.path, context.floors
    rows, cells = _read(context, parts)
    if not _is_plausible(context, parts, rows):
        return
    small = find_small(rows, floors)
    hidden_before = {
        (i, j) for i, row in enumerate(rows) for j, count in enumerate(row) if count is None
    }
    if not small and not hidden_before:
        return
    if parts[0].share.masked is None or (small and hidden_before):
        context.refuse("cell_below_floor", path, _SMALL.format(cell=floors.cell))
        return
    if hidden_before:
        _check_hidden(context, parts, rows)
        return
    _hide(context, parts, rows, cells)


def _read(context: Context, parts: list[Place]) -> tuple[list[Row], list[list[tuple[Place, Key]]]]:
    """Return the counts of a table, and where each stands; one row where it has no lines."""
    rows: list[Row] = []
    cells: list[list[tuple[Place, Key]]] = []
    is_flat = any(part.key is not None for part in parts)
    for part in parts:
        counts: Row = []
        for _, value in part.entries:
            count = count_of(value)
            if count is None and value is not None:
                context.refuse("not_a_count", part.share.path, _NOT_A_COUNT)
            counts.append(count)
        where = [(part, key) for key, _ in part.entries]
        if is_flat and rows:
            rows[0] += counts
            cells[0] += where
        else:
            rows.append(counts)
            cells.append(where)
    return rows, cells


def _is_plausible(context: Context, parts: list[Place], rows: list[Row]) -> bool:
    """Tell whether the counts can be those of a table; refuse the answer if they cannot."""
    path, most = parts[0].share.path, context.floors.levels
    totals = [sum(count or 0 for count in row) for row in rows]
    records = context.question.rows
    if records is not None and max(totals, default=0) > records:
        context.refuse("count_beyond_data", path, _BEYOND)
        return False
    for part in parts:
        is_line = part.key is None and part.share.class_ == "frequency_table"
        shown = [value for _, value in part.entries if value != 0] if is_line else []
        if most is not None and len(shown) > most:
            context.refuse("too_many_levels", path, f"Name at most {most} levels of a column.")
            return False
    return True


def _check_hidden(context: Context, parts: list[Place], rows: list[Row]) -> None:
    """Check that no sum gives away what the algorithm has hidden."""
    share = parts[0].share
    assert share.masked is not None  # noqa: S101 - the caller has looked
    hidden = sum(count is None for row in rows for count in row)
    said = [count_of(leaf) for leaf in context.answer.of(parts[0], share.masked)]
    if said != [hidden]:
        remedy = f"Say under {share.masked} how many entries are null."
        context.refuse("hidden_not_said", share.path, remedy)
    whole = [count for row in rows for count in row]
    lines: list[Row] = [whole]
    if len(rows) > 1:
        lines += [*rows, *map(list, zip(*rows, strict=False))]
    # SECURITY: one hidden cell of a line follows from the total, which another answer may show.
    if any(line.count(None) == 1 < len(line) for line in lines):
        remedy = "Hide a second entry of each row and column that has a hidden one."
        context.refuse("hidden_cell_follows", share.path, remedy)
    margin = [count_of(x) for x in context.answer.of(parts[0], share.of)] if share.of else []
    visible = sum(count or 0 for count in whole)
    if any(total is not None and 0 < total - visible < context.floors.cell for total in margin):
        remedy = "Hide the total, or further entries."
        context.refuse("hidden_cell_follows", share.path, remedy)


def _hide(
    context: Context,
    parts: list[Place],
    rows: list[Row],
    cells: list[list[tuple[Place, Key]]],
) -> None:
    """Hide small cells, and those that give them away."""
    share, floors = parts[0].share, context.floors
    assert share.masked is not None  # noqa: S101 - the caller has looked
    target = context.answer.entry(parts[0], share.masked)
    too_large = sum(map(len, rows)) > MOST_CELLS
    if too_large or target is None or count_of(entry(*target)) != 0:
        context.refuse("cell_below_floor", share.path, _SMALL.format(cell=floors.cell))
        return
    table = [[count or 0 for count in row] for row in rows]
    hidden = find_hidden(table, floors)
    for i, j in hidden:
        place, key = cells[i][j]
        context.edits.append((place.container, key, None))
    context.edits.append((*target, len(hidden)))
    context.mitigate("cell_below_floor", share.path, _HIDDEN.format(cell=floors.cell))


def judge_steps(context: Context, places: Iterable[Place]) -> None:
    """Check running totals: each step is of no record, or of at least ``cell``."""
    floors = context.floors
    for path, sequence in sequences(places):
        counts = [count_of(value) for value in sequence if value is not None]
        known = [count for count in counts if count is not None]
        if len(known) < len(counts):
            context.refuse("not_a_count", path, _NOT_A_COUNT)
            continue
        # Those that fall, such as numbers at risk, are read from the end.
        rising = known if known == sorted(known) else known[::-1]
        if rising != sorted(rising):
            context.refuse("not_a_running_total", path, "Send totals that rise, or that fall.")
            continue
        jumps = [b - a for a, b in zip([0, *rising], rising, strict=False)]
        if any(is_small(jump, floors) for jump in jumps):
            context.refuse("step_below_cell", path, _SMALL.format(cell=floors.cell))
        if context.question.rows is not None and max(known, default=0) > context.question.rows:
            context.refuse("count_beyond_data", path, _BEYOND)


def sequences(places: Iterable[Place]) -> list[tuple[str, list[Any]]]:
    """Return the values along the last ``*`` of their paths, each with its path."""
    found: dict[tuple[str, tuple[Key, ...]], list[Any]] = {}
    for place in places:
        path = steps(place.share.path)
        last = len(path) - 1 - path[::-1].index("*") if "*" in path else len(path)
        keys = place.keys if place.key is None else (*place.keys, place.key)
        found.setdefault((place.share.path, keys[:last]), []).extend(place.leaves)
    return [(path, values) for (path, _), values in found.items()]


def judge_curves(context: Context, places: Iterable[Place]) -> None:
    """Check survival tables: counts like cells, curves by the records that a step can be of."""
    counts: list[Place] = []
    for place in places:
        if all(leaf is None or count_of(leaf) is not None for leaf in place.leaves):
            counts.append(place)
        else:
            _judge_curve(context, place)
    judge_tables(context, counts)


def _judge_curve(context: Context, place: Place) -> None:
    path, cell = place.share.path, context.floors.cell
    values = [leaf for leaf in place.leaves if leaf is not None]
    if cell <= 1:
        return
    remedy = f"Send counts of events and of censorings in intervals of at least {cell} of each."
    known = [float(value) for value in values if is_number(value)]
    if len(known) < len(values) or not all(0 <= value <= 1 for value in known):
        context.refuse("not_a_curve", path, _NOT_A_COUNT)
        return
    counts = context.answer.of(place, place.share.of) if place.share.of else []
    most = max((count_of(count) or 0 for count in counts), default=0)
    drops = [1 - b / a for a, b in zip([1.0, *known], known, strict=False) if a > 0 and b != a]
    # No more records are at risk than there are.
    if most == 0 or any(drop < 0 or drop * most < cell - 1e-6 for drop in drops):
        context.refuse("step_below_cell", path, remedy)
    else:
        context.hold("curve_without_counts", path, remedy)
