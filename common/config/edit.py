"""Change one value of a configuration file and leave everything else as it is written."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from vantage6.common.config.files import ENVIRONMENTS, environments, parse
from vantage6.common.errors import ConfigurationError
from vantage6.common.secret_files import write_private


def set_value(file: Path, environment: str | None, keys: Sequence[str], value: str | bool) -> None:
    """Set one value in one environment of a file; comments and order stay.

    Parameters
    ----------
    file
        A configuration that can be read.
    environment
        Default: as for `load`.
    keys
        The path below the environment, such as ``("encryption", "private_key")``.
    value
        What to set.

    Raises
    ------
    ConfigurationError
        If it cannot be done safely; the message says what to do by hand.
    """
    names = environments(file)
    if environment is None:
        environment = "application" if "application" in names else names[0]
    start = (environment,) if environment == ENVIRONMENTS[0] else ("environments", environment)
    path = (*start, *keys)
    text = file.read_text(encoding="utf-8")
    changed = _change(text, path, json.dumps(value, ensure_ascii=False))
    expected = _with(parse(text), path, value)
    # Aliases, tags and other rarities of YAML: rather nothing than something else.
    if changed is None or _load(changed) != expected:
        raise ConfigurationError(f"Set {'.'.join(keys)} in {file} by hand: {value!r}.")
    write_private(file, changed)


def _change(text: str, path: Sequence[str], value: str) -> str | None:
    """Return the text with a value replaced or added; None if there is no place for it."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for depth, key in enumerate(path):
        if not isinstance(node, yaml.MappingNode):
            return None
        found = next((entry for entry in node.value if entry[0].value == key), None)
        if found is None:
            return _add(text, node, path[depth:], value)
        parent, (_, node) = node, found
    if not isinstance(node, yaml.ScalarNode):
        return None
    start, end = node.start_mark.index, node.end_mark.index
    if start == end:
        # An empty value ends where the colon or the space behind it does.
        key_end = next(k for k, v in parent.value if v is node).end_mark.index
        start = end = text.index(":", key_end) + 1
        value = f" {value}"
    return text[:start] + value + text[end:]


def _add(text: str, mapping: yaml.MappingNode, path: Sequence[str], value: str) -> str | None:
    """Return the text with a new first entry in a mapping."""
    for key in reversed(path[1:]):
        value = f"{{{key}: {value}}}"
    if not mapping.value:
        return None
    start = mapping.value[0][0].start_mark
    separator = ", " if mapping.flow_style else f"\n{' ' * start.column}"
    return f"{text[: start.index]}{path[0]}: {value}{separator}{text[start.index :]}"


def _with(content: Any, path: Sequence[str], value: str | bool) -> Any:
    """Return a content with one more value; the original, parts of which may be shared, stays."""
    if not path:
        return value
    content = content if isinstance(content, dict) else {}
    return {**content, path[0]: _with(content.get(path[0]), path[1:], value)}


def _load(text: str) -> Any:
    try:
        return parse(text)
    except yaml.YAMLError:
        return None
