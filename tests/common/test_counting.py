"""By which counts two answers are compared."""

import pytest

from tests.common.outputs import function, share
from vantage6.common.disclosure.shares import counting
from vantage6.common.disclosure.shares.counting import TooManyCounts, find_counts, name_columns

GROUPS = (
    share("/rows", "count"),
    share("/g/*/n", "count"),
    share("/g/*/sum", "sum", "/g/*/n"),
    share("/t/*", "frequency_table"),
)


def test_counts_have_places_and_tables_their_sum() -> None:
    document = {"rows": 200, "g": {"a": {"n": 90, "sum": 1.5}, "b": {"n": None}}, "t": [90, 110]}
    assert find_counts(document, function(*GROUPS)) == {
        '["rows"]': 200,
        '["g", "a", "n"]': 90,
        '["t", "+"]': 200,
    }


def test_a_table_with_hidden_cells_has_no_sum() -> None:
    assert find_counts({"t": [90, None, None]}, function(*GROUPS)) == {}


def test_an_answer_with_too_many_counts_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_COUNTS", 10)
    document = {"g": {f"g{i}": {"n": 9} for i in range(11)}}
    with pytest.raises(TooManyCounts):
        find_counts(document, function(*GROUPS))


def test_columns_are_the_arguments_that_the_card_calls_so() -> None:
    described = function(
        share("/n", "count"),
        arguments={
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "column": {"type": "string", "x-is": "column"},
                "older_than": {"type": "number"},
            },
        },
    )
    one = name_columns({"column": "bmi", "older_than": 70}, described)
    assert one == name_columns({"older_than": 71, "column": "bmi"}, described)
    assert one != name_columns({"column": "age", "older_than": 70}, described)
