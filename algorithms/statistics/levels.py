"""Levels of categorical columns: one text for each value, one order for all organizations."""

import math
import unicodedata
from collections.abc import Iterable
from typing import Any


def is_missing(value: Any) -> bool:
    """Tell whether a value of a column is absent: None, NaN, NaT or pandas' NA."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, float) and math.isnan(value)


def canonical_text(value: Any) -> str | None:
    """Return the text by which all organizations call a value; None if it is missing.

    Text stays as it is, in Unicode NFC. Whole numbers have no decimals: 1, 1.0 and "1" are one
    level. Other numbers are written with all their digits.
    """
    if is_missing(value):
        return None
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return repr(value) if isinstance(value, float) else str(value)


def _number(level: str) -> float | None:
    try:
        number = float(level)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in level else None


def ordered(levels: Iterable[str]) -> list[str]:
    """Return levels by number if all of them read as numbers, else by code point."""
    distinct = set(levels)
    numbers = {level: _number(level) for level in distinct}
    if all(number is not None for number in numbers.values()):
        return sorted(distinct, key=lambda level: (numbers[level], level))
    return sorted(distinct)
