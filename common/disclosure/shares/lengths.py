"""How much an answer may hold: the length of its lists, and not their values.

SECURITY: an image and a question can agree on what stands for a record: a number that the question
names, one of two words, a null, an empty list. The other rules look at values, and each such value
is one that they let pass. So a person looks at what is long.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from vantage6.common.disclosure.outputs import UNKNOWN_LIST
from vantage6.common.disclosure.shares.context import Context, Question
from vantage6.common.disclosure.shares.counts import MOST_CELLS, sequences
from vantage6.common.disclosure.shares.pairs import are_pairs
from vantage6.common.disclosure.shares.places import Place

#: Values of one share that are few beside any data.
FEW_VALUES = 200
#: Words and flags of one share, also of large data.
_MOST_WORDS = 1000
#: Entries of a list of the question to which the positions of an answer can lead.
_LONGEST_NAMED = 1000
#: Lists of positions: one for each column that is asked about.
_MOST_LISTS = 50
#: All positions of one share.
_MOST_POSITIONS = 20_000
#: Different keys at one path of the card that the question does not name.
_MOST_KEYS = 1000

_WORDS = frozenset({"text", "status"})
_TABLES = frozenset({"frequency_table", "histogram", "survival_table"})
_SINGLE = frozenset({"count", "sum", "mean", "variance", "quantile"})

_RULE = "too_many_values"
_REMEDY = "Send at most {most} values here, or ask the station."


def judge_lengths(context: Context, shares: Iterable[list[Place]]) -> None:
    """Hold an answer that is longer than an aggregate of the station's data.

    Parameters
    ----------
    context
        The answer.
    shares
        The places of each share.
    """
    if context.floors.cell <= 1:
        return
    for places in shares:
        _judge_share(context, places)
    if _count_empty(context.answer.document) > FEW_VALUES:
        _hold(context, "", FEW_VALUES)
    strangers: dict[str, set[str]] = {}
    for path, keys in context.answer.keyed:
        strangers.setdefault(path, set()).update(set(keys) - context.question.texts)
    for path, names in strangers.items():
        if len(names) > _MOST_KEYS:
            _hold(context, path, _MOST_KEYS)


def _judge_share(context: Context, places: list[Place]) -> None:
    share, question = places[0].share, context.question
    if share.class_ == "parameter" and share.cumulative:
        _judge_positions(context, places)
        return
    if share.class_ == "parameter":
        most, length = FEW_VALUES, _length_beside_echoes(question, places)
    elif share.class_ in _WORDS:
        most, length = min(most_values(question), _MOST_WORDS), _length_beside_pairs(places)
    elif share.class_ in _TABLES:
        most, length = MOST_CELLS, sum(len(place.leaves) for place in places)
    elif share.class_ in _SINGLE and not share.cumulative:
        most, length = most_values(question), sum(len(place.leaves) for place in places)
    else:
        most, length = FEW_VALUES, sum(place.leaves.count(None) for place in places)
    if length > most:
        _hold(context, share.path, most)


def most_values(question: Question) -> int:
    """Return how many values of one share are few beside the data: a third of its records."""
    beside = question.rows if question.people is None else question.people
    return UNKNOWN_LIST if beside is None else max(FEW_VALUES, beside // 3)


def _length_beside_echoes(question: Question, places: list[Place]) -> int:
    """Return how many numbers there are, where a list of the question counts as one."""
    lists = [values for _, values in sequences(places)]
    return sum(1 if tuple(values) in question.lists else len(values) for values in lists)


def _length_beside_pairs(places: list[Place]) -> int:
    """Return how many words and flags there are, beside the longest list of flags of pairs."""
    lists = [place.leaves for place in places]
    longest: Sequence[Any] = max(lists, key=len)
    is_of_pairs = all(isinstance(flag, bool) for flag in longest) and are_pairs(longest)
    return sum(map(len, lists)) - (len(longest) if is_of_pairs else 0)


def _judge_positions(context: Context, places: list[Place]) -> None:
    """Hold positions in a list of the question that are more than edges of groups."""
    path, rows = places[0].share.path, context.question.rows
    lists = [values for _, values in sequences(places)]
    # At least so many records as a cell has lie between two edges.
    longest = _LONGEST_NAMED if rows is None else min(_LONGEST_NAMED, rows // context.floors.cell)
    highest = max((value for values in lists for value in values if _is_whole(value)), default=0)
    if len(lists) > _MOST_LISTS:
        context.hold(_RULE, path, f"Send at most {_MOST_LISTS} lists here, or ask the station.")
    if max(map(len, lists)) > longest:
        _hold(context, path, longest)
    if sum(map(len, lists)) > _MOST_POSITIONS:
        _hold(context, path, _MOST_POSITIONS)
    if highest >= _LONGEST_NAMED:
        remedy = f"Ask about at most {_LONGEST_NAMED} edges at once, or ask the station."
        context.hold(_RULE, path, remedy)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _count_empty(document: Any) -> int:
    """Return how many lists and objects hold nothing."""
    found, stack = 0, [document]
    while stack:
        value = stack.pop()
        inner = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict | list):
            found += not value
            stack.extend(item for item in inner if isinstance(item, dict | list))
    return found


def _hold(context: Context, path: str, most: int) -> None:
    context.hold(_RULE, path, _REMEDY.format(most=most))
