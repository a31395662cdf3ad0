"""Numbers of an answer, which can be anything that JSON holds."""

import math
from typing import Any, TypeGuard

_TOLERANCE = 1e-9


def is_number(value: Any) -> TypeGuard[int | float]:
    """Tell whether a value is a finite number, and no flag."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else value.bit_length() < 1024


def count_of(value: Any) -> int | None:
    """Return a count, which is a whole number from 0; None if it is none."""
    if is_number(value) and value >= 0 and value == int(value):
        return int(value)
    return None


def is_close(one: float, other: float) -> bool:
    """Tell whether two numbers are the same up to rounding."""
    return math.isclose(one, other, rel_tol=_TOLERANCE)


def digits_of(value: float) -> int:
    """Return how many significant digits a number has."""
    mantissa = repr(float(value)).partition("e")[0]
    return len(mantissa.lstrip("-").replace(".", "").strip("0"))
