"""What the sketch says of the sum of a column."""

import numpy as np
import pytest

from vantage6.common.disclosure.shares import ColumnTotals
from vantage6.common.disclosure.shares.dominance import is_dominated
from vantage6.node.sketch.totals import Totals, read_totals


def totals(*parts: list[float]) -> list[float] | None:
    found = Totals()
    for part in parts:
        found.add(np.array(part, np.float64))
    return found.to_json()


def test_parts_add_up() -> None:
    assert totals([3, 1, 9], [7], [2, 8]) == [6, 30.0, 9.0, 8.0]
    assert totals([3, 1, 9, 7, 2, 8]) == [6, 30.0, 9.0, 8.0]


@pytest.mark.parametrize("values", [[0, 1, 1, 0], [-1, 5, 7], [4, 4, 4]])
def test_flags_and_columns_with_negative_numbers_have_none(values: list[float]) -> None:
    assert totals(values) is None


def test_they_are_read_back_by_name() -> None:
    found = read_totals({"totals": {"income": totals([1e6, *range(1, 99)])}})
    assert found == {"income": ColumnTotals(99, 1e6 + 4851, 1e6, 98.0)}
    assert is_dominated(found["income"], 0.90)
    assert not is_dominated(ColumnTotals(99, 4851.0, 98.0, 97.0), 0.90)
