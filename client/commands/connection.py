"""What the researcher's commands share: the client of a login, and how they answer."""

import functools
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from vantage6.client.commands.endings import said_plainly
from vantage6.common.cli import console
from vantage6.common.errors import Invalid, Unauthenticated
from vantage6.common.terminal_text import one_line

if TYPE_CHECKING:
    from vantage6.client.client import UserClient
    from vantage6.client.commands.profiles import Profile

#: Codes of refusals after which only a login helps.
_LOGGED_OUT = ("unauthenticated", "token_expired", "session_ended", "bad_token")

profile_option = click.option(
    "-p", "--profile", envvar="V6_PROFILE", help="Name of the login, where you have several."
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document, for programs."
)
unencrypted_option = click.option(
    "--unencrypted", is_flag=True, help="The collaboration is not encrypted, although a key is set."
)


@dataclass(frozen=True)
class Connection:
    """A client that is logged in, and how a command answers."""

    client: "UserClient"
    profile: "Profile"
    as_json: bool

    def answer(self, document: Any, show: Callable[[], None]) -> None:
        """Print a document for programs, or show it to a person.

        Parameters
        ----------
        document
            What JSON can hold, and what numpy and pandas can turn into it.
        show
            Prints the same for people.
        """
        if self.as_json:
            from vantage6.common.serialization import to_json

            console.say(to_json(document).decode())
        else:
            show()

    def note(self, text: str) -> None:
        """Tell a person how things go, on standard error."""
        console.say(one_line(text), err=True)

    def set_up_encryption(self, *, encrypted: bool, unencrypted: bool, where: str) -> None:
        """Use the key of the login for a collaboration, or no encryption.

        Parameters
        ----------
        encrypted
            Whether the collaboration is encrypted, as the server says.
        unencrypted
            Whether the user says that it is not.
        where
            The collaboration, for messages.

        Raises
        ------
        Invalid
            If both do not fit.
        """
        key = self.profile.key
        if encrypted and key is None:
            raise Invalid(
                f"{where} is encrypted, and this login has no key. Call `vantage6 login "
                f"{self.profile.server} --user {self.profile.username} --key FILE` with the "
                "private key of your organization."
            )
        # SECURITY: a server that lies about the collaboration must not get to see an input, nor
        # have its own words taken for a result.
        if not encrypted and key is not None and not unencrypted:
            raise Invalid(
                f"{where} is not encrypted, says the server, but this login has a key. If that is "
                "right, add --unencrypted: the server can then read input and results."
            )
        set_up_key(self.client, key if encrypted else None)


def with_login(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the `Connection` of a login, as its first argument."""

    @profile_option
    @json_option
    @functools.wraps(function)
    def command(*args: Any, profile: str | None, as_json: bool, **options: Any) -> None:
        with said_plainly(as_json), connected(profile, as_json=as_json) as connection:
            function(connection, *args, **options)

    return command


@contextmanager
def connected(name: str | None, *, as_json: bool = False) -> Iterator[Connection]:
    """Give the client of a login.

    Parameters
    ----------
    name
        Name of the profile; see `profiles.find`.
    as_json
        Whether the command answers in JSON.

    Raises
    ------
    Unauthenticated
        If there is no such login, or its session is over.
    """
    from vantage6.client.commands import profiles

    file, profile = profiles.find(name)
    with plain_log(), closing(make_client(profile.server, profile.known_keys)) as client:
        client.resume(profile.tokens, profile.whoami, file)
        try:
            yield Connection(client, profile, as_json)
        except Unauthenticated as error:
            if error.error_code not in _LOGGED_OUT:
                raise
            raise Unauthenticated(
                f"The login at {profile.server} is over ({error.message}). Call `vantage6 login "
                f"{profile.server} --user {profile.username}` again.",
                code=error.error_code,
            ) from error


def make_client(server: str, known_keys: str | None = None) -> "UserClient":
    """Return a client that raises refusals, and gives advice for this command.

    Parameters
    ----------
    server
        Address of the API.
    known_keys
        Where public keys are remembered; None for the usual place.
    """
    from vantage6.client.client import UserClient
    from vantage6.client.groups import keys

    client = UserClient(server, None, "", raise_errors=True, known_keys_file=known_keys)
    advice = "If it says so too: vantage6 keys accept {organization} {fingerprint}"
    client.known_keys = keys.known_keys(client.base_path, None, known_keys, advice=advice)
    return client


def set_up_key(client: "UserClient", key: str | None) -> None:
    """Use a private key file, or no encryption.

    Raises
    ------
    Invalid
        If there is no such file, or it is no private key.
    """
    try:
        client.setup_encryption(key)
    except OSError as error:
        raise Invalid(f"The key file {key} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise Invalid(f"{key} is no private key: {error}") from error


@contextmanager
def plain_log() -> Iterator[None]:
    """Show warnings of the library in the manner of this command, on standard error."""
    log = logging.getLogger("vantage6.client")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("vantage6: %(message)s"))
    log.addHandler(handler)
    propagates, log.propagate = log.propagate, False
    try:
        yield
    finally:
        log.propagate = propagates
        log.removeHandler(handler)
