"""Waiting times between attempts."""

import random
from collections.abc import Iterator


def delays(first: float = 0.5, most: float = 30.0) -> Iterator[float]:
    """Yield seconds to wait, doubling from `first` up to `most`, for ever.

    Each is shortened by a random part: a thousand nodes that lost the same server must not
    come back in the same second.
    """
    bound = first
    while True:
        yield bound * random.uniform(0.5, 1.0)  # noqa: S311 (spreads load, hides nothing)
        bound = min(bound * 2, most)
