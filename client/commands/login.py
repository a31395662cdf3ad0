"""``vantage6 login``, ``logout`` and ``whoami``."""

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vantage6.client.commands.connection import (
    Connection,
    make_client,
    plain_log,
    profile_option,
    set_up_key,
    with_login,
)
from vantage6.client.commands.endings import said_plainly
from vantage6.common.cli import console
from vantage6.common.cli.program import examples
from vantage6.common.errors import Forbidden, Invalid, Unauthenticated, V6Error
from vantage6.common.terminal_text import one_line

if TYPE_CHECKING:
    from vantage6.client.client import UserClient
    from vantage6.client.commands.profiles import Profile, ProfileFile

_API = "/api"
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    epilog=examples(
        "vantage6 login https://server.example/api --user researcher --key private_key.pem",
        "vantage6 login http://127.0.0.1:5000/api --user root --password-file root.txt",
    )
)
@click.argument("address")
@click.option("-u", "--user", "username", required=True, help="Name of the account.")
@click.option(
    "--password-file",
    type=_FILE,
    help="File with the password in its first line.  [default: it is asked for, or read from "
    "standard input]",
)
@click.option("--code", help="Six digits of your authenticator app, or a recovery code.")
@click.option("-k", "--key", type=_FILE, help="Private key file of your organization.")
@click.option(
    "--known-keys", type=_FILE, help="Where to remember public keys.  [default: one file for all]"
)
@profile_option
def login(
    address: str,
    username: str,
    password_file: Path | None,
    code: str | None,
    key: Path | None,
    known_keys: Path | None,
    profile: str | None,
) -> None:
    """Log in to the server at ADDRESS, such as https://server.example/api.

    The password is asked for, and kept nowhere. What is kept is a session that ends with
    `vantage6 logout`, and which the server forgets by itself after some time.
    The key opens the results of encrypted collaborations: only its path is kept.
    """
    with said_plainly():
        from vantage6.client.commands import profiles

        server = api_address(address)
        if server.startswith("http://") and not _is_near(server):
            console.say(
                "vantage6: this address has no TLS: everybody on the way can read the password.",
                err=True,
            )
        file = profiles.ProfileFile(profile or profiles.DEFAULT)
        known = str(known_keys.absolute()) if known_keys else None
        password = _password(password_file, username)
        found = open_session(file, server, username, password, code=code, key=key, known_keys=known)
        me = found.whoami
        console.say(f"Logged in as {username} of {one_line(me.organization_name)} at {server}.")
        if found.key is None:
            console.say("No key is set: encrypted collaborations need --key FILE.")


@click.command(
    epilog=examples(
        "vantage6 logout",
        "vantage6 logout --profile study",
    )
)
@profile_option
def logout(profile: str | None) -> None:
    """End the session of a login, here and at the server."""
    with said_plainly():
        from vantage6.client.commands import profiles

        file, found = profiles.find(profile)
        try:
            _end_of(found)
        finally:
            file.remove()
        console.say(f"Logged out {found.username} at {found.server}.")


@click.command(
    epilog=examples(
        "vantage6 whoami",
        "vantage6 whoami --json",
    )
)
@with_login
def whoami(connection: Connection) -> None:
    """Show the account, its organization and its key."""
    me, profile = connection.client.identity, connection.profile
    user = connection.client.user.get(me.id_)
    try:
        roles = connection.client.role.list(user=me.id_, include_metadata=False, field="name")
    except Forbidden:  # a user who may not even see the own roles
        roles = []
    said = {
        "server": profile.server,
        "username": user["username"],
        "id": me.id_,
        "organization": {"id": me.organization_id, "name": me.organization_name},
        "roles": [role["name"] for role in roles],
        "key": profile.key,
        "fingerprint": _fingerprint(connection.client, profile.key),
    }

    def show() -> None:
        console.say(f"Account       {said['username']} (id {me.id_}) at {profile.server}")
        console.say(f"Organization  {one_line(me.organization_name)} (id {me.organization_id})")
        console.say(f"Roles         {one_line(', '.join(said['roles'])) or '-'}")
        console.say(f"Key           {profile.key or 'none'}")
        if said["fingerprint"]:
            console.say(f"Fingerprint   {said['fingerprint']}")

    connection.answer(said, show)


