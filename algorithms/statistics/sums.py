"""Sums that do not depend on the order of organizations, and matrices as numbers of a payload."""

import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def total(values: Iterable[float]) -> float:
    """Return a sum that is rounded once (Shewchuk 1997), in any order."""
    return math.fsum(values)


def total_of(array: Array) -> float:
    """Return the sum of the numbers of an array, rounded once."""
    return math.fsum(array.ravel().tolist())


def add(parts: Sequence[Any]) -> Any:
    """Add what organizations sent, number by number, through lists and mappings.

    All parts have the same form. A number that one of them withheld (None) is None in the sum.
    """
    first = parts[0]
    if isinstance(first, dict):
        return {key: add([part[key] for part in parts]) for key in first}
    if isinstance(first, list):
        return [add(list(items)) for items in zip(*parts, strict=True)]
    if None in parts:
        return None
    if all(isinstance(part, int) for part in parts):
        return sum(parts)
    return math.fsum(parts)


def triangle(matrix: Array) -> list[float]:
    """Return the upper triangle of a symmetric matrix, row by row: p(p+1)/2 numbers."""
    rows, columns = _upper(matrix.shape[0])
    numbers: list[float] = matrix[rows, columns].tolist()
    return numbers


@cache
def _upper(size: int) -> tuple[Any, Any]:
    """Return the places of an upper triangle; a Cox model asks for them at each time."""
    return np.triu_indices(size)


def square(numbers: Sequence[float]) -> Array:
    """Return the symmetric matrix of an upper triangle."""
    size = (math.isqrt(8 * len(numbers) + 1) - 1) // 2
    matrix = np.zeros((size, size))
    rows, columns = _upper(size)
    matrix[rows, columns] = numbers
    matrix[columns, rows] = numbers
    return matrix


def product_total(left: Array, right: Array) -> Array:
    """Return a matrix product in which each number is a sum rounded once.

    For the few small products of a central function where terms of very different size cancel.
    """
    columns = right if right.ndim == 2 else right[:, None]
    result = np.array(
        [[math.fsum((row * column).tolist()) for column in columns.T] for row in left]
    ).reshape(left.shape[0], columns.shape[1])
    return result if right.ndim == 2 else result[:, 0]
