"""Long lists that are no list of records: matrices, where the card of an image says so.

SECURITY: the author of a card is not trusted. So a list is only taken for a matrix if it has the
length and the signs of one: p (p + 1) / 2 numbers of a matrix that is a sum of squares, and no more
columns than the floors of the station allow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

from vantage6.common.disclosure.floors import Floors
from vantage6.common.disclosure.shares.pairs import are_pairs

_CLASSES = frozenset({"cross_product", "information_matrix"})
_FLAGS = frozenset({"status"})
#: Columns beside the parameters: outcome and constant.
_OTHERS = 2
#: Columns of a matrix whose signs are looked at.
_MOST_COLUMNS = 250
#: How far below zero rounding can bring the smallest eigenvalue, as a share of the largest.
_ROUNDING = 1e-8


@dataclass(frozen=True, slots=True)
class Matrices:
    """The places of an output where a list may be a matrix."""

    paths: tuple[str, ...] = ()
    parameters: float | None = None
    #: The places where a list may be flags of pairs.
    flags: tuple[str, ...] = ()

    @classmethod
    def of(cls, card: dict[str, Any] | None, function: str | None, floors: Floors) -> "Matrices":
        """Return what the card of an image says of a partial function."""
        shares = [
            (share["path"].removesuffix("/*"), share["class"])
            for described in (card or {}).get("functions", ())
            if described["name"] == function and described["kind"] == "partial"
            for share in described.get("shares", ())
        ]
        return cls(
            tuple(path for path, class_ in shares if class_ in _CLASSES),
            floors.parameters,
            tuple(path for path, class_ in shares if class_ in _FLAGS),
        )

    def holds_flags(self, path: str, flags: Sequence[bool]) -> bool:
        """Tell whether a list is of flags for each pair of points."""
        return any(_fits(pattern, path) for pattern in self.flags) and are_pairs(flags)

    def holds(self, path: str, numbers: Sequence[float], rows: int) -> bool:
        """Tell whether a list is a matrix.

        Parameters
        ----------
        path
            JSON pointer of the list.
        numbers
            The upper triangle, row by row.
        rows
            Records of the data.
        """
        columns = (isqrt(8 * len(numbers) + 1) - 1) // 2
        most = rows if self.parameters is None else int(self.parameters * rows) + _OTHERS
        return (
            any(_fits(pattern, path) for pattern in self.paths)
            and 0 < columns <= min(most, _MOST_COLUMNS)
            and columns * (columns + 1) // 2 == len(numbers)
            and _is_sum_of_squares(numbers, columns)
        )


def _fits(pattern: str, path: str) -> bool:
    wanted, found = pattern.split("/"), path.split("/")
    return len(wanted) == len(found) and all(
        one in ("*", other) for one, other in zip(wanted, found, strict=True)
    )


def _is_sum_of_squares(numbers: Sequence[float], columns: int) -> bool:
    import numpy as np

    matrix = np.zeros((columns, columns))
    matrix[np.triu_indices(columns)] = numbers
    diagonal = np.diagonal(matrix).copy()
    if not np.isfinite(matrix).all() or (diagonal < 0).any():
        return False
    # In units of the diagonal, so that columns of very different size count alike.
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    whole = (matrix + matrix.T - np.diag(diagonal)) / scale / scale[:, None]
    values = np.linalg.eigvalsh(whole)
    return bool(values[0] >= -_ROUNDING * max(values[-1], 1.0))
