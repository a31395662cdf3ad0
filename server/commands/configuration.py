"""``vserver config``: check a configuration, and show what counts."""

import json
from typing import TYPE_CHECKING

import click

from vantage6.common.cli import console
from vantage6.common.cli.notices import without_effect
from vantage6.server.commands.base import on_instance

if TYPE_CHECKING:
    from vantage6.common.config import Instance


@click.group()
def config() -> None:
    """Check a configuration, and show what counts."""


@config.command()
@on_instance
def check(instance: "Instance") -> None:
    """Tell whether a configuration is valid; each wrong key is named."""
    console.info(f"{instance.file} is valid.")
    if keys := instance.config.without_effect:
        console.warning(without_effect(keys))


@config.command()
@on_instance
def show(instance: "Instance") -> None:
    """Print what counts, defaults included and secrets left out, as YAML."""
    import yaml

    from vantage6.common.logs import without_secrets

    values = instance.config.model_dump(mode="json")
    values["uri"] = without_secrets(values["uri"])
    console.say(yaml.safe_dump(values, sort_keys=False, allow_unicode=True), nl=False)


@config.command()
def schema() -> None:
    """Print the JSON schema of one environment of a configuration, for editors."""
    from vantage6.common.config import ServerConfig

    console.say(json.dumps(ServerConfig.model_json_schema(), indent=2))
