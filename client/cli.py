"""``vantage6``: the researcher's command.

Everything heavy is imported by the command that needs it. Exit codes: docs/exit-codes.md.
"""

import click

from vantage6.common import __version__
from vantage6.common.cli.program import LazyProgram, Mounted, examples

_HERE = "vantage6.client.commands"
#: All commands, in the order of the help. Those of other packages are named and not imported, so
#: that they may use this one.
COMMANDS = (
    Mounted(
        "login",
        f"{_HERE}.login:login",
        "Log in to the server at ADDRESS, such as https://server.example/api.",
    ),
    Mounted(
        "logout", f"{_HERE}.login:logout", "End the session of a login, here and at the server."
    ),
    Mounted("whoami", f"{_HERE}.login:whoami", "Show the account, its organization and its key."),
    Mounted(
        "stations",
        f"{_HERE}.stations:stations",
        "List collaborations, their organizations, and the station of each.",
    ),
    Mounted(
        "run",
        f"{_HERE}.run:run",
        "Send FUNCTION of an image as a task, wait, and show the results.",
    ),
    Mounted("task", f"{_HERE}.task:task", "List, show, stop and repeat tasks."),
    Mounted("result", f"{_HERE}.result:result", "Show and save the results of a task."),
    Mounted(
        "shelf",
        f"{_HERE}.shelf:shelf",
        "List and show the function cards of a server.",
    ),
    Mounted(
        "card",
        "vantage6.tools.commands.card:card",
        "Make, check and import function cards.",
    ),
    Mounted(
        "validate",
        "vantage6.validation.commands:validate",
        "Compute published statistics again over several stations, and compare digit by digit.",
    ),
    Mounted(
        "sandbox",
        "vantage6.sandbox.commands:sandbox",
        "Run a whole federation on this computer, to try things out.",
    ),
    Mounted("keys", f"{_HERE}.keys:keys", "List and accept public keys of organizations."),
)


@click.group(
    cls=LazyProgram,
    extra="all",
    mounted=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "vantage6 login https://server.example/api --user researcher --key private_key.pem",
        "vantage6 stations",
        "vantage6 shelf list",
        "vantage6 run glm --arg formula='died ~ age' --arg family=binomial",
    ),
)
@click.version_option(__version__, message="%(version)s")
def main() -> None:
    """Compute over the data of several organizations, without their data."""
