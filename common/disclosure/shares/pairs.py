"""Long lists of flags that are no column of the data: one for each pair of points.

A station says so which intervals between points hold no small count. If (i, j] and (j, l] hold
none, (i, l] holds none either.
"""

from collections.abc import Sequence
from math import isqrt

#: Flags of a list that is short, whatever it holds.
FEW_FLAGS = 40
#: Points between which pairs are looked at.
MOST_POINTS = 250
#: So many flags are looked at.
MOST_FLAGS = MOST_POINTS * (MOST_POINTS - 1) // 2


def are_pairs(flags: Sequence[bool]) -> bool:
    """Tell whether flags can be those of the pairs i < j of points, row by row.

    SECURITY: this refuses a column of the data that is sent as it is. A program can still write a
    message that keeps to the rule.
    """
    points = (isqrt(8 * len(flags) + 1) + 1) // 2
    if len(flags) > MOST_FLAGS or points * (points - 1) // 2 != len(flags):
        return False
    reached, place = [0] * points, 0
    for i in range(points):
        for j in range(i + 1, points):
            reached[i] |= flags[place] << j
            place += 1
    return not any(
        reached[j] & ~reached[i]
        for i in range(points)
        for j in range(i + 1, points)
        if reached[i] >> j & 1
    )
