"""What is wrong with arguments, in sentences.

SECURITY: all words are ours or those of the card. Arguments are encrypted on their way, and a
refusal is not.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from jsonschema import ValidationError

from vantage6.common.cards.card import Function

_SHOWN = 30
_LONGEST = 60

_TYPES = {
    "number": "a number",
    "integer": "a whole number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a dictionary",
    "null": "empty (None)",
}
_BOUNDS = {
    "minimum": "has to be at least {}",
    "maximum": "has to be at most {}",
    "exclusiveMinimum": "has to be more than {}",
    "exclusiveMaximum": "has to be less than {}",
    "multipleOf": "has to be a multiple of {}",
    "minLength": "has to have at least {} characters",
    "maxLength": "has to have at most {} characters",
    "minItems": "has to have at least {} entries",
    "maxItems": "has to have at most {} entries",
    "minProperties": "has to have at least {} entries",
    "maxProperties": "has to have at most {} entries",
    "uniqueItems": "has to name each entry once only",
    "const": "has to be {}",
}


def listed(values: Iterable[Any]) -> str:
    """Return some values for a sentence; ``none`` where there is none."""
    values = list(values)
    shown = ", ".join(str(value)[:_LONGEST] for value in values[:_SHOWN])
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return (shown or "none") + more


def shorten(sentence: str, most: int) -> str:
    """Return a sentence that is not longer than this."""
    return sentence if len(sentence) <= most else f"{sentence[: most - 4]} ..."


def in_words(function: Function, error: ValidationError) -> str:
    """Return the sentence about an error of arguments.

    Parameters
    ----------
    function
        The function whose arguments they are.
    error
        What `find_errors` found.
    """
    error = _most_telling(error)
    place = [*error.absolute_path]
    if not place:
        return _about_all(function, error)
    where = f"The argument {_pointer(function, place)} of {function.name}"
    return f"{where} {_wish(error)}."


def _most_telling(error: ValidationError) -> ValidationError:
    """Return the error within alternatives that comes from the one that is meant, if any does."""
    while error.validator in ("anyOf", "oneOf") and error.context:
        meant = [
            one
            for one in error.context
            if one.validator not in ("type", "const") or len(one.path) > 0
        ]
        if not meant:
            break
        error = meant[0]
    return error


def _about_all(function: Function, error: ValidationError) -> str:
    name = function.name
    if error.validator == "required" and isinstance(error.instance, dict):
        missing = [one for one in error.validator_value if one not in error.instance]
        return f"{name} needs the arguments that are missing: {listed(missing)}."
    if error.validator == "additionalProperties":
        return f"{name} gets an argument that it does not take. It takes: " + (
            f"{listed(function.parameters)}."
        )
    if error.validator == "dependentRequired":
        pairs = [f"{key} needs {listed(needs)}" for key, needs in error.validator_value.items()]
        return f"{name} needs some arguments together: {listed(pairs)}."
    return f"The arguments of {name} do not fit together: see the card of the function."


def _wish(error: ValidationError) -> str:
    """Return what a value should have been."""
    wanted, validator = error.validator_value, str(error.validator)
    if validator == "type":
        types = [wanted] if isinstance(wanted, str) else wanted
        return f"has to be {_either([_TYPES[one] for one in types])}"
    if validator == "enum":
        return f"has to be one of: {listed(_shown(one) for one in wanted)}"
    if validator in _BOUNDS:
        return _BOUNDS[validator].format(_shown(wanted)[:_LONGEST])
    if validator == "required":
        missing = [one for one in wanted if one not in error.instance]
        return f"needs the entries that are missing: {listed(missing)}"
    if validator == "additionalProperties":
        known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
        return f"has an entry that it does not take. It takes: {listed(known)}"
    if validator in ("anyOf", "oneOf"):
        types = [
            one
            for part in wanted
            if isinstance(part, dict) and "type" in part
            for one in ([part["type"]] if isinstance(part["type"], str) else part["type"])
        ]
        if types and all(one.validator == "type" for one in error.context or ()):
            return f"has to be {_either([_TYPES[one] for one in dict.fromkeys(types)])}"
    return "has a value that the card of the function does not allow"


def _pointer(function: Function, place: Sequence[str | int]) -> str:
    """Return where a value stands; names that the card does not have are not told."""
    words, schema = [], [function.arguments]
    for step in place:
        below = [part["properties"] for part in schema if "properties" in part]
        known = isinstance(step, str) and any(step in properties for properties in below)
        words.append(str(step) if known or isinstance(step, int) else "*")
        schema = [
            part
            for parent in schema
            for part in (
                parent.get("properties", {}).get(step),
                parent.get("additionalProperties"),
                parent.get("items"),
            )
            if isinstance(part, dict)
        ]
    return "/".join(words)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
