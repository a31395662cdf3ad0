"""``vserver doctor``: whether a server has what it needs."""

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from vantage6.api.commands.base import on_instance

if TYPE_CHECKING:
    from vantage6.common.config import Instance

_COLOURS = {"ok": "green", "skipped": "cyan", "problem": "red"}


@click.command()
@on_instance
@click.option("--json", "as_json", is_flag=True, help="Print a list for programs.")
def doctor(instance: "Instance", as_json: bool) -> None:
    """Look whether a server, running or not, has what it needs; 1 if something is wrong."""
    from vantage6.api.doctor import Doctor, State
    from vantage6.models import database

    findings = []
    try:
        for finding in Doctor(instance).findings():
            findings.append(finding)
            if not as_json:
                state = click.style(f"{finding.state:<8}", fg=_COLOURS[finding.state])
                click.echo(f"{state} {finding.subject:<14}{finding.text}")
    finally:
        database.dispose()
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    if any(finding.state is State.PROBLEM for finding in findings):
        sys.exit(1)
