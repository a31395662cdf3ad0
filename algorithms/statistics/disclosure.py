"""Checks at a station before a number leaves it. Each raises `Refused` without a number."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vantage6.algorithms.statistics.sentences import Refused
from vantage6.algorithms.statistics.sums import Array
from vantage6.common.disclosure.floors import Floors


def is_small(count: int, floors: Floors) -> bool:
    """Tell whether a count must not be shown."""
    return count < floors.cell and (count > 0 or floors.zeros)


def check_records(count: int, floors: Floors) -> bool:
    """Tell whether there are records at all; refuse if there are too few.

    A station without a complete record answers with sums of zero, and other floors do not apply
    to it, unless a zero is small.
    """
    if count == 0 and not floors.zeros:
        return False
    if count < floors.records:
        raise Refused("too_few_records", records=floors.records)
    return count > 0


def check_cells(column: str, counts: Iterable[int], floors: Floors) -> None:
    """Refuse if a group of records is small."""
    if any(is_small(count, floors) for count in counts):
        raise Refused("small_cell", column=column, cell=floors.cell)


def check_levels(column: str, counts: Mapping[str, int], floors: Floors) -> None:
    """Refuse too many levels, or a level whose name would show a few records."""
    if floors.levels is not None and len(counts) > floors.levels:
        raise Refused("too_many_levels", column=column, levels=floors.levels)
    check_cells(column, counts.values(), floors)


def check_parameters(count: int, parameters: int, floors: Floors) -> None:
    """Refuse a model with too many parameters for the records (`MinimumDoFCheck`)."""
    if floors.parameters is not None and parameters > floors.parameters * count:
        counted = "1 parameter is" if parameters == 1 else f"{parameters} parameters are"
        share = round(100 * floors.parameters)
        raise Refused("too_many_parameters", parameters=counted, share=share)
    check_degrees(count, parameters, floors)


def check_degrees(count: int, parameters: int, floors: Floors) -> None:
    """Refuse sums of squares with too few degrees of freedom; a mean takes one."""
    # A floor of 0 asks for nothing: sums of fewer records than parameters are as good as others.
    if floors.residual_df > 0 and count - parameters < floors.residual_df:
        counted = "1 parameter leaves" if parameters == 1 else f"{parameters} parameters leave"
        raise Refused(
            "too_few_degrees_of_freedom", parameters=counted, residual_df=floors.residual_df
        )


def check_column(column: str, values: Array, floors: Floors) -> None:
    """Refuse a column that sets few records apart.

    Two values: each at least ``cell`` times (dsBase, ``glmDS2``). More, none negative: the two
    largest make up at most ``dominance`` of the sum, and what is left of it is at least a tenth
    of the largest (NK and p-percent rules). With negative ones: the first rule for the distances
    from the median.
    """
    if floors.cell <= 1 and floors.dominance is None:
        return
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) == 2:
        check_cells(column, counts.tolist(), floors)
    elif len(distinct) > 2 and floors.dominance is not None and distinct[0] >= 0:
        largest = np.sort(values)[::-1]
        whole = math.fsum(values.tolist())
        rest = math.fsum(largest[2:].tolist())
        if largest[0] + largest[1] > floors.dominance * whole or rest < 0.1 * largest[0]:
            raise Refused("dominance", column=column)
    elif len(distinct) > 2 and floors.dominance is not None:
        # SECURITY: a negative value beside it does not hide a record that makes up a sum.
        distances = np.sort(np.abs(values - np.median(values)))[::-1]
        largest_two = float(distances[0] + distances[1])
        if largest_two > floors.dominance * math.fsum(distances.tolist()):
            raise Refused("dominance", column=column)


def check_product(column: str, values: Array, floors: Floors) -> None:
    """Refuse a column that is the same number for all records but a few.

    SECURITY: a product with a category or a comparison is 0 but for chosen records.
    """
    if len(values) == 0:
        return
    _, counts = np.unique(values, return_counts=True)
    others = len(values) - int(counts.max())
    if 0 < others < floors.cell:
        raise Refused("small_cell", column=column, cell=floors.cell)


def check_function(column: str, values: Array, floors: Floors) -> None:
    """Refuse a function of columns that few records stand out in.

    SECURITY: a steep function is flat but for the extreme record, of either sign. So the
    distances from the median must not rest on few records.
    """
    check_product(column, values, floors)
    if len(values) == 0:
        return
    try:
        check_effective(values - np.median(values), floors)
    except Refused as refused:
        raise Refused("dominance", column=column) from refused


def check_effective(weights: ArrayLike, floors: Floors) -> None:
    """Refuse weights that rest on few records: (ΣW)²/ΣW² below the floor.

    SECURITY: a caller who chooses the coefficients of a step chooses its weights. Without this
    check one direct call puts all weight on one record and reads it (statistics, 1.7).
    """
    values = np.abs(np.asarray(weights, dtype=np.float64))
    largest = values.max(initial=0.0)
    if floors.effective <= 1 or largest == 0:
        return
    scaled = values / largest
    if not math.fsum(scaled.tolist()) ** 2 >= floors.effective * math.fsum((scaled**2).tolist()):
        raise Refused("concentrated", effective=floors.effective)


def step_above(size: float) -> float:
    """Return the smallest of 1, 2 or 5 times a power of ten that is at least this size."""
    if not size > 0:
        return 1.0
    exponent = math.floor(math.log10(size)) - 1
    for power in range(exponent, exponent + 4):
        for digit in (1, 2, 5):
            step = float(f"{digit}e{power}")
            if step >= size:
                return step
    raise AssertionError("unreachable")


def common_step(steps: Sequence[float]) -> float | None:
    """Return the smallest step of 1, 2 or 5 times a power of ten that is a multiple of all."""
    if not steps:
        return None
    exponent = math.floor(math.log10(max(steps)))
    for power in range(exponent, exponent + 3):
        for digit in (1, 2, 5):
            step = float(f"{digit}e{power}")
            ratios = [step / other for other in steps]
            if all(r >= 0.999 and abs(r - round(r)) < 1e-6 for r in ratios):
                return step
    return max(steps)


def check_lattice(column: str, edges: Array, step: float, shift: float, floors: Floors) -> None:
    """Refuse edges between the points of the station's own lattice.

    SECURITY: edges that a caller may choose freely find single values by bisection.
    """
    if floors.cell <= 1 or len(edges) == 0:
        return
    places = (edges - shift) / step
    if np.any(np.abs(places - np.round(places)) > 1e-6):
        raise Refused("too_fine", column=column, step=step)


def mask(counts: NDArray[np.int64], floors: Floors) -> NDArray[np.bool_]:
    """Return which cells of a table stay hidden (primary and complementary suppression).

    Small cells are hidden. Then, in the whole table and in each of its rows and columns: while
    some but not all cells are hidden, and only one is or the hidden ones add up to less than
    ``cell``, the smallest visible one is hidden as well, so that no sum gives a hidden cell away.
    """
    table = counts.reshape(1, -1) if counts.ndim == 1 else counts
    hidden = (table < floors.cell) & ((table > 0) | floors.zeros)
    height, width = table.shape
    lines = [np.indices(table.shape).reshape(2, -1)]
    if height > 1 and width > 1:
        lines += [np.array([[i] * width, range(width)]) for i in range(height)]
        lines += [np.array([range(height), [j] * height]) for j in range(width)]
    changed = True
    while changed:
        changed = False
        for line in lines:
            cells, covered = table[tuple(line)], hidden[tuple(line)].copy()
            while covered.any() and not covered.all():
                if covered.sum() > 1 and cells[covered].sum() >= floors.cell:
                    break
                visible = np.flatnonzero(~covered)
                positive = visible[cells[visible] > 0]
                choice = positive if len(positive) else visible
                covered[choice[np.argmin(cells[choice])]] = True
                changed = True
            hidden[tuple(line)] = covered
    return hidden.reshape(counts.shape)
