"""``vnode policy show``: the rules of a station as a list."""

from typing import TYPE_CHECKING

import click

from vantage6.common.cli import console
from vantage6.node.commands.base import on_node

if TYPE_CHECKING:
    from vantage6.node.instance import Instance


@click.command()
@on_node
def show(instance: "Instance") -> None:
    """List the rules of a node: images, organizations, users, databases and bounds."""
    from vantage6.common.config.policies import PolicyConfig
    from vantage6.node.reports.rules import rules
    from vantage6.node.rules.current_policy import describe_followed

    lines = list(rules(instance.config))
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        console.say(f"{name:<{width}}  {value}")
    policies = instance.config.policies or PolicyConfig()
    console.say(policies.floors.summary)
    console.say(policies.release.summary)
    for line in describe_followed(instance):
        console.say(line)
