"""Flags of pairs of points are no column of the data."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vantage6.common.disclosure.shares import pairs
from vantage6.common.disclosure.shares.pairs import are_pairs


def flags_of(counts: Sequence[int], cell: int) -> list[bool]:
    """Return which intervals of counts hold none, or at least `cell`."""
    totals = [sum(counts[:i]) for i in range(len(counts) + 1)]
    points = range(len(totals))
    return [not 0 < totals[j] - totals[i] < cell for i in points for j in points if j > i]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(2, 11))
def test_flags_of_intervals_are_pairs(counts: list[int], cell: int) -> None:
    assert are_pairs(flags_of(counts, cell))


@pytest.mark.parametrize("length", [200, 209, 210, 231])
def test_a_column_of_two_values_is_none(length: int) -> None:
    assert not are_pairs([number % 3 == 0 for number in range(length)])


def test_very_many_flags_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    assert are_pairs([True] * 10)
    monkeypatch.setattr(pairs, "MOST_FLAGS", 9)
    assert not are_pairs([True] * 10)
