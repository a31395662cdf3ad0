"""``vserver new``: a configuration file, from answers or from options."""

import click

from vantage6.common.cli import console
from vantage6.server.commands.base import said_plainly

#: What is asked, in this order: key and question; the default is that of the model.
_QUESTIONS = (
    ("description", "Description, for people"),
    ("ip", "Address to listen on (0.0.0.0: all)"),
    ("port", "Port of the API"),
    ("api_path", "Prefix of all routes"),
    ("uri", "Database"),
    ("allow_drop_all", "May `vserver import --drop-all` wipe the database"),
    ("two_factor_auth", "Ask users for a code of their authenticator app too"),
)


@click.command()
@click.option("-n", "--name", help="Name of the server.")
@click.option(
    "-e", "--environment", default="application", show_default=True, help="Environment to write."
)
@click.option("--system/--user", default=True, help="Where to write it.  [default: system]")
@click.option("--description", help="Free text.")
@click.option("--ip", help="Address on which the API listens.")
@click.option("-p", "--port", type=int, help="Port on which the API listens.")
@click.option("--api-path", help="Prefix of all routes.")
@click.option("--uri", help="Database, such as postgresql://user:password@host/name.")
@click.option("--allow-drop-all/--no-drop-all", default=None, help="Permit to wipe the database.")
@click.option("--two-factor-auth/--no-two-factor-auth", default=None, help="Ask for a code too.")
@click.option("--log-level", help="Lowest level that is logged.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any other setting, such as smtp.server=mail.example.org; may be repeated.",
)
@click.option("-y", "--yes", is_flag=True, help="Ask nothing: defaults for all that is not given.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
def new(
    name: str | None,
    environment: str,
    system: bool,
    log_level: str | None,
    settings: tuple[str, ...],
    yes: bool,
    force: bool,
    **given: object,
) -> None:
    """Make a configuration file for a server."""
    from vantage6.common.cli import wizard
    from vantage6.common.config import ServerConfig

    with said_plainly():
        if yes and name is None:
            raise click.UsageError("--yes needs --name.")
        file = wizard.new_file("server", name, environment, system=system, force=force)
        answers = wizard.Wizard(ServerConfig, asks=not yes)
        for key, question in _QUESTIONS:
            default = ServerConfig.model_fields[key].default
            answers.take(key, given[key], default, question)
        if answers.asks and log_level is None:
            levels = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
            log_level = click.prompt(
                "Log level", type=click.Choice(levels, case_sensitive=False), default="INFO"
            )
        if log_level:
            answers.values["logging"] = {"level": log_level}
        if answers.asks and click.confirm("Is there a VPN server (EduVPN)?", default=False):
            answers.section("vpn_server")
        answers.put(settings)
        wizard.write("server", file, ServerConfig, answers.values, environment, force=force)
        console.info(f"Configuration written: {file}")
        scope = "" if system else " --user"
        chosen = "" if environment == "application" else f" -e {environment}"
        console.info(f"Start it with: vserver start --name {file.stem}{chosen}{scope}")
