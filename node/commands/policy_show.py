"""``vnode policy show``: the rules of a station as a list."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from vantage6.common.cli import console
from vantage6.node.commands.base import on_node

if TYPE_CHECKING:
    from pydantic import BaseModel

    from vantage6.common.config import NodeConfig
    from vantage6.node.instance import Instance

#: Rules that stand first, in words, with the words for a list that is empty.
_LISTS = {
    "allowed_algorithms": ("images", "none"),
    "allowed_organizations": ("organizations", "all of the collaboration"),
    "allowed_users": ("users", "all of the collaboration"),
}


@click.command()
@on_node
def show(instance: "Instance") -> None:
    """List the rules of a node: images, organizations, users, databases and bounds."""
    from vantage6.common.config.policies import PolicyConfig
    from vantage6.node.rules.current_policy import describe_followed

    lines = list(rules(instance.config))
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        console.say(f"{name:<{width}}  {value}")
    console.say((instance.config.policies or PolicyConfig()).floors.summary)
    for line in describe_followed(instance):
        console.say(line)


def rules(config: "NodeConfig") -> Iterator[tuple[str, str]]:
    """Yield names and values of the rules, one line for each entry of a list."""
    policies = config.policies
    for setting, (name, empty) in _LISTS.items():
        entries = getattr(policies, setting, ())
        if policies is None and setting == "allowed_algorithms" and not config.allowed_images:
            empty = "ANY: `policies` is not written"
        if entries or not (setting == "allowed_algorithms" and config.allowed_images):
            for entry in entries or (empty,):
                yield name, str(entry)
    for entry in config.allowed_images:
        yield "allowed_images", entry
    for database in config.databases:
        readers = policies.databases if policies else None
        images = ("every image above",) if readers is None else readers.get(database.label, ())
        for image in images or ("no image",):
            yield f"database {database.label}", image
    if policies is not None:
        yield from _others(policies)


def _others(policies: "BaseModel") -> Iterator[tuple[str, str]]:
    """Yield the other rules that differ from their defaults."""
    fields: dict[str, Any] = type(policies).model_fields
    for name in fields:
        value = getattr(policies, name)
        if name in (*_LISTS, "databases", "floors") or value == fields[name].default:
            continue
        for entry in _entries(value):
            yield name, entry


def _entries(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (
            f"{key}: {', '.join(map(str, entry)) or 'none'}" for key, entry in value.items()
        )
    elif isinstance(value, tuple):
        yield from map(str, value)
    else:
        yield str(value)
