"""How much an answer may hold under classes that are no numbers of the data.

An image and a question that know of each other can agree on what stands for a record: the number
51234 of a question, one of two words, an empty list, a null. So the length of what names no data is
bounded, whatever its values are.
"""

from typing import Any

import pytest

from tests.common.outputs import function, share
from vantage6.common.disclosure.floors import PRESETS, Floors
from vantage6.common.disclosure.shares import Question, judge_shares
from vantage6.common.disclosure.verdicts import Verdict

#: The records that an image would send: as numbers, and as bits.
_RECORDS = [(number * 7919) % 90_000 + 1000 for number in range(4_000)]
_BITS = [number % 3 == 0 for number in _RECORDS]
_NUMBERS = list(range(100_000))
_WORDS = [f"w{number}" for number in range(2000)]
_KNOWN = Question.of({"numbers": _NUMBERS, "words": _WORDS})
_FOUR = [51_234, 83, 70, 1]


def _parts(values: list[Any], length: int) -> list[list[Any]]:
    return [values[first : first + length] for first in range(0, len(values), length)]


#: Name, path, class, and document; each holds thousands of records or bits.
MESSAGES: list[tuple[str, str, str, Any]] = [
    ("numbers that the question named", "/x/*", "parameter", {"x": _FOUR * 1000}),
    ("records that the question named", "/x/*", "parameter", {"x": _RECORDS}),
    ("one such number in each list", "/x/*/*", "parameter", {"x": _parts(_RECORDS, 1)}),
    ("flags as parameters", "/x/*", "parameter", {"x": _BITS}),
    ("nulls between parameters", "/x/*", "parameter", {"x": [1 if b else None for b in _BITS]}),
    ("words that the question named", "/x/*", "text", {"x": [_WORDS[r % 2000] for r in _RECORDS]}),
    ("two words as texts", "/x/*", "text", {"x": ["a" if bit else "b" for bit in _BITS]}),
    ("two words as a status", "/x/*", "status", {"x": ["a" if bit else "b" for bit in _BITS]}),
    ("few flags in many lists", "/x/*/*", "status", {"x": _parts(_BITS, 40)}),
    ("flags or nulls", "/x/*", "status", {"x": [True if b else None for b in _BITS]}),
    ("pairs in many lists", "/x/*/*", "status", {"x": [[b] * 45 for b in _BITS]}),
    ("words as names", "/x/*/*", "status", {"x": [{_WORDS[r % 2000]: True} for r in _RECORDS]}),
    ("empty lists and objects", "/x/*", "count", {"x": [[] if bit else {} for bit in _BITS]}),
    ("empty lists beside a count", "/n", "count", {"n": 9, "x": [[] if b else {} for b in _BITS]}),
    ("zeros of a table", "/x/*", "histogram", {"x": [0] * 9999 + [9] + [0] * 10_000}),
    ("nulls between sums", "/x/*", "extreme", {"x": [None] * 20_000}),
    ("names as keys in many places", "/x/*/*", "count", {"x": [{f"p{r}": 9} for r in _RECORDS]}),
]


@pytest.mark.parametrize(
    ("path", "class_", "document"), [one[1:] for one in MESSAGES], ids=[one[0] for one in MESSAGES]
)
@pytest.mark.parametrize("preset", ["default", "datashield", "sacro"])
def test_a_message_under_a_class_of_no_data_does_not_leave(
    path: str, class_: str, document: Any, preset: str
) -> None:
    card = function(share(path, class_))
    for question in (_KNOWN, Question.of({})):
        judged = judge_shares(document, card, PRESETS[preset], question)
        assert judged.verdict in (Verdict.HELD, Verdict.REFUSED)


def test_a_message_does_not_leave_where_levels_have_no_bound() -> None:
    card = function(share("/x/*", "text"))
    document = {"x": ["a" if bit else "b" for bit in _BITS]}
    assert judge_shares(document, card, Floors(levels=None)).verdict is Verdict.HELD


def test_positions_are_as_few_as_the_records_allow() -> None:
    card = function(share("/x/*", "parameter", cumulative=True))
    question = Question.of({"edges": _NUMBERS[:500]}, rows=200)
    for positions, verdict in ((40, Verdict.PASS), (41, Verdict.HELD)):
        judged = judge_shares({"x": list(range(positions))}, card, Floors(), question)
        assert judged.verdict is verdict


def test_positions_in_a_list_that_is_too_long_are_held() -> None:
    card = function(share("/x/*", "parameter", cumulative=True))
    document = {"x": [5, 51_234, 90_000]}
    assert judge_shares(document, card, Floors(), _KNOWN).verdict is Verdict.HELD


def test_positions_in_very_many_lists_are_held() -> None:
    card = function(share("/x/*/*", "parameter", cumulative=True))
    question = Question.of({"edges": _NUMBERS[:100]})
    document = {"x": [[0, 3, 9]] * 200}
    assert judge_shares(document, card, Floors(), question).verdict is Verdict.HELD


def test_a_list_of_the_question_may_be_repeated_as_it_is() -> None:
    card = function(share("/edges/*", "parameter"))
    edges = [number * 1.25 for number in range(400)]
    question = Question.of({"edges": edges})
    assert judge_shares({"edges": edges}, card, Floors(), question).findings == ()
    turned = judge_shares({"edges": edges[::-1]}, card, Floors(), question)
    assert turned.verdict is Verdict.HELD


def test_flags_of_pairs_and_a_short_status_of_each_column_leave() -> None:
    card = function(share("/allowed/*", "status"), share("/kinds/*", "status"))
    document = {"allowed": [True] * 31_125, "kinds": {f"c{i}": "numeric" for i in range(40)}}
    assert judge_shares(document, card, Floors(), Question.of({})).findings == ()


def test_a_larger_table_may_have_more_words() -> None:
    card = function(share("/g/*/*/kind", "status"))
    columns = {f"c{i}": {"kind": "numeric"} for i in range(30)}
    document = {"g": {level: columns for level in "abcdefghij"}}
    question = Question.of({"columns": list(columns)}, rows=200)
    assert judge_shares(document, card, Floors(), question).verdict is Verdict.HELD
    question = Question.of({"columns": list(columns)}, rows=1000)
    assert judge_shares(document, card, Floors(), question).findings == ()


def test_a_station_of_public_data_bounds_no_length() -> None:
    card = function(share("/x/*", "parameter"))
    question = Question.of({"numbers": _NUMBERS})
    assert judge_shares({"x": _RECORDS}, card, PRESETS["open"], question).findings == ()


@pytest.mark.parametrize("class_", ["parameter", "status"])
def test_a_list_at_a_path_for_one_number_is_a_list(class_: str) -> None:
    card = function(share("/x", class_))
    judged = judge_shares({"x": [63, 71, 54]}, card, Floors(), Question.of({}))
    assert judged.verdict is Verdict.REFUSED
    assert judge_shares({"x": 63}, card, Floors(), Question.of({})).findings == ()


def test_a_question_of_many_words_allows_no_list_of_many_counts() -> None:
    card = function(share("/x/*", "count"))
    judged = judge_shares({"x": [51, 83, 70, 19] * 100}, card, Floors(), _KNOWN)
    assert judged.verdict is Verdict.REFUSED
