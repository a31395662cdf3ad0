"""``vnode doctor``."""

import sys

import click

from vantage6.common.cli.selection import instance_options
from vantage6.common.selection import Selection
from vantage6.node.commands.base import said_plainly


@click.command()
@instance_options
@click.option("--json", "as_json", is_flag=True, help="Print a list for programs.")
def doctor(selection: Selection, as_json: bool) -> None:
    """Check whether a node, running or not, has what it needs; says what to do where it lacks.

    Ends with 0, or with 1 if something does not work. The configured services are tried too.
    """
    from vantage6.common.cli.doctor import report
    from vantage6.node.doctor.doctor import Doctor
    from vantage6.node.instance import Instance

    with said_plainly():
        sys.exit(report(lambda: Doctor(Instance.find(selection)).findings(), as_json=as_json))
