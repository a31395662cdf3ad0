"""``vnode create-private-key`` and ``set-api-key``."""

import re
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vantage6.common.cli import console
from vantage6.common.cli.selection import instance_options
from vantage6.common.selection import Selection
from vantage6.node.commands.base import on_node, said_plainly

if TYPE_CHECKING:
    from vantage6.client.login import Login
    from vantage6.node.instance import Instance

_NOT_IN_A_NAME = re.compile(r"[^\w .-]")


@click.command(name="create-private-key")
@on_node
@click.option(
    "-o",
    "--organization-name",
    help="Name of the organization; without it you are asked to log in, which tells it.",
)
@click.option("--upload/--no-upload", default=True, help="Publish its public half at the server.")
@click.option(
    "--overwrite", is_flag=True, help="Replace a key that exists, in the file and at the server."
)
@click.option("--force", is_flag=True, help="Publish it where the server has another one.")
def create_private_key(
    instance: "Instance", organization_name: str | None, upload: bool, overwrite: bool, force: bool
) -> None:
    """Create the private key of the organization, and write its path into the configuration.

    An existing key is kept and only published. Publishing needs the account of a user who may
    change the organization; it is refused where the server has the public half of another key.
    """
    from vantage6.common.config import edit
    from vantage6.common.encryption import RSACryptor

    needs_user = upload or organization_name is None
    with _log_in(instance) if needs_user else nullcontext() as login:
        organization = _organization(login, organization_name) if login else {}
        file = _choose_path(instance, organization_name or organization["name"])
        if upload and not (overwrite or force):
            _refuse_another(organization, file)
        _make(file, overwrite=overwrite)
        keys = ("encryption", "private_key")
        edit.set_value(instance.file, instance.environment, keys, str(file))
        console.info(f"encryption.private_key in {instance.file} names it.")
        if upload and login:
            _publish(login, organization, RSACryptor(file).public_key_str)


def _choose_path(instance: "Instance", name: str) -> Path:
    """Return the file for the key of an organization."""
    from vantage6.common.config import instances

    folder = instances.data_folder("node", instance.name, system=instance.system).parent
    return folder / f"privkey_{_NOT_IN_A_NAME.sub('_', name)}.pem"


def _refuse_another(organization: dict[str, Any], file: Path) -> None:
    """Raise `Conflict` if the server has the public half of a key that is not in the file."""
    from vantage6.common.encryption import RSACryptor
    from vantage6.common.errors import Conflict

    published = organization.get("public_key")
    if not published:
        return
    said = f"The server has the key {_shorten(published)} for {organization['name']}"
    lost = "then what is encrypted for the other one can no longer be read"
    if not file.exists():
        raise Conflict(
            f"{said}, and there is no {file}: put that key there, or name its file in "
            f"encryption.private_key. --force makes a new one; {lost}."
        )
    with _name_file(file):
        ours = RSACryptor(file)
    if not ours.verify_public_key(published):
        raise Conflict(
            f"{said}, and {file} is {_shorten(ours.public_key_str)}: put that key there, or name "
            f"its file in encryption.private_key. --force publishes the one that is here; {lost}."
        )


def _shorten(public_key: str) -> str:
    """Return the beginning of the fingerprint of a public key."""
    from vantage6.common.encryption import RSACryptor

    try:
        return RSACryptor.fingerprint(public_key)[:23]
    except ValueError:
        return "(unreadable)"


@contextmanager
def _name_file(file: Path) -> Iterator[None]:
    """Name the file of a key that cannot be used."""
    from vantage6.common.errors import ConfigurationError

    try:
        yield
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file}: {error}") from error


def _make(file: Path, *, overwrite: bool) -> None:
    """Make a key, if there is none."""
    from vantage6.common.encryption import RSACryptor

    with _name_file(file):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if overwrite or not file.exists():
            RSACryptor.create_new_rsa_key(file)
            console.info(f"New private key: {file}. Make a copy; without it results are lost.")
        else:
            console.warning(f"{file} exists and is kept; --overwrite replaces it.")
        RSACryptor(file)


@click.command(name="set-api-key")
@instance_options
def set_api_key(selection: Selection) -> None:
    """Write the key of a node, from a prompt or from standard input, into its configuration."""
    with said_plainly():
        from vantage6.common.config import edit, instances
        from vantage6.common.errors import ConfigurationError

        found = instances.find("node", selection)
        hidden = sys.stdin.isatty()
        key = click.prompt("API key", hide_input=hidden, prompt_suffix=": " if hidden else "\n")
        if not key.strip():
            raise ConfigurationError("The key is empty.")
        edit.set_value(found.file, selection.environment, ("api_key",), key.strip())
        console.info(f"{found.file} has the new key; restart the node.")


@contextmanager
def _log_in(instance: "Instance") -> Iterator["Login"]:
    """Hold the login of a user who answers at the terminal."""
    from vantage6.client.login import Login
    from vantage6.client.session import Session
    from vantage6.node.proxy.upstream import network

    config = instance.config
    session = Session(
        config.server_address, None, config.api_path, network=network(config, instance.base)
    )
    console.info(f"Log in at {session.base_path} as a user who may change the organization.")
    credentials = {
        "username": click.prompt("User name"),
        "password": click.prompt("Password", hide_input=sys.stdin.isatty()),
    }
    if code := click.prompt("Code of the authenticator app, if you use one", default=""):
        credentials["mfa_code"] = code
    login = Login(session)
    with closing(session):
        login.open("token/user", credentials)
        yield login


def _organization(login: "Login", name: str | None) -> dict[str, Any]:
    """Return the organization of the user, which has to be the one that was named."""
    from vantage6.common.errors import Conflict
    from vantage6.common.token_claims import claims

    user = login.request("get", f"user/{claims(login.access or '')['sub']}")
    organization: dict[str, Any] = login.request(
        "get", f"organization/{user['organization']['id']}"
    )
    if name is not None and name != organization["name"]:
        raise Conflict(
            f"You are a user of {organization['name']}, not of {name}: log in as one of {name}, or "
            "leave -o out."
        )
    return organization


def _publish(login: "Login", organization: dict[str, Any], key: str) -> None:
    login.request("patch", f"organization/{organization['id']}", json={"public_key": key})
    console.info(f"The public key of {organization['name']} is at the server.")
