"""Rules for what is no number of the data: texts, flags, and what a caller gave.

An image that wants to send records calls them so. These rules bound how much it can send.
"""

from itertools import pairwise
from typing import Any

from vantage6.common.disclosure.shares.context import Context
from vantage6.common.disclosure.shares.counts import sequences
from vantage6.common.disclosure.shares.numbers import count_of, digits_of, is_number
from vantage6.common.disclosure.shares.pairs import FEW_FLAGS, are_pairs
from vantage6.common.disclosure.shares.places import Place

#: Longest texts: a sentence, a word, a key.
LONGEST_TEXT = 1_000
LONGEST_WORD = 100
LONGEST_KEY = 200
#: The most texts of one share where the station sets no bound for levels.
MOST_TEXTS = 40
#: The most numbers of one share that are no numbers of the data.
MOST_PARAMETERS = 200
_LARGEST_STATUS = 10_000


def judge_texts(context: Context, places: list[Place]) -> None:
    """Check texts: few of them, none long."""
    path, distinct = places[0].share.path, set()
    for leaf in (leaf for place in places for leaf in place.leaves if leaf is not None):
        if not isinstance(leaf, str) or len(leaf) > LONGEST_TEXT:
            remedy = f"Send texts of at most {LONGEST_TEXT} characters."
            context.refuse("not_a_text", path, remedy)
            return
        distinct.add(leaf)
    _judge_number_of_texts(context, path, distinct)


def judge_status(context: Context, places: list[Place]) -> None:
    """Check flags and words; a number only where the card names one place for it."""
    share, words = places[0].share, set()
    for place in places:
        flags = [leaf for leaf in place.leaves if isinstance(leaf, bool)]
        if len(flags) > FEW_FLAGS and not (len(flags) == len(place.leaves) and are_pairs(flags)):
            remedy = f"Send at most {FEW_FLAGS} flags in a list, or one for each pair of points."
            context.refuse("too_many_flags", share.path, remedy)
    leaves = [leaf for place in places for leaf in place.leaves]
    are_many = "*" in share.path or len(leaves) > 1
    for leaf in leaves:
        if leaf is None or isinstance(leaf, bool):
            continue
        if isinstance(leaf, str) and len(leaf) <= LONGEST_WORD:
            words.add(leaf)
            continue
        count = None if are_many else count_of(leaf)
        if count is None or count > _LARGEST_STATUS:
            remedy = "Declare numbers and longer texts with the class that they have."
            context.refuse("not_a_status", share.path, remedy)
            return
    _judge_number_of_texts(context, share.path, words)


def _judge_number_of_texts(context: Context, path: str, texts: set[str]) -> None:
    most = context.floors.levels
    if most is not None and len(texts - context.question.texts) > most:
        context.refuse("too_many_texts", path, f"Send at most {most} different texts.")


def judge_parameters(context: Context, places: list[Place]) -> None:
    """Check numbers that are none of the data.

    SECURITY: many of them are what the question or the station says, have one digit, or are
    positions in a list of the question. So records that are declared as parameters do not pass.
    """
    share = places[0].share
    leaves = [leaf for place in places for leaf in place.leaves if leaf is not None]
    # SECURITY: a path without `*` can lead to a list.
    are_many = "*" in share.path or len(leaves) > 1
    remedy = "Declare numbers of the data with the class that they have."
    if any(not is_number(leaf) and not isinstance(leaf, bool) for leaf in leaves):
        context.refuse("not_a_parameter", share.path, remedy)
    elif share.cumulative and are_many:
        numbers = context.question.numbers
        most = None if numbers is None else len(numbers)
        if not all(_are_positions(found, most) for _, found in sequences(places)):
            context.refuse("not_a_parameter", share.path, remedy)
    elif are_many:
        known = set(context.question.numbers or ())
        known |= {float(value) for value in context.floors.to_json().values() if is_number(value)}
        others = [leaf for leaf in leaves if not isinstance(leaf, bool) and leaf not in known]
        if len(others) > MOST_PARAMETERS or any(digits_of(leaf) > 1 for leaf in others):
            context.refuse("not_a_parameter", share.path, remedy)


def _are_positions(values: list[Any], most: int | None) -> bool:
    """Tell whether numbers are rising places in a list with at most so many entries."""
    places = [count for count in map(count_of, values) if count is not None]
    rises = len(places) == len(values) and all(a < b for a, b in pairwise(places))
    return rises and (most is None or max(places, default=-1) < most)


def judge_keys(context: Context) -> None:
    """Check the keys that the card does not name: texts of the question, or few.

    SECURITY: a key is a text like any other, and can hold a record.
    """
    most = context.floors.levels
    for path, keys in context.answer.keyed:
        strangers = [key for key in keys if key not in context.question.texts]
        if any(len(key) > LONGEST_KEY for key in strangers):
            context.refuse("long_key", path, f"Use keys of at most {LONGEST_KEY} characters.")
        if most is not None and len(strangers) > most:
            context.refuse("too_many_levels", path, f"Name at most {most} levels of a column.")
