"""Rules for numbers that many records make up: sums, means, quantiles, models."""

import math
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from vantage6.common.disclosure.shares.context import Context
from vantage6.common.disclosure.shares.dominance import USUAL, is_dominated
from vantage6.common.disclosure.shares.numbers import count_of, is_close, is_number
from vantage6.common.disclosure.shares.places import Key, Place, before_last_star, names_of

#: Classes whose numbers grow with the parameters of a model.
MODELS = frozenset(
    {"cross_product", "regression_coefficient", "score_vector", "information_matrix"}
)
_TRIANGLES = frozenset({"cross_product", "information_matrix"})
#: Classes whose numbers are as many as columns were asked for.
_VECTORS = frozenset({"sum", "mean", "variance"})

#: So many numbers are few, however few records there are.
FEW_NUMBERS = 4

_NO_COUNT = "Name in the card, under `of`, where the answer says how many records are behind it."
_TOO_FEW = "Ask about at least {least} records."


@dataclass(frozen=True, slots=True)
class _Read:
    """Numbers of one place, and the records behind them."""

    place: Place
    leaves: list[Any]
    #: Counts above zero.
    records: list[int]
    #: Whether there is a count for each number.
    is_each_its_own: bool


def judge_aggregates(context: Context, places: list[Place]) -> None:
    """Check sums, means, variances, and the numbers of models, of one share."""
    read = [found for place in places if (found := _read(context, place)) is not None]
    by_list: dict[tuple[Key, ...], list[_Read]] = {}
    for one in read:
        by_list.setdefault(names_of(one.place), []).append(one)
    if places[0].share.class_ not in MODELS:
        for group in by_list.values():
            _judge_length(context, group)
        return
    models: dict[tuple[Key, ...], list[_Read]] = {}
    for one in read:
        models.setdefault(before_last_star(one.place), []).append(one)
    for group in models.values():
        # Variances of columns, and scores of groups, each of records of their own.
        if all(one.is_each_its_own and len(one.leaves) > 1 for one in group):
            _judge_length(context, group)
        else:
            _judge_parameters(context, group)
    lists = Counter(tuple(key for key in keys if isinstance(key, str)) for keys in models)
    if max(lists.values(), default=0) > FEW_NUMBERS:
        remedy = f"Send at most {FEW_NUMBERS} models in a list."
        context.refuse("too_many_numbers", places[0].share.path, remedy)


def _read(context: Context, place: Place) -> _Read | None:
    """Return numbers and counts of a place; None where there is nothing more to check."""
    floors, share = context.floors, place.share
    leaves = [leaf for leaf in place.leaves if leaf is not None]
    if not all(map(is_number, leaves)):
        context.refuse("not_a_number", share.path, "Declare what is no number with its class.")
        return None
    if not leaves or floors.cell <= 1 >= floors.records:
        return None
    counts = read_counts(context, place)
    if counts is None:
        return None
    positive = [count for count in counts if count > 0]
    if not positive:
        if any(leaves):
            context.refuse("too_few_records", share.path, _TOO_FEW.format(least=floors.cell))
        return None
    least = floors.records if share.class_ in MODELS else floors.cell
    if min(positive) < floors.cell or sum(positive) < least:
        remedy = _TOO_FEW.format(least=max(least, floors.cell))
        context.refuse("too_few_records", share.path, remedy)
    if share.class_ in ("sum", "mean"):
        _judge_dominance(context, place, leaves)
    return _Read(place, leaves, positive, len(counts) == len(leaves))


def read_counts(context: Context, place: Place) -> list[int] | None:
    """Return the numbers of records behind a place; None where the answer does not say them."""
    share, rows = place.share, context.question.rows
    said = context.answer.of(place, share.of, place.key) if share.of is not None else []
    counts = [count for count in map(count_of, said) if count is not None]
    if not said or len(counts) < len(said):
        context.refuse("no_count_of_records", share.path, _NO_COUNT)
        return None
    if rows is not None and max(counts) > rows:
        context.refuse(
            "count_beyond_data", share.path, "Send counts of the records of this station only."
        )
    return counts


def _judge_parameters(context: Context, model: list[_Read]) -> None:
    """Check the number of parameters against the records (ACRO's minimum degrees of freedom)."""
    place, floors = model[0].place, context.floors
    path, records = place.share.path, min(sum(one.records) for one in model)
    size = _size(place, sum(len(one.leaves) for one in model))
    if size is None:
        remedy = "Send a square matrix, or its upper triangle, row by row."
        context.refuse("not_a_matrix", path, remedy)
        return
    if place.share.parameters is not None:
        said = [count_of(x) for x in context.answer.of(place, place.share.parameters, place.key)]
        declared = said[0] if len(said) == 1 else None
        # The outcome of a linear model is a column of its cross-products, and no parameter.
        if declared is None or size > declared + 1:
            remedy = f"Say under {place.share.parameters} how many parameters there are."
            context.refuse("parameters_not_said", path, remedy)
            return
        size = declared
    elif size == 1:
        return
    if floors.parameters is not None and size > floors.parameters * records:
        percent = round(100 * floors.parameters)
        remedy = f"Use at most {percent} parameters for each 100 records."
        context.refuse("too_many_parameters", path, remedy)
    if floors.residual_df > 0 and records - size < floors.residual_df:
        remedy = f"Leave at least {floors.residual_df} records more than parameters."
        context.refuse("too_few_degrees_of_freedom", path, remedy)


