"""``vnode doctor``."""

import json
import sys
from dataclasses import asdict

import click

from vantage6.common.errors import ConfigurationError
from vantage6.common.selection import Selection, instance_options

_COLOURS = {"ok": "green", "warning": "yellow", "failure": "red"}


@click.command()
@instance_options
@click.option("--json", "as_json", is_flag=True, help="For programs: a list of findings.")
def doctor(selection: Selection, as_json: bool) -> None:
    """Check everything that a node needs; says what to do about each failure.

    Ends with 0, or with 1 if something failed. The node may run meanwhile.
    """
    from vantage6.node.doctor import FAILURE, Doctor, Finding
    from vantage6.node.instance import Instance

    findings = []
    try:
        checks = Doctor(Instance.find(selection)).findings()
        for finding in checks:
            findings.append(finding)
            if not as_json:
                _show(finding.check, finding.state, finding.message)
    except ConfigurationError as error:
        findings.append(Finding("configuration", FAILURE, error.message))
        if not as_json:
            _show("configuration", FAILURE, error.message)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    sys.exit(any(finding.state == FAILURE for finding in findings))


def _show(check: str, state: str, message: str) -> None:
    click.echo(f"{click.style(f'{state:<7}', fg=_COLOURS[state])}  {check}: {message}")
