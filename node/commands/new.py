"""``vnode new``: a configuration file, from answers or from options."""

from contextlib import closing
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from vantage6.common.cli import console
from vantage6.common.errors import ConfigurationError, Unavailable, V6Error
from vantage6.node.commands.base import said_plainly

if TYPE_CHECKING:
    from vantage6.common.cli.wizard import Wizard

_TYPES = ("csv", "parquet", "sql", "sparql", "omop", "excel", "other")
_ENDINGS = {".csv": "csv", ".parquet": "parquet", ".xls": "excel", ".xlsx": "excel"}


@click.command()
@click.option("-n", "--name", help="Name of the node.")
@click.option(
    "-e", "--environment", default="application", show_default=True, help="Environment to write."
)
@click.option("--system/--user", default=False, help="Where to write it.  [default: user]")
@click.option(
    "--api-key-file",
    type=click.File(),
    help="File with the key that the server gave for this node; `-` is standard input.",
)
@click.option("--server-url", help="Address of the server, with https://.")
@click.option("-p", "--port", type=int, help="Port of the server.")
@click.option("--api-path", help="Prefix of all routes of the server.")
@click.option(
    "--database",
    "databases",
    multiple=True,
    metavar="LABEL[:TYPE]=URI",
    help=f"A data source; may be repeated. Types: {', '.join(_TYPES)}.",
)
@click.option(
    "--encrypted/--not-encrypted",
    default=None,
    help="Whether the collaboration is encrypted.  [default: as the server says]",
)
@click.option("--private-key", help="Key file of the organization.")
@click.option(
    "--allow", "allowed", multiple=True, metavar="IMAGE", help="Regular expression; repeatable."
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any other setting, such as limits.cpus=4; may be repeated.",
)
@click.option("--ask-server/--no-ask-server", default=True, help="Log in to check the key.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing: defaults for all that is not given.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
def new(
    name: str | None,
    environment: str,
    system: bool,
    api_key_file: IO[str] | None,
    server_url: str | None,
    port: int | None,
    api_path: str | None,
    databases: tuple[str, ...],
    encrypted: bool | None,
    private_key: str | None,
    allowed: tuple[str, ...],
    settings: tuple[str, ...],
    ask_server: bool,
    yes: bool,
    force: bool,
) -> None:
    """Make a configuration file for a node."""
    from vantage6.common.cli import wizard
    from vantage6.common.config import NodeConfig

    if yes and (name is None or api_key_file is None or server_url is None):
        raise click.UsageError("--yes needs --name, --api-key-file and --server-url.")
    with said_plainly():
        file = wizard.new_file("node", name, environment, system=system, force=force)
        answers = wizard.Wizard(NodeConfig, asks=not yes)
        key = api_key_file.read().strip() if api_key_file else None
        answers.take("api_key", key, None, "API key of the node")
        _address(answers, server_url, port, api_path)
        answers.put(settings)
        at_server = _check_at_server(answers, file.parent) if ask_server else None
        found = _databases(databases, file.parent, asks=not yes)
        answers.values["databases"] = [*answers.values.get("databases", ()), *found]
        _encryption(answers, encrypted, at_server, private_key)
        _policies(answers, allowed)
        wizard.write("node", file, NodeConfig, answers.values, environment, force=force)
        console.info(f"Configuration written: {file}")
        scope = " --system" if system else ""
        chosen = "" if environment == "application" else f" -e {environment}"
        console.info(f"Check it with: vnode doctor --name {file.stem}{chosen}{scope}")


def _address(
    answers: "Wizard", server_url: str | None, port: int | None, api_path: str | None
) -> None:
    """Take the address of the server; what was answered before is the default."""
    before = answers.values
    answers.take(
        "server_url", server_url, before.get("server_url", "https://"), "Address of the server"
    )
    address = urlsplit(str(before["server_url"]))
    # A port that stands in the address need not be asked for.
    if address.netloc.rpartition("]")[2].count(":") == 0 or port is not None:
        usual = 443 if address.scheme == "https" else 5000
        answers.take("port", port, before.get("port", usual), "Port of the server")
    answers.take(
        "api_path", api_path, before.get("api_path", "/api"), "Prefix of all routes of the server"
    )


def _check_at_server(answers: "Wizard", base: Path) -> bool | None:
    """Return whether the collaboration is encrypted; ask again what the server refuses.

    None where the server was not asked, or does not say.
    """
    from vantage6.common.errors import Unauthenticated

    while True:
        try:
            return _ask_server(answers.values, base)
        except Unauthenticated as error:
            if not answers.asks:
                raise _advise(error) from error
            console.warning(f"{error.message} Give the key again.")
            answers.take("api_key", None, None, "API key of the node")
        except Unavailable as error:
            console.warning(f"The key was not checked: {error.message}")
            if not answers.asks or not click.confirm("Change the address?", default=True):
                return None
            _address(answers, None, None, None)
        except V6Error as error:
            if not answers.asks:
                raise _advise(error) from error
            console.warning(error.message)
            _address(answers, None, None, None)


def _advise(error: V6Error) -> ConfigurationError:
    return ConfigurationError(
        f"{error.message} Check key, address and path, or use --no-ask-server."
    )


def _databases(given: tuple[str, ...], base: Path, *, asks: bool) -> list[dict[str, str]]:
    from vantage6.common.cli import wizard
    from vantage6.common.config.node import DatabaseConfig

    found = [_database(text) for text in given]
    for database in found:
        if _is_missing(database["uri"], base):
            console.warning(f"There is no file {database['uri']} yet.")
    while asks and not given and click.confirm("Add a database?", default=not found):
        answers = wizard.Wizard(DatabaseConfig, asks=True)
        label = answers.ask("label", "default" if not found else None, "Label")
        uri = click.prompt("File, or address of a service")
        while _is_missing(uri, base) and not click.confirm("There is no such file. Use it anyway?"):
            uri = click.prompt("File, or address of a service")
        kind = click.prompt("Type", type=click.Choice(_TYPES), default=_guess(uri))
        found.append({"label": label, "uri": uri, "type": kind})
    return found


def _database(text: str) -> dict[str, str]:
    """Return what ``LABEL[:TYPE]=URI`` says."""
    words, equals, uri = text.partition("=")
    label, _, kind = words.partition(":")
    if not (label and equals and uri):
        raise ConfigurationError(f"--database {text}: write LABEL[:TYPE]=URI.")
    return {"label": label, "uri": uri, "type": kind or _guess(uri)}


def _guess(uri: str) -> str:
    return _ENDINGS.get(Path(uri).suffix.lower(), "other")


def _is_missing(uri: str, base: Path) -> bool:
    return "://" not in uri and not (base / Path(uri).expanduser()).exists()


def _ask_server(values: dict[str, Any], base: Path) -> bool | None:
    """Log in, tell who this node is, and return whether its collaboration is encrypted.

    Raises
    ------
    V6Error
        If the server refuses, or does not answer.
    """
    from pydantic import ValidationError

    from vantage6.client.node_client import NodeClient
    from vantage6.common.config import NodeConfig
    from vantage6.node.proxy.upstream import network

    try:
        config = NodeConfig.model_validate({**values, "encryption": {"enabled": False}})
        server = NodeClient(config.server_address, config.api_path, network(config, base))
        with closing(server):
            server.authenticate(config.api_key.get_secret_value())
            if server.whoami is None or server.collaboration_id is None:
                console.warning("The key is accepted, but the node is in no collaboration yet.")
                return None
            collaboration = server.collaboration(server.collaboration_id)
    except ValidationError:
        # Said with the names of the settings when everything is checked.
        return None
    encrypted = bool(collaboration["encrypted"])
    console.info(
        f"The key is that of {server.whoami.name}, of {server.whoami.organization_name}, in the "
        f"{'' if encrypted else 'not '}encrypted collaboration {collaboration['name']}."
    )
    return encrypted


def _encryption(
    answers: "Wizard", given: bool | None, at_server: bool | None, key_file: str | None
) -> None:
    if given is None:
        given = at_server
    if given is None:
        question = "Is the collaboration encrypted?"
        given = click.confirm(question, default=True) if answers.asks else True
    if at_server is not None and at_server != given:
        console.warning(
            f"At the server the collaboration is {'' if at_server else 'not '}encrypted. The node "
            "refuses all tasks until `encryption.enabled` in its file says the same."
        )
    section: dict[str, Any] = {"enabled": given}
    if given and key_file is None and answers.asks:
        question = "Key file of the organization (empty: none yet)"
        key_file = click.prompt(question, default="", show_default=False) or None
    if key_file:
        section["private_key"] = key_file
    elif given:
        console.info("`vnode create-private-key` makes the key, if the organization has none.")
    answers.values["encryption"] = section


def _policies(answers: "Wizard", allowed: tuple[str, ...]) -> None:
    if not allowed and answers.asks and "policies" not in answers.values:
        from vantage6.common.cli import wizard
        from vantage6.common.config.policies import PolicyConfig

        question = "Images that may run here, as regular expressions with spaces (empty: none)"
        rules = wizard.Wizard(PolicyConfig, asks=True)
        allowed = rules.ask("allowed_algorithms", "", question, read=str.split)
    # SECURITY: what a new file does not name is refused.
    rules_written = answers.values.setdefault("policies", {})
    if allowed or "allowed_algorithms" not in rules_written:
        rules_written["allowed_algorithms"] = list(allowed)
    rules_written.setdefault("release", "enforce")
    if not rules_written["allowed_algorithms"] and not answers.values.get("allowed_images"):
        console.warning("No image may run here until `policies.allowed_algorithms` names it.")
