"""Checks of arguments, by central functions before they ask and by partial functions again."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from vantage6.algorithms.statistics.levels import canonical_text
from vantage6.algorithms.statistics.sentences import Refused


def bad(sentence: str) -> Refused:
    """Return the refusal of an argument, with the sentence that says what it must be."""
    return Refused("bad_argument", sentence=sentence)


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def check_name(name: str, value: Any, *, optional: bool = False) -> None:
    """Refuse what is not the name of a column."""
    if not (isinstance(value, str) or (optional and value is None)):
        raise bad(f"{name} is the name of a column.")


def check_names(name: str, value: Any) -> list[str]:
    """Return a list of different names of columns."""
    is_list = isinstance(value, list) and all(isinstance(item, str) for item in value)
    if not is_list or not value or len(set(value)) != len(value):
        raise bad(f"{name} is a list of names.")
    return list(value)


def check_confidence(value: Any) -> None:
    """Refuse a confidence that is none."""
    if not is_number(value) or not 0.5 <= value <= 0.999:
        raise bad("confidence lies between 0.5 and 0.999.")


def check_choice(name: str, value: Any, choices: Sequence[str]) -> None:
    """Refuse a word that is not offered."""
    if value not in choices:
        quoted = [f"'{choice}'" for choice in choices]
        listed = ", ".join(quoted[:-1]) + (" or " if quoted[:-1] else "") + quoted[-1]
        raise bad(f"{name} is {listed}.")


def check_iterations(max_iterations: Any, tolerance: Any) -> None:
    """Refuse limits of an iteration that are out of reach."""
    if isinstance(max_iterations, bool) or not isinstance(max_iterations, int):
        raise bad("max_iterations is a number from 1 to 50.")
    if not 1 <= max_iterations <= 50:
        raise bad("max_iterations is a number from 1 to 50.")
    if not is_number(tolerance) or not 0 < tolerance <= 0.1:
        raise bad("tolerance lies between 0 and 0.1.")


def check_levels(levels: Any) -> dict[str, list[str]]:
    """Return given levels as canonical texts, in the order given."""
    if levels is None:
        return {}
    if not isinstance(levels, Mapping):
        raise bad("levels gives a list of levels for each column.")
    result: dict[str, list[str]] = {}
    for name, values in levels.items():
        is_list = isinstance(values, list) and values and len(values) <= 1000
        texts = [canonical_text(value) for value in values] if is_list else []
        if not isinstance(name, str) or not texts or None in texts:
            raise bad("levels gives a list of levels for each column.")
        if len(set(texts)) != len(texts):
            raise bad("levels of a column are different.")
        result[name] = [text for text in texts if text is not None]
    return result


def check_edges(name: str, edges: Any, *, least: int = 1) -> list[float]:
    """Return edges of intervals, which must rise."""
    is_list = isinstance(edges, list) and all(is_number(edge) for edge in edges)
    if not is_list or len(edges) < least:
        raise bad(f"{name} is a list of at least {least} numbers.")
    if any(right <= left for left, right in pairwise(edges)):
        raise bad(f"{name} must rise.")
    return [float(edge) for edge in edges]


def check_vector(name: str, value: Any, length: int) -> list[float]:
    """Return a list of finite numbers of a given length."""
    if not isinstance(value, list) or len(value) != length or not all(map(is_number, value)):
        raise bad(f"{name} is a list of {length} numbers.")
    return [float(number) for number in value]
