"""Columns that must be dropped, and coordinates in which a sum of squares is the identity.

The pair of a sum over organizations and a change of basis for the next round is CholeskyQR2
(Yamamoto, Nakatsukasa, Yanagisawa & Fukaya 2015, ETNA 44) spread over sites: its error grows with
the condition of the columns, and not with its square.
"""

import math
from dataclasses import dataclass

import numpy as np

from vantage6.algorithms.statistics.sums import Array

#: A column with this share of its sum of squares left after the intercept is constant.
CONSTANT = 1e-13
#: A column with this share left after the columns before it is collinear.
COLLINEAR = 1e-11


@dataclass(frozen=True)
class Whitening:
    """Basis of the kept columns, and why others were dropped."""

    #: p x k; X @ basis has nearly orthonormal columns. Rows of dropped columns are zero.
    basis: Array
    #: Index of column -> "constant", "collinear" or "empty".
    dropped: dict[int, str]

    @property
    def kept(self) -> list[int]:
        """Columns that stay, in order."""
        return [j for j in range(self.basis.shape[0]) if j not in self.dropped]


def cholesky(matrix: Array) -> Array | None:
    """Return R with RᵀR = matrix, by way of the unit-diagonal form; None if it has none."""
    scale = np.sqrt(np.diag(matrix).clip(min=0))
    if not np.all(np.isfinite(matrix)) or np.any(scale <= 0):
        return None
    try:
        lower = np.linalg.cholesky(matrix / np.outer(scale, scale))
    except np.linalg.LinAlgError:
        return None
    upper: Array = lower.T * scale
    return upper


def invert_upper(upper: Array) -> Array:
    """Return the inverse of an upper triangular matrix by back substitution."""
    size = upper.shape[0]
    inverse = np.zeros_like(upper)
    for j in range(size):
        inverse[j, j] = 1 / upper[j, j]
        for i in range(j - 1, -1, -1):
            inverse[i, j] = -(upper[i, i + 1 : j + 1] @ inverse[i + 1 : j + 1, j]) / upper[i, i]
    return inverse


def whiten(cross: Array, intercept: int | None, spread: Array | None = None) -> Whitening:
    """Choose the columns that stay, and return the basis for the next round.

    Parameters
    ----------
    cross
        Cross-products of all columns (p x p), in squared units of the columns.
    intercept
        Which column is the constant, if one is; it is swept out of the others first.
    spread
        Sum of squares of each column that is no more than rounding, where the cross-products
        are already free of the intercept (Cox).
    """
    size = cross.shape[0]
    raw = np.diag(cross)
    dropped = {j: "empty" for j in range(size) if not raw[j] > 0}
    free = [j for j in range(size) if j != intercept and j not in dropped]
    if intercept in dropped:
        intercept = None
    swept = cross
    if intercept is not None:
        swept = cross - np.outer(cross[intercept], cross[intercept]) / raw[intercept]
    kept: list[int] = []
    upper = np.zeros((size, size))
    for j in free:
        left = swept[j, j]
        noise = float(spread[j]) if spread is not None else CONSTANT * raw[j]
        if (intercept is not None or spread is not None) and left <= noise:
            dropped[j] = "constant"
            continue
        count = len(kept)
        column = np.zeros(count)
        for position, i in enumerate(kept):
            unit = swept[i, j] / math.sqrt(swept[i, i] * left)
            before = upper[:position, position] @ column[:position]
            column[position] = (unit - before) / upper[position, position]
        pivot = 1 - column @ column
        if pivot <= COLLINEAR:
            dropped[j] = "collinear"
            continue
        upper[:count, count] = column
        upper[count, count] = math.sqrt(pivot)
        kept.append(j)
    count = len(kept)
    factor = upper[:count, :count] * np.sqrt(np.diag(swept)[kept])
    return Whitening(_basis(factor, kept, cross, intercept), dropped)


def _basis(factor: Array, kept: list[int], cross: Array, intercept: int | None) -> Array:
    """Return the basis for the factor of the swept columns, with the intercept put back."""
    columns = kept
    if intercept is not None:
        root = math.sqrt(cross[intercept, intercept])
        full = np.zeros((len(kept) + 1, len(kept) + 1))
        full[0, 0] = root
        full[0, 1:] = cross[intercept, kept] / root
        full[1:, 1:] = factor
        factor, columns = full, [intercept, *kept]
    basis = np.zeros((cross.shape[0], len(columns)))
    if columns:
        basis[columns] = invert_upper(factor)
    return basis
