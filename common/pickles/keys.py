"""Which values may be a key of a dictionary, a member of a set, or a label of an index.

SECURITY: Python spreads texts by a secret, and small numbers well enough. Everything else a sender
can choose so that all fall on one another: then each costs as much as all before it. And the
hash of a tuple that holds another twice, which holds a third twice, takes for ever.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from vantage6.common.errors import PickleRefused

#: Integers of so many bits keep their value as their hash.
_SMALL = 2**60
_LARGE = 2**1024
_LONGEST_TEXT = 2**16
#: So many values may share a hash, as 1, 1.0 and True do.
_MOST_ALIKE = 50
#: So many values may stand in a key, in containers so deep.
_MOST_VALUES, _DEEPEST = 1000, 10
_SPREAD = frozenset({bool, float, type(None)})


def check(values: Iterable[Any]) -> None:
    """Refuse values that cannot be hashed without harm.

    Raises
    ------
    PickleRefused
        If there is one.
    """
    alike: Counter[int] = Counter()
    for value in values:
        kind = type(value)
        if kind is str or kind is bytes:
            if len(value) > _LONGEST_TEXT:
                raise PickleRefused("This pickle has a key that is too long, which is not allowed.")
        elif not (kind in _SPREAD or (kind is int and -_SMALL < value < _SMALL)):
            _weigh(value, _DEEPEST)
            number = hash(value)
            alike[number] += 1
            if alike[number] > _MOST_ALIKE:
                raise PickleRefused("This pickle has keys of one hash, which is not allowed.")


def _weigh(value: Any, depth: int, left: int = _MOST_VALUES) -> int:
    """Return how many more values a key may hold beside this one."""
    if isinstance(value, tuple | frozenset):
        for item in value if depth else ():
            left = _weigh(item, depth - 1, left)
        left -= 0 if depth else _MOST_VALUES + 1
    elif isinstance(value, int) and not -_LARGE < value < _LARGE:
        left = 0
    if left <= 0:
        raise PickleRefused("This pickle has a key that holds too much, which is not allowed.")
    return left - 1
