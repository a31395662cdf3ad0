"""Centre numeric factors before products are formed, and take the answer back (N1).

A column scale·K·Π fᵢ, K its categorical part, is built as scale·K·Π(fᵢ - cᵢ) if the difference is
a combination of other columns of the model. Everyone decides alike from formula and levels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from vantage6.algorithms.statistics.models.design import Column, Design, product_name
from vantage6.algorithms.statistics.sums import Array

#: A categorical part with this share outside the span lies outside.
OUTSIDE = 1e-9

Coefficients = dict[int, float]


@dataclass(frozen=True)
class Centring:
    """How each column is built, and the way back."""

    #: For each column "factor", "mean" or "raw".
    how: list[str]
    #: For each "factor" column: left-out factors -> columns that make up the rest.
    spans: dict[int, dict[frozenset[str], Coefficients]]
    #: The constant in terms of columns, or None if it is not in their span.
    constant: Coefficients | None

    def way_back(self, design: Design, centres: Mapping[str, float]) -> Array:
        """Return M (p x p) with centred columns = columns @ M, so coefficients = M @ centred."""
        matrix = np.eye(design.size)
        for j, column in enumerate(design.columns):
            if self.how[j] == "mean":
                _add(matrix, j, self.constant or {}, -column.scale * _centre(column, centres))
            for left_out, coefficients in self.spans.get(j, {}).items():
                factor = 1.0
                for name in sorted(left_out):
                    factor *= -centres[name]
                _add(matrix, j, coefficients, factor)
        return matrix


def _centre(column: Column, centres: Mapping[str, float]) -> float:
    return centres[product_name(column.numeric)]


def _add(matrix: Array, j: int, coefficients: Coefficients, factor: float) -> None:
    for i, coefficient in coefficients.items():
        matrix[i, j] += coefficient * factor


def plan(design: Design) -> Centring:
    """Return how the columns of a design are centred."""
    by_rest: dict[frozenset[str], list[int]] = {}
    for j, column in enumerate(design.columns):
        by_rest.setdefault(column.numeric, []).append(j)
    one = Column("", frozenset(), 1.0, {})
    constant = _span(one, frozenset(), design, by_rest)
    how: list[str] = []
    spans: dict[int, dict[frozenset[str], Coefficients]] = {}
    for j, column in enumerate(design.columns):
        found: dict[frozenset[str], Coefficients] = {}
        for size in range(len(column.numeric)):
            for names in combinations(sorted(column.numeric), size):
                rest = frozenset(names)
                coefficients = _span(column, rest, design, by_rest)
                if coefficients is not None:
                    found[column.numeric - rest] = coefficients
        if not column.numeric:
            how.append("raw")
        elif len(found) == 2 ** len(column.numeric) - 1:
            how.append("factor")
            spans[j] = found
        else:
            how.append("mean" if not column.coding and constant is not None else "raw")
    return Centring(how, spans, constant)


def _span(
    column: Column, rest: frozenset[str], design: Design, by_rest: dict[frozenset[str], list[int]]
) -> Coefficients | None:
    """Return the columns with this rest that make up the categorical part of a column."""
    candidates = by_rest.get(rest, [])
    for i in candidates:
        other = design.columns[i]
        if _is_same(other.coding, column.coding):
            return {i: column.scale / other.scale}
    baseline = design.has_baseline and not rest
    if baseline and not column.coding:
        return {}
    columns = [design.columns[i] for i in candidates]
    if baseline:
        columns.append(Column("", frozenset(), 1.0, {}))
    if not columns:
        return None
    # The inner products over all combinations of levels are products of those of each category.
    gram = np.array([[_inner(a, b, design) for b in columns] for a in columns])
    right = np.array([_inner(a, column, design) for a in columns])
    length = _inner(column, column, design)
    solution = np.linalg.lstsq(gram, right, rcond=1e-12)[0]
    if length - solution @ right > OUTSIDE * length:
        return None
    solution = np.where(
        np.abs(solution - np.round(solution)) < OUTSIDE, np.round(solution), solution
    )
    return {i: float(a) for i, a in zip(candidates, solution, strict=False) if a != 0}


def _is_same(left: Mapping[str, Array], right: Mapping[str, Array]) -> bool:
    return left.keys() == right.keys() and all(
        np.array_equal(left[name], right[name]) for name in left
    )


def _inner(left: Column, right: Column, design: Design) -> float:
    result = left.scale * right.scale
    for name in left.coding.keys() | right.coding.keys():
        ones = np.ones(len(design.levels[name]))
        product = left.coding.get(name, ones) * right.coding.get(name, ones)
        result *= float(product.mean())
    return result