def _size(place: Place, numbers: int) -> int | None:
    """Return how many parameters so many numbers are of; None if they are no matrix."""
    if place.share.class_ not in _TRIANGLES:
        return numbers
    triangle, square = (math.isqrt(8 * numbers + 1) - 1) // 2, math.isqrt(numbers)
    if triangle * (triangle + 1) // 2 == numbers:
        return triangle
    return square if square**2 == numbers else None


def _judge_length(context: Context, group: list[_Read]) -> None:
    """Check that a list of sums is no list of records, or of sums over each step of them."""
    most = max(FEW_NUMBERS, max(max(one.records) for one in group) // 3)
    if all(one.is_each_its_own for one in group):
        # One number for each column, and for each the count of its records.
        most = max(most, context.question.most_named)
    if sum(len(one.leaves) for one in group) > most:
        remedy = "Send at most a third as many numbers as there are records."
        context.refuse("too_many_numbers", group[0].place.share.path, remedy)


def _judge_dominance(context: Context, place: Place, leaves: list[Any]) -> None:
    """Refuse the sum or the mean of a column whose largest values make it up.

    Where the station has no bound, a person looks at it.
    """
    bound = context.floors.dominance
    add = context.hold if bound is None else context.refuse
    for totals in context.question.columns.values():
        if not is_dominated(totals, USUAL if bound is None else bound):
            continue
        known = (totals.total, totals.total / totals.count if totals.count else 0.0)
        if any(is_close(leaf, number) for leaf in leaves for number in known):
            remedy = "Leave this column out: one or two records make up most of it."
            add("dominance", place.share.path, remedy)


def judge_quantiles(context: Context, places: list[Place]) -> None:
    """Check quantiles: enough records below the first, between two, and above the last."""
    lists: Counter[tuple[Key, ...]] = Counter()
    for place in places:
        lists[names_of(place)] += 1
        _judge_quantile(context, place)
    if max(lists.values()) > max(FEW_NUMBERS, context.question.most_named):
        remedy = "Send quantiles of columns that the question names."
        context.refuse("too_many_numbers", places[0].share.path, remedy)


def _judge_quantile(context: Context, place: Place) -> None:
    share, cell = place.share, context.floors.cell
    leaves = [leaf for leaf in place.leaves if leaf is not None]
    if not all(map(is_number, leaves)):
        context.refuse("not_a_number", share.path, "Declare what is no number with its class.")
        return
    if not leaves or cell <= 1:
        return
    counts = read_counts(context, place)
    if counts is None:
        return
    # SECURITY: a quantile whose probability is not known can be the smallest or largest value.
    said = context.answer.of(place, share.at, place.key) if share.at is not None else []
    at = [float(x) for x in said if is_number(x) and 0 <= x <= 1]
    if len(at) != len(leaves):
        remedy = "Name in the card, under `at`, where the answer says the probabilities."
        context.refuse("no_probability_of_quantile", share.path, remedy)
        return
    places = [0.0, *sorted(set(at)), 1.0]
    if any((b - a) * min(counts) < cell - 1e-6 for a, b in pairwise(places)):
        remedy = f"Ask for quantiles with at least {cell} records on both sides of each."
        context.refuse("quantile_of_few_records", share.path, remedy)


def judge_extremes(context: Context, places: list[Place]) -> None:
    """Refuse extremes: the smallest and the largest value belong to one record."""
    leaves = [leaf for place in places for leaf in place.leaves]
    if context.floors.cell > 1 and any(leaf is not None for leaf in leaves):
        context.refuse("extreme", places[0].share.path, "Ask for quantiles instead.")


def judge_risk_sets(context: Context, places: list[Place]) -> None:
    """Check sums over risk sets, where the answer says how many are at risk at each time.

    SECURITY: two neighbouring sums differ by the records that left between them.
    """
    for place in places:
        _judge_risk_set(context, place)


def _judge_risk_set(context: Context, place: Place) -> None:
    share, cell = place.share, context.floors.cell
    if cell <= 1 or all(leaf is None for leaf in place.leaves):
        return
    counts = context.answer.of(place, share.of) if share.of is not None else []
    at_risk = [count for count in map(count_of, counts) if count is not None]
    is_each = len(at_risk) == len(counts) == len(place.entries)
    falling = sorted(at_risk, reverse=True)
    steps = [a - b for a, b in pairwise([*falling, 0])]
    if not is_each or at_risk != falling or any(0 < step < cell for step in steps):
        remedy = f"Sum over intervals that at least {cell} records leave; the score needs no sums."
        context.refuse("step_below_cell", share.path, remedy)


def judge_residual_df(context: Context, places: list[Place]) -> None:
    """Check the degrees of freedom that models leave."""
    least, path = context.floors.residual_df, places[0].share.path
    leaves = [leaf for place in places for leaf in place.leaves if leaf is not None]
    if len(leaves) > FEW_NUMBERS or any(count_of(leaf) is None for leaf in leaves):
        remedy = f"Send degrees of freedom of at most {FEW_NUMBERS} models, as whole numbers."
        context.refuse("not_degrees_of_freedom", path, remedy)
    elif any(leaf < least for leaf in leaves):
        remedy = f"Leave at least {least} records more than parameters."
        context.refuse("too_few_degrees_of_freedom", path, remedy)
