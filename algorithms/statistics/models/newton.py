"""Newton's method over sums of organizations, in coordinates whitened anew each round."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vantage6.algorithms.statistics.models.preparation import Preparation
from vantage6.algorithms.statistics.models.whitening import (
    COLLINEAR,
    Whitening,
    cholesky,
    invert_upper,
)
from vantage6.algorithms.statistics.sums import Array, square

#: Steps in a row that hardly shrink, and by how much one has to.
STALLED_STEPS, SHRINK = 3, 0.9
#: A tolerance that doubles may not reach, and what a decrement is at most at a standstill.
ALL_DIGITS, STANDSTILL = 1e-14, 1e-9
#: Fall of the objective, as a share of the null model's, below which nothing is gained.
NO_GAIN = 1e-4


@dataclass
class Coordinates:
    """The current basis of the columns that stay, and the first one."""

    prepared: Preparation
    whitening: Whitening | None = None
    basis: Array = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def is_ready(self) -> bool:
        """Whether a first information matrix was seen."""
        return self.whitening is not None

    def as_list(self) -> list[list[float]] | None:
        """Return the basis for the next request."""
        return self.basis.tolist() if self.is_ready else None

    def update(self, info: list[float], spread: Array | None = None) -> Array | None:
        """Take in an information matrix; return the change of basis (k_old x k_new).

        None if the matrix is not positive: the columns became dependent at this estimate.
        """
        if self.whitening is None:
            self.whitening = self.prepared.whiten(info, spread)
            self.basis = self.whitening.basis
            return self.basis
        matrix = square(info)
        factor = cholesky(matrix)
        if factor is None or np.any(np.diag(factor) ** 2 <= COLLINEAR * np.diag(matrix)):
            return None
        change = invert_upper(factor)
        self.basis = self.basis @ change
        return change

    @property
    def rank(self) -> int:
        """Number of columns that stay."""
        return int(self.basis.shape[1])

    def first_length(self, step: Array) -> tuple[float, Array]:
        """Return the length of a step in the first information, and the share of each column."""
        assert self.whitening is not None  # noqa: S101 - the first round has been
        basis, kept = self.whitening.basis, self.whitening.kept
        coordinates = np.linalg.lstsq(basis[kept], step[kept], rcond=None)[0]
        variances = (basis**2).sum(axis=1)
        shares = np.zeros(len(step))
        shares[kept] = np.abs(step[kept]) / np.sqrt(variances[kept])
        return float(np.linalg.norm(coordinates)), shares


class Convergence:
    """Tells when to stop: at the tolerance, or, if that is out of reach, at a standstill.

    A standstill counts only where the caller asked for all digits there are.
    """

    def __init__(self, tolerance: float) -> None:
        self.tolerance = tolerance
        self._last = math.inf

    def is_reached(self, decrement: float) -> bool:
        """Take in the decrement of a round; tell whether its step is the last."""
        last, self._last = self._last, decrement
        if decrement <= self.tolerance:
            return True
        return self.tolerance <= ALL_DIGITS and decrement < STANDSTILL and decrement > last / 2


class Separation:
    """Notices that estimates run away without a gain (Albert & Anderson 1984)."""

    def __init__(self, null_objective: float) -> None:
        self._null = null_objective
        self._last: float | None = None
        self._stalled = 0

    def is_found(self, length: float, fall: float) -> bool:
        """Take in the length of a step and the fall of the objective; tell whether to stop."""
        if self._last is not None and length > SHRINK * self._last:
            self._stalled += 1
        else:
            self._stalled = 0
        self._last = length
        return self._stalled >= STALLED_STEPS and fall < NO_GAIN * self._null

    def terms(self, prepared: Preparation, shares: Array) -> str:
        """Return the names of the terms that run away."""
        names = [
            name
            for j, name in enumerate(prepared.design.names)
            if j != prepared.design.intercept and shares[j] >= 0.1 * shares.max()
        ]
        return ", ".join(names) or "Intercept"


def newton_direction(score: Array, observed: Array | None) -> Array:
    """Return the Newton step in whitened coordinates; the score where there is none."""
    if observed is not None:
        factor = cholesky(observed)
        if factor is not None:
            inverse = invert_upper(factor)
            direction: Array = inverse @ (inverse.T @ score)
            return direction
    return score


def transformed(matrix: Any, change: Array) -> Array:
    """Return a symmetric matrix, sent as its triangle, in the new coordinates."""
    result: Array = change.T @ square(matrix) @ change
    return result
