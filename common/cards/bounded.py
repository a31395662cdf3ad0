"""JSON Schema with a bound: schema and values come from people who are not trusted.

SECURITY: what may cost is counted while it happens. Sentences of the library quote values whole,
so values are handed to it in forms that quote nothing.
"""

import math
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import cache
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import create
from referencing import Registry

from vantage6.common.cards.schemas import KEYWORDS

#: An input with more values is not checked, and refused.
MOST_VALUES = 200_000

#: The most expensive step, the descent into a value, takes 5 to 10 microseconds.
_MOST_STEPS = 1_000_000
#: An error takes kilobytes while a check goes on.
_STEPS_OF_ERROR = 100
_CHARACTERS_OF_STEP = 10
_MOST_ERRORS = 50
_DEEPEST = 100
_LONGEST_INTEGER_BITS = 4_096

_Check = Callable[[Any, Any, Any, dict[str, Any]], Iterator[ValidationError] | None]


class TooMuch(Exception):
    """The check would take too long."""


class Steps:
    """Counts the steps of checks, and ends them with `TooMuch`.

    Parameters
    ----------
    most
        How many steps there are, for all checks that share this.
    """

    def __init__(self, most: int | None = None) -> None:
        self._left = _MOST_STEPS if most is None else most

    def spend(self, steps: int) -> None:
        """Take some steps.

        Raises
        ------
        TooMuch
            If so many are not left.
        """
        self._left -= steps
        if self._left < 0:
            raise TooMuch

    def spend_on(self, raw: bytes) -> None:
        """Take the steps for reading a text; see `spend`."""
        self.spend(len(raw) // _CHARACTERS_OF_STEP)


_steps: ContextVar[Steps] = ContextVar("steps")


class _List(list[Any]):
    def __repr__(self) -> str:
        return "[...]"


class _Dictionary(dict[str, Any]):
    def __repr__(self) -> str:
        return "{...}"


class _Text(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return "'...'"


class _Strange:
    """A value that JSON does not have; it is of no type."""


def plain(value: dict[str, Any], steps: Steps) -> dict[str, Any]:
    """Return arguments in the forms of JSON, quoting nothing.

    Parameters
    ----------
    value
        The arguments by their names.
    steps
        Each value takes one.

    Raises
    ------
    TooMuch
        If they are nested too deeply, or are too many.
    """
    return _Dictionary({_Text(key): _plain(entry, steps, 0) for key, entry in value.items()})


def find_errors(
    schema: dict[str, Any], arguments: dict[str, Any], steps: Steps
) -> list[ValidationError]:
    """Return how arguments, made by `plain`, differ from a schema; the first fifty differences.

    Parameters
    ----------
    schema
        Of the arguments of a function.
    arguments
        By their names.
    steps
        Each keyword takes some.

    Raises
    ------
    TooMuch
        If the check would take too long.
    """
    token = _steps.set(steps)
    try:
        checker = _validator()(schema, registry=Registry())
        return list(islice(checker.iter_errors(arguments), _MOST_ERRORS))
    except (RecursionError, OverflowError, ValueError) as error:
        raise TooMuch from error
    finally:
        _steps.reset(token)


def _plain(value: Any, steps: Steps, depth: int) -> Any:
    steps.spend(1)
    if depth > _DEEPEST:
        raise TooMuch
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return _Text(value)
    if isinstance(value, dict):
        return _Dictionary(
            {_Text(key): _plain(entry, steps, depth + 1) for key, entry in value.items()}
        )
    if isinstance(value, list | tuple):
        return _List([_plain(entry, steps, depth + 1) for entry in value])
    # SECURITY: NaN is neither below a minimum nor above a maximum.
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, int) and value.bit_length() <= _LONGEST_INTEGER_BITS:
        return value
    return _Strange()


@cache
def _validator() -> type[Validator]:
    """Return the checker that knows the keywords of a card, and counts."""
    known: dict[str, _Check] = {
        **Draft202012Validator.VALIDATORS,
        "uniqueItems": _is_unique,
    }
    checks = {name: _counted(name, check) for name, check in known.items() if name in KEYWORDS}
    validator: type[Validator] = create(
        Draft202012Validator.META_SCHEMA,
        checks,
        type_checker=Draft202012Validator.TYPE_CHECKER,
    )
    return validator


def _counted(name: str, check: _Check) -> _Check:
    """Return the check of a keyword that counts what it costs."""
    walks = name in {"items", "additionalProperties", "uniqueItems"}

    def counted(
        validator: Any, value: Any, instance: Any, schema: dict[str, Any]
    ) -> Iterator[ValidationError]:
        steps = _steps.get()
        cost = 1 + (len(value) if isinstance(value, list | dict) else 0)
        if walks and isinstance(instance, list | dict):
            cost += len(instance)
        steps.spend(cost)
        for error in check(validator, value, instance, schema) or ():
            steps.spend(_STEPS_OF_ERROR + len(error.message) // _CHARACTERS_OF_STEP)
            error.message = ""  # it would be kept for each of thousands
            yield error

    return counted


def _is_unique(_: Any, wanted: Any, instance: Any, __: dict[str, Any]) -> Iterator[ValidationError]:
    """Look whether entries are unique, in a time that grows with their length only."""
    if not wanted or not isinstance(instance, list):
        return
    seen = set()
    for entry in instance:
        mark = _mark(entry)
        if mark in seen:
            yield ValidationError("entries are there twice")
            return
        seen.add(mark)


def _mark(value: Any) -> Any:
    """Return what is equal for values that JSON Schema calls equal: 1 and 1.0, but not true.

    SECURITY: a number becomes a text. Many numbers can be chosen that have the same hash, and a set
    of these takes a time that grows with the square of their number. Hashes of texts are secret.
    """
    steps = _steps.get()
    steps.spend(1)
    if isinstance(value, list):
        return ("list", *(_mark(entry) for entry in value))
    if isinstance(value, dict):
        return ("dictionary", frozenset((key, _mark(entry)) for key, entry in value.items()))
    if isinstance(value, float):
        return ("number", hex(int(value)) if value.is_integer() else value.hex())
    if isinstance(value, int) and not isinstance(value, bool):
        return ("number", hex(value))
    return (isinstance(value, str), value)
