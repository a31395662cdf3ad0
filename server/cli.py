"""``vserver``: the operator's commands.

Everything heavy is imported by the command that needs it. Exit codes: docs/exit-codes.md.
"""

import sys
from typing import TYPE_CHECKING

import click

from vantage6.common import __version__
from vantage6.common.cli import console
from vantage6.common.cli.program import Program
from vantage6.common.cli.selection import instance_options
from vantage6.common.selection import Selection
from vantage6.server.commands.archive import backup, restore
from vantage6.server.commands.base import on_instance, said_plainly
from vantage6.server.commands.batch import import_
from vantage6.server.commands.configuration import config
from vantage6.server.commands.doctor import doctor
from vantage6.server.commands.migrate import migrate
from vantage6.server.commands.new import new
from vantage6.server.commands.outbox import outbox
from vantage6.server.commands.run import run
from vantage6.server.commands.shell import shell
from vantage6.server.commands.user import user

if TYPE_CHECKING:
    from vantage6.common.config import Instance


@click.group(cls=Program, extra="server", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def main() -> None:
    """Run a vantage6 server."""


for command in (new, shell, import_, migrate, backup, restore, outbox, user, config, doctor, run):
    main.add_command(command)


@main.command()
@on_instance
@click.option("--attach/--detach", default=False, help="Stay in the foreground and show the logs.")
def start(instance: "Instance", attach: bool) -> None:
    """Start API, workers and what they need."""
    from vantage6.common.cli.notices import without_effect
    from vantage6.server import supervision
    from vantage6.server.setup import ROOT_WARNING, set_up

    if keys := instance.config.without_effect:
        console.warning(without_effect(keys))
    supervisor = supervision.prepare(instance)
    if set_up(instance):
        console.warning(ROOT_WARNING)
    if attach:
        shown = instance.config.logging.use_console
        sys.exit(supervisor.attach(supervision.log_files(instance), console=shown))
    supervision.start(instance, supervisor)
    _show_start(instance)


def _show_start(instance: "Instance") -> None:
    """Print where everything is that was started, and what to do next."""
    from vantage6.server import supervision

    api = supervision.address(instance)
    page = api.removesuffix(instance.config.api_path)
    console.info(f"Server {instance.name} runs at {api}")
    console.info(f"  Page               {page}/")
    console.info(f"  API, to try        {page}/apidocs")
    if flower := supervision.flower_address(instance):
        console.info(f"  Celery Flower      {flower} (user flower)")
        if instance.config.flower and instance.config.flower.password is None:
            console.info(f"  Flower's password  is in {instance.folder / 'flower.key'}")
    console.info(f"  Logs               {instance.log_folder}")
    console.info(
        "Next: `vserver doctor` looks at all parts of it; `vserver import --example` shows"
    )
    console.info("a file that fills it with organizations, users and nodes.")


@main.command()
@instance_options
@click.option("--all", "everything", is_flag=True, help="Stop all servers of both scopes.")
def stop(selection: Selection, everything: bool) -> None:
    """Stop a server that runs in the background."""
    from vantage6.common.cli import listing
    from vantage6.common.config import Instance
    from vantage6.server import supervision
    from vantage6.server.commands.listing import running_servers

    with said_plainly():
        chosen = running_servers() if everything else [Instance.find(selection)]
        listing.stop_each("server", chosen, lambda one: supervision.supervisor(one).stop())


@main.command()
@on_instance
@click.option("--lines", default=20, show_default=True, help="Lines of the past to show.")
def attach(instance: "Instance", lines: int) -> None:
    """Show a server's logs as they grow, until Ctrl-C; the server runs on."""
    from vantage6.common.cli.log_tail import watch
    from vantage6.server import supervision

    if supervision.supervisor(instance).running() is None:
        console.warning(f"Server {instance.name} does not run; these are its last lines.")
    watch(supervision.log_files(instance), lines)


@main.command()
@on_instance
def files(instance: "Instance") -> None:
    """Print which files a server uses."""
    from vantage6.common.logs import without_secrets
    from vantage6.server import supervision

    console.say(f"Configuration file = {instance.file}")
    console.say(f"Data folder        = {instance.folder}")
    console.say(f"Log file           = {supervision.log_files(instance)['api']}")
    console.say(f"Database           = {without_secrets(instance.config.uri)}")


@main.command(name="list")
def list_() -> None:
    """List the servers of both scopes."""
    from vantage6.server.commands.listing import show

    with said_plainly():
        show()


@main.command()
def version() -> None:
    """Print the version."""
    console.say(__version__)
