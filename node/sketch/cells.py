"""Cells as keys of 64 bits, for a file of keys and for a question to it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vantage6.common.disclosure.outputs import DISTINCT_DIGITS

Keys = NDArray[np.uint64]

#: Lowest bits of a number that do not count: readers and writers of decimals differ in them.
_LOW_BITS = np.uint64(6)
#: Distance, in steps of the lowest bit, at which two numbers are the same.
_NEAR = np.uint64(4)
_MIDNIGHT = " 00:00:00"
#: A number with fewer significant digits than count is a whole number of so many steps.
_MOST_STEPS = 10.0 ** (DISTINCT_DIGITS - 1)
_TOLERANCE = 2.0**-45


def _scales() -> NDArray[np.float64]:
    """Return, by binary exponent, what makes the last digit that counts a whole number."""
    exponents = np.arange(2048) - 1023
    # SECURITY: of numbers too small or too large for the table, none is a cell by intention.
    decades = np.clip(DISTINCT_DIGITS - 2 - np.floor(exponents * np.log10(2.0)), -300, 300)
    return np.asarray(10.0**decades)


_SCALES = _scales()


def number_keys(values: NDArray[np.float64]) -> Keys:
    """Return the keys of finite numbers."""
    return np.ascontiguousarray(values).view(np.uint64) >> _LOW_BITS


def numbers_of(keys: Keys) -> NDArray[np.float64]:
    """Return the numbers of keys, without the last digits, which do not count."""
    return (keys << _LOW_BITS).view(np.float64)


def near_keys(values: NDArray[np.float64]) -> tuple[Keys, Keys]:
    """Return the two keys that a number may have, where its last digits are not certain."""
    bits = np.ascontiguousarray(values).view(np.uint64)
    low = np.where(bits < _NEAR, np.uint64(0), bits - _NEAR)
    return low >> _LOW_BITS, (bits + _NEAR) >> _LOW_BITS


def are_distinctive(keys: Keys) -> NDArray[np.bool_]:
    """Tell which numbers have so many significant digits that they are no coincidence."""
    bits = keys << _LOW_BITS
    size = np.abs(bits.view(np.float64))
    # PERF: a table by the binary exponent in place of a logarithm for each number.
    scaled = size * _SCALES[(bits >> np.uint64(52)) & np.uint64(0x7FF)]
    scaled[scaled >= _MOST_STEPS] /= 10
    # A key has lost the last digits, and shows 0.3 as 0.2999999999999972.
    distance = np.abs(np.rint(scaled) - scaled)
    return np.asarray(distance > scaled * _TOLERANCE)


def text_keys(texts: Sequence[str] | NDArray[Any], salt: str) -> Keys:
    """Return the keys of texts.

    Parameters
    ----------
    texts
        The texts.
    salt
        Sixteen characters of the file of keys.
    """
    values = np.asarray(texts, dtype=object)
    return np.asarray(pd.util.hash_array(values, hash_key=salt, categorize=False))


def plain_text(text: str) -> str:
    """Return a text in the form in which it is compared: a date has several."""
    text = text.strip()
    if text[4:5] == "-" and text[10:11] == "T":
        text = f"{text[:10]} {text[11:]}"
    return text.removesuffix(".000").removesuffix("Z").removesuffix(_MIDNIGHT)


def are_members(keys: Keys, members: Keys) -> NDArray[np.bool_]:
    """Tell which keys are in a sorted array."""
    found = np.zeros(len(keys), bool)
    if not len(members) or not len(keys):
        return found
    # PERF: in order, so that neighbours look at the same part of a large file.
    order = np.argsort(keys)
    places = np.searchsorted(members, keys[order])
    places[places == len(members)] = 0
    found[order] = members[places] == keys[order]
    return found
