"""What is wrong with a configuration, in sentences: which key, and what may stand there."""

import difflib
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

#: Nearest keys that are offered for one that does not exist.
_OFFERED = 3
#: How like a key must be to be offered; 1 is the same.
_LIKE = 0.6
_NO_TEXT = "a text is wanted here; put it into quotation marks"


def explain(error: ValidationError, model: type[BaseModel], top: str) -> Iterator[str]:
    """Yield a line for each wrong key: its path, and what is wrong with it.

    Parameters
    ----------
    error
        What was found. No line holds a value, which may be a password.
    model
        What the values must look like.
    top
        What stands before each path.
    """
    for steps, sentence in sentences(error, model):
        yield f"{'.'.join(map(str, (top, *steps)))}: {sentence}"


def sentences(
    error: ValidationError, model: type[BaseModel]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield where something is wrong, and what; see `explain`."""
    for problem in error.errors(include_input=False, include_url=False):
        steps = tuple(problem["loc"])
        yield steps, _sentence(problem, steps, model)


def _sentence(problem: Any, steps: tuple[str | int, ...], model: type[BaseModel]) -> str:
    if problem["type"] == "missing":
        return "this key is missing."
    if problem["type"] == "string_type":
        return f"{_NO_TEXT}."
    if problem["type"] == "extra_forbidden":
        return _unknown_key(str(steps[-1]), _section_at(steps[:-1], model))
    return str(problem["msg"]).removeprefix("Value error, ")


def _unknown_key(key: str, section: type[BaseModel] | None) -> str:
    known = [
        field.alias or name for name, field in (section.model_fields if section else {}).items()
    ]
    near = difflib.get_close_matches(key, known, _OFFERED, _LIKE)
    if near:
        return f"there is no such key; did you mean {' or '.join(near)}?"
    return f"there is no such key; there are: {', '.join(sorted(known))}." if known else "unknown."


def _section_at(steps: tuple[str | int, ...], model: type[BaseModel]) -> type[BaseModel] | None:
    """Return the section that a path leads to."""
    section: type[BaseModel] | None = model
    for step in steps:
        if section is None:
            return None
        if isinstance(step, int):
            continue
        found = [
            field for name, field in section.model_fields.items() if step in (name, field.alias)
        ]
        section = _section_in(found[0].annotation) if found else None
    return section


def _section_in(annotation: Any) -> type[BaseModel] | None:
    """Return the section that a type is, or holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_section_in(one) for one in get_args(annotation))
    return next((section for section in inner if section is not None), None)
