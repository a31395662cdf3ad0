"""New configuration files, with a comment on every setting, written from the models.

A line that starts with ``# `` explains. One that starts with ``#`` alone is a setting with its
default: without this one character it is set; so are the lines of a section.
"""

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from vantage6.common.config.files import ENVIRONMENTS
from vantage6.common.errors import ConfigurationError
from vantage6.common.secret_files import write_private

_WIDTH = 96
_STEP = "  "


def write(
    file: Path, model: type[BaseModel], values: Mapping[str, Any], environment: str, command: str
) -> None:
    """Write a configuration into a file, beside the environments that it already has.

    Parameters
    ----------
    file
        Readable by its owner only afterwards: it holds secrets.
    model
        What a configuration may hold.
    values
        What differs from the defaults.
    environment
        Under which name.
    command
        What wrote it, for the first line.
    """
    if environment not in ENVIRONMENTS:
        raise ConfigurationError(
            f"There is no environment {environment!r}; there are {', '.join(ENVIRONMENTS)}."
        )
    depth = 1 if environment == "application" else 2
    block = [
        f"{_STEP * (depth - 1)}{environment}:",
        *(f"{_STEP * depth}{line}".rstrip() for line in settings(model, values)),
    ]
    if file.exists():
        lines = _beside(file.read_text(encoding="utf-8").splitlines(), block, environment)
    else:
        lines = [
            f"# Written by `{command}`. `#key: value` is a setting that has its default.",
            *([] if environment == "application" else ["environments:"]),
            *block,
        ]
    write_private(file, "\n".join(lines) + "\n")


def settings(model: type[BaseModel], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of all settings of a model.

    Parameters
    ----------
    model
        What may be set.
    values
        What is set; everything else is shown with its default.
    """
    for attribute, field in model.model_fields.items():
        yield from _explain(field)
        name = _key(attribute, field)
        given = values.get(name)
        section = section_of(field.annotation)
        if isinstance(given, Mapping) and section is not None:
            yield f"{name}:"
            yield from (f"{_STEP}{line}".rstrip() for line in settings(section, given))
        elif name in values:
            yield from _dump({name: given})
        elif section is None or _is_repeated(field):
            yield from (f"#{line}" for line in _dump({name: _default(field)}))
        else:
            yield f"#{name}:"
            yield from (f"#{_STEP}{line}".rstrip() for line in _defaults(section))
        yield ""


def _defaults(model: type[BaseModel]) -> Iterator[str]:
    """Yield all settings of a model as they would stand in a file that sets each."""
    for attribute, field in model.model_fields.items():
        yield from _explain(field)
        name = _key(attribute, field)
        section = section_of(field.annotation)
        if section is None or _is_repeated(field):
            yield from _dump({name: _default(field)})
        else:
            yield f"{name}:"
            yield from (f"{_STEP}{line}" for line in _defaults(section))


def section_of(annotation: Any) -> type[BaseModel] | None:
    """Return the model inside of an annotation, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := section_of(part))), None)


def _beside(lines: list[str], block: list[str], environment: str) -> list[str]:
    """Put a block at the end of those that a file has."""
    if environment == "application":
        return [*lines, "", *block]
    if "environments:" not in (line.rstrip() for line in lines):
        return [*lines, "", "environments:", *block]
    start = [line.rstrip() for line in lines].index("environments:")
    ends = (
        number
        for number, line in enumerate(lines[start + 1 :], start + 1)
        if line and not line[0].isspace() and not line.startswith("#")
    )
    end = next(ends, len(lines))
    return [*lines[:end], "", *block, *lines[end:]]


def _key(attribute: str, field: FieldInfo) -> str:
    return field.validation_alias if isinstance(field.validation_alias, str) else attribute


def _explain(field: FieldInfo) -> list[str]:
    text = (field.description or "").replace("\n", " ")
    if field.is_required():
        text += " (required)"
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH)]


def _dump(value: dict[str, Any]) -> list[str]:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10_000).splitlines()


def _default(field: FieldInfo) -> Any:
    default = None if field.default is PydanticUndefined else field.default
    if isinstance(default, tuple):
        return list(default)
    return default


def _is_repeated(field: FieldInfo) -> bool:
    return str(field.annotation).startswith("tuple")
