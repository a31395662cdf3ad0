"""``vnode``: the command line of a data station.

Everything heavy is imported by the command that needs it. Exit codes: docs/exit-codes.md.
"""

import click

from vantage6.common import __version__
from vantage6.common.cli import console
from vantage6.common.cli.program import Program
from vantage6.node.commands.audit import audit
from vantage6.node.commands.audit_show import content, show
from vantage6.node.commands.cleaning import clean, remove
from vantage6.node.commands.console import console as console_
from vantage6.node.commands.console import console_account
from vantage6.node.commands.doctor import doctor
from vantage6.node.commands.grants import grants
from vantage6.node.commands.keys import create_private_key, set_api_key
from vantage6.node.commands.known_keys import keys
from vantage6.node.commands.listing import files, list_
from vantage6.node.commands.new import new
from vantage6.node.commands.pause import pause, resume
from vantage6.node.commands.policy import policy
from vantage6.node.commands.release import release
from vantage6.node.commands.requests import approve, deny, requests
from vantage6.node.commands.running import kill, running
from vantage6.node.commands.starting import attach, start, stop


@click.group(cls=Program, extra="node", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def main() -> None:
    """Run a data station."""


@main.command()
def version() -> None:
    """Print the version."""
    console.say(__version__)


for _command in (
    start,
    stop,
    attach,
    running,
    kill,
    requests,
    approve,
    deny,
    grants,
    pause,
    resume,
    list_,
    files,
    policy,
    release,
    audit,
    console_,
    console_account,
    new,
    doctor,
    create_private_key,
    set_api_key,
    keys,
    clean,
    remove,
):
    main.add_command(_command)
for _command in (show, content):
    audit.add_command(_command)