def api_address(text: str) -> str:
    """Return the address of the API, as a person writes it: with or without its path.

    Raises
    ------
    Invalid
        If it is no address.
    """
    from vantage6.common.addresses import server_address

    try:
        found = server_address(text)
        return found.base if found.path or text.endswith("/") else found.base + _API
    except ValueError as error:
        raise Invalid(str(error)) from error


def open_session(
    file: "ProfileFile",
    server: str,
    username: str,
    password: str,
    *,
    code: str | None = None,
    key: Path | None = None,
    known_keys: str | None = None,
) -> "Profile":
    """Log in, keep the session in a profile, and end the session that was there before.

    Parameters
    ----------
    file
        The profile.
    server
        Address of the API.
    username, password, code
        What the server asks for.
    key
        The private key of the organization.
    known_keys
        Where public keys are remembered.

    Raises
    ------
    AuthenticationException
        If the server does not accept the account.
    Invalid, Conflict
        If the key is none, or not that of the organization.
    """
    before = file.read() if file.path.exists() else None
    with plain_log(), closing(make_client(server, known_keys)) as client:
        _log_in(client, username, password, code)
        try:
            found = _profile_of(client, username, key, known_keys)
        except V6Error:
            _end(client)
            raise
        file.write(found)
    if before is not None:
        _end_of(before)
    return found


def _profile_of(
    client: "UserClient", username: str, key: Path | None, known_keys: str | None
) -> "Profile":
    from vantage6.client.commands.profiles import Profile

    path = str(key.expanduser().absolute()) if key else None
    if path:
        set_up_key(client, path)
    tokens = client.tokens
    if tokens is None:
        raise Unauthenticated("The server gave no refresh token: this session cannot be kept.")
    return Profile(client.base_path, username, client.identity, tokens, path, known_keys)


def _log_in(client: "UserClient", username: str, password: str, code: str | None) -> None:
    """Log in, and ask a person at a terminal for the second factor where it is missing.

    Raises
    ------
    AuthenticationException
        If the server does not accept what it got.
    """
    from vantage6.client import two_factor
    from vantage6.common.exceptions import AuthenticationException

    credentials = {"username": username, "password": password}
    reply = client.begin_session(credentials | ({"mfa_code": code} if code else {}))
    if "access_token" not in reply and not code and sys.stdin.isatty():
        if "qr_uri" in reply:
            two_factor.show(reply, "it is asked for below.")
        code = str(click.prompt("Code of your authenticator app"))
        reply = client.begin_session(credentials | {"mfa_code": code})
    if "access_token" not in reply:
        raise AuthenticationException(f"{reply.get('msg')} Give it with --code.")
    if "recovery_codes" in reply:
        two_factor.show_codes(reply)
    client.learn_identity()


def _password(file: Path | None, username: str) -> str:
    """Return the password from a file, a person or standard input.

    Raises
    ------
    Invalid
        If there is none.
    """
    if file is not None:
        try:
            with file.open() as opened:
                found = opened.readline()
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid(f"The password file {file} cannot be read.") from error
    elif sys.stdin.isatty():
        found = str(click.prompt(f"Password of {username}", hide_input=True))
    else:
        found = sys.stdin.readline()
    if not (password := found.rstrip("\r\n")):
        raise Invalid(f"{file or 'Standard input'} holds no password.")
    return password


def _is_near(server: str) -> bool:
    """Tell whether a server is on this machine, by its host as a whole."""
    import ipaddress
    from urllib.parse import urlsplit

    host = urlsplit(server).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _end_of(profile: "Profile") -> None:
    """End the session of a profile at its server, if it has not ended by itself."""
    with plain_log(), closing(make_client(profile.server, profile.known_keys)) as client:
        client.resume(profile.tokens, profile.whoami)
        _end(client)


def _end(client: "UserClient") -> None:
    from vantage6.common.token_claims import claims

    try:
        session = claims(client.token or "").get("sid")
        if session is not None:  # the original server knows none
            client.util.end_session(session)
    except Unauthenticated:
        pass  # it has ended
    except V6Error as error:
        console.say(
            f"vantage6: the server was not told ({error.message}) Its session ends by itself.",
            err=True,
        )


def _fingerprint(client: "UserClient", key: str | None) -> str | None:
    if key is None:
        return None
    from vantage6.common.encryption import RSACryptor

    set_up_key(client, key)
    return RSACryptor.fingerprint(RSACryptor(key).public_key_str)
