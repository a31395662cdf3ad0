"""What the columns of a model may not do together: choose a few records.

Each column alone keeps to the floors (`disclosure`). A sum of products of columns, or of a
combination of columns, may still belong to one record: ``I(x > 1) + I(x > 2)`` by subtraction.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from vantage6.algorithms.statistics import disclosure
from vantage6.algorithms.statistics.models.grammar import Expression
from vantage6.algorithms.statistics.sentences import Refused
from vantage6.algorithms.statistics.sums import Array
from vantage6.common.disclosure.floors import Floors

#: Largest part of one record in the squares of a combination of columns, at stations with a floor
#: of dominance; the same with the weights of a step.
MOST_LEVERAGE = 0.5
MOST_WEIGHTED = 0.9
#: The same at other stations, and where weights are those of risk sets: almost one record.
ALMOST_ALONE = 0.99
#: Records on which weights rest in each cell of two columns, (ΣW)²/ΣW², at least.
LEAST_IN_CELL = 2.0
#: Directions of the columns below this part of the largest are rounding.
ROUNDING = 1e-13
#: Functions that may be the same number for all records but those that a caller chose.
_CHOOSING = frozenset({"abs", "exp", "sqrt"})


@dataclass(frozen=True)
class Joint:
    """One column among others."""

    name: str
    values: Array
    #: Whether the caller chose which records stand out, by a comparison or the like.
    is_chosen: bool = False


def is_choosing(tree: ast.AST | None) -> bool:
    """Tell whether an expression may set apart records that its author chose."""
    return tree is not None and any(_chooses(node) for node in ast.walk(tree))


def _chooses(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in _CHOOSING
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return isinstance(node.right, ast.Constant) and node.right.value == 0.5
    return isinstance(node, ast.Compare)


def check_parts(factor: Expression, columns: Any, floors: Floors) -> None:
    """Refuse an expression with a part that sets few records apart.

    SECURITY: beside a large other part, ``1e6 * x + z * (x > 1)``, the whole looks smooth, and its
    low digits hold the record.
    """
    for part in _parts(factor.tree):
        values = Expression(factor.text, factor.columns, False, part, factor.quoted).numbers(
            columns
        )
        disclosure.check_product(factor.text, values, floors)


def _parts(tree: ast.expr | None) -> Iterator[ast.expr]:
    for node in ast.walk(tree) if tree is not None else ():
        is_part = isinstance(node, ast.Compare | ast.BinOp | ast.UnaryOp | ast.Call)
        if is_part and is_choosing(node):
            assert isinstance(node, ast.expr)  # noqa: S101 - one of the four above
            yield node


def check_joint(columns: list[Joint], floors: Floors) -> None:
    """Refuse columns of which two together set few records apart, or any number of them by sums.

    SECURITY: the cross-products of a model hold the table of each pair of columns, and the sums
    of the outcome those of every combination. Columns as they are at the station are not asked
    for the table of pairs: a caller cannot move the border of their groups.
    """
    if floors.cell <= 1 or not any(column.is_chosen for column in columns):
        return
    matrix, is_asked = _sides(columns, floors)
    together = matrix.T @ matrix
    small = (together > 0) & (together < floors.cell) & is_asked
    names = ", ".join(column.name for column in columns if column.is_chosen)
    if small.any():
        raise Refused("small_cell", column=names, cell=floors.cell)
    # A combination that is 0 but for k records gives one of them 1/k of its squares, or more.
    if leverage(np.column_stack([np.ones(len(matrix)), matrix])) > 1 / floors.cell + 1e-9:
        raise Refused("small_cell", column=names, cell=floors.cell)


def check_joint_weights(columns: list[Joint], weights: Array, floors: Floors) -> None:
    """Refuse weights that rest on one record within a cell of the table of two columns.

    SECURITY: steep weights act as a third comparison, and an entry of the information is their sum
    over the cell.
    """
    if floors.cell <= 1 or not any(column.is_chosen for column in columns) or not len(weights):
        return
    matrix, is_asked = _sides(columns, floors)
    scaled = weights / weights.max()
    sums = matrix.T @ (scaled[:, None] * matrix)
    squares = matrix.T @ (scaled[:, None] ** 2 * matrix)
    if np.any(is_asked & (sums**2 < LEAST_IN_CELL * squares)):
        raise Refused("concentrated", effective=floors.effective)


def _sides(columns: list[Joint], floors: Floors) -> tuple[Array, Any]:
    """Return the patterns of columns (n x k), and which pairs of them a caller chose."""
    found = [(p, c.is_chosen) for c in columns for p in _patterns(c.values, floors)]
    count = len(columns[0].values)
    matrix = np.array([pattern for pattern, _ in found], np.float64).reshape(len(found), count).T
    marks = np.array([is_chosen for _, is_chosen in found], bool)
    return matrix, marks[:, None] | marks[None, :]


def _patterns(values: Array, floors: Floors) -> list[Any]:
    """Return which records differ from the most frequent value; of two values, both sides."""
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) < 2 or counts.max() < floors.cell:
        return []
    others = values != distinct[counts.argmax()]
    return [others, ~others] if len(distinct) == 2 else [others]


def check_leverage(matrix: Array, floors: Floors) -> None:
    """Refuse columns with a combination that is mostly one record.

    SECURITY: a caller chooses the combination (basis), after the fact as well: coefficients are
    one. The leverage of a record is the largest part it has in the squares of any of them.
    """
    if floors.cell <= 1 or not matrix.size:
        return
    most = ALMOST_ALONE if floors.dominance is None else MOST_LEVERAGE
    if leverage(matrix) > most + 1e-9:
        raise Refused("concentrated", effective=floors.effective)


def check_weighted(
    matrix: Array, weights: Array, floors: Floors, most: float = MOST_WEIGHTED
) -> None:
    """Refuse weights with which a combination of columns is mostly one record.

    SECURITY: weights of a few records, and a combination that is 0 for all of them but one.
    """
    if floors.cell <= 1 or floors.dominance is None or not matrix.size:
        return
    if leverage(matrix, weights) > most + 1e-9:
        raise Refused("concentrated", effective=floors.effective)


def leverage(matrix: Array, weights: Array | None = None) -> float:
    """Return the largest diagonal element of the projection on the columns."""
    weighted = matrix if weights is None else matrix * np.sqrt(weights)[:, None]
    scale = np.sqrt(np.sum(weighted**2, axis=0))
    weighted = weighted[:, scale > 0] / scale[scale > 0]
    if not weighted.size or not np.all(np.isfinite(weighted)):
        return 0.0
    q, r = np.linalg.qr(weighted)
    left, sizes, _ = np.linalg.svd(r)
    directions = q @ left[:, : len(sizes)][:, sizes > ROUNDING * sizes.max()]
    return float(np.sum(directions**2, axis=1).max())
