"""The counts of records in an answer, by which two answers can be compared.

SECURITY: two answers about almost the same records differ by the few records that one of them has
more. So the counts of an answer are compared with those of earlier ones.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from vantage6.common.cards import Function, Steps, TooMuch
from vantage6.common.disclosure.shares.numbers import count_of
from vantage6.common.disclosure.shares.places import Answer, Key, Place

#: Looks at entries of one answer, at most.
_MOST_STEPS = 2_000_000
#: An answer with more counts is no aggregate.
MOST_COUNTS = 20_000
_COLUMNS = frozenset({"column", "columns", "formula", "weights"})
_TABLES = frozenset({"frequency_table", "histogram"})


class TooManyCounts(Exception):
    """An answer has more counts than are compared."""


def find_counts(document: Any, function: Function) -> dict[str, int]:
    """Return the counts of an answer by their places; of a table, the sum of its cells.

    Raises
    ------
    TooManyCounts
        If there are more than are compared.
    """
    try:
        answer = Answer(document, function.shares, Steps(_MOST_STEPS))
    except TooMuch as error:
        raise TooManyCounts from error
    found: dict[str, int] = {}
    for place in answer.places:
        if place.share.class_ == "count":
            found.update(_single(place))
        elif place.share.class_ in _TABLES and not place.share.cumulative:
            found.update(_whole(place))
        if len(found) > MOST_COUNTS:
            raise TooManyCounts
    return found


def _single(place: Place) -> dict[str, int]:
    entries = ((key, count_of(value)) for key, value in place.entries)
    return {_name((*place.keys, key)): count for key, count in entries if count is not None}


def _whole(place: Place) -> dict[str, int]:
    counts = [count_of(leaf) for leaf in place.leaves]
    known = [count for count in counts if count is not None]
    if place.key is not None or len(known) < len(counts):
        return {}
    return {_name((*place.keys, "+")): sum(known)}


def _name(keys: tuple[Key, ...]) -> str:
    return json.dumps(keys)


def name_columns(arguments: Mapping[str, Any], function: Function) -> str:
    """Return what stands for the columns of a question: those that its card calls columns.

    Answers about other columns lack other records, for missing values. So answers are compared
    where function and columns are the same.
    """
    described = function.arguments["properties"]
    named = {
        name: value
        for name, value in arguments.items()
        if isinstance(schema := described.get(name), dict) and schema.get("x-is") in _COLUMNS
    }
    return digest_of(named)


def digest_of(value: Any) -> str:
    """Return a hash of arguments; the same for the same ones in another order of their names."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=repr)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
