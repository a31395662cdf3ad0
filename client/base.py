"""What all clients of the library have in common."""

import logging
from collections.abc import Mapping
from typing import Any

from vantage6.client import two_factor
from vantage6.client.groups.group import Group
from vantage6.client.login import Login
from vantage6.client.session import Document, NoReply, NotTheServer, Session
from vantage6.common.encryption import CryptorBase
from vantage6.common.errors import Unauthenticated, V6Error
from vantage6.common.exceptions import AuthenticationException
from vantage6.common.identity import WhoAmI
from vantage6.common.terminal_text import one_line

log = logging.getLogger("vantage6.client")


def _harmless(record: logging.LogRecord) -> bool:
    """Let names that come from the server command no terminal."""
    record.msg, record.args = one_line(record.getMessage()), ()
    return True


log.addFilter(_harmless)


def set_up_log(verbose: bool, level: str) -> None:
    """Log from a level on; where verbose, all of it, to standard error."""
    log.setLevel(logging.DEBUG if verbose else level.upper())
    if verbose and not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(handler)


class ClientBase:
    """A server and an identity there.

    Parameters
    ----------
    host
        Address with scheme, such as ``https://v6.example.org``.
    port
        Left out of the address when empty.
    path
        Prefix of the API at the server; may be empty.
    raise_errors
        Raise the errors of `vantage6.common.errors` when the server refuses something. By
        default a refusal is returned as ``{"msg": ..., "code": ...}``, as scripts for
        vantage6 3.11 expect.
    proxies_from_environment
        Follow ``HTTPS_PROXY`` and its like.
    verbose
        Errors keep the errors of the libraries below that led to them, and all places in this
        library that they passed.
    """

    SubClient = Group

    def __init__(
        self,
        host: str,
        port: int | str | None = None,
        path: str = "/api",
        *,
        raise_errors: bool = False,
        proxies_from_environment: bool = True,
        verbose: bool = False,
    ) -> None:
        self._session = Session(
            host, port, path, proxies_from_environment=proxies_from_environment, verbose=verbose
        )
        self._login = Login(self._session)
        self.raise_errors = raise_errors
        self.log = log
        self.cryptor: CryptorBase | None = None
        self.whoami: WhoAmI | None = None

    def __repr__(self) -> str:
        me = self.whoami
        who = f"{me.name} of {me.organization_name}" if me else "not logged in"
        return f"<{type(self).__name__} at {self.base_path}: {who}>"

    @property
    def host(self) -> str:
        """Address of the server, with scheme."""
        return self._session.host

    @property
    def port(self) -> int | str | None:
        """Port of the server, if the address needs one."""
        return self._session.port

    @property
    def path(self) -> str:
        """Prefix of the API at the server."""
        return self._session.path

    @property
    def base_path(self) -> str:
        """Address of the API."""
        return self._session.base_path

    @property
    def token(self) -> str | None:
        """The access token, once logged in."""
        return self._login.access

    @property
    def headers(self) -> dict[str, str]:
        """The headers that prove who asks."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    @property
    def name(self) -> str:
        """The own name; for a user the first name."""
        return self.whoami.name if self.whoami else ""

    def generate_path_to(self, endpoint: str) -> str:
        """Return the address of an endpoint.

        Parameters
        ----------
        endpoint
            Path below the prefix of the API, with or without a slash in front.
        """
        return self._session.url(endpoint)

    def authenticate(self, credentials: Document, path: str = "token/user") -> bool:
        """Log in with the names and values that the server takes.

        Parameters
        ----------
        credentials
            What proves who asks, such as ``{"api_key": ...}`` for ``token/node``.
        path
            Where the server takes it.

        Returns
        -------
        bool
            Whether you are logged in now; otherwise the server wants two-factor authentication to
            be set up first, and this shows how to.

        Raises
        ------
        AuthenticationException
            If the server does not accept the credentials.
        """
        reply = self.begin_session(credentials, path)
        if "qr_uri" in reply:
            two_factor.show(reply)
            return False
        if "access_token" not in reply:
            raise AuthenticationException(reply.get("msg"))
        if "recovery_codes" in reply:
            two_factor.show_codes(reply)
        return True

    def begin_session(self, credentials: Document, path: str = "token/user") -> Document:
        """Log in like `authenticate`, but show nothing.

        Parameters
        ----------
        credentials
            What proves who asks.
        path
            Where the server takes it.

        Returns
        -------
        dict
            The answer. Without ``access_token`` you are not logged in: the server wants a second
            factor too, which has to be set up first where there is ``qr_uri``.

        Raises
        ------
        AuthenticationException
            If the server does not accept the credentials.
        """
        try:
            return self._login.open(path, credentials)
        except Unauthenticated as error:
            failure = AuthenticationException(f"Failed to authenticate: {error.message}")
            raise failure from self._session.cause(error)
        except V6Error as error:
            raise self._shortened(error) from error.__cause__

    def request(
        self,
        endpoint: str,
        json: object = None,
        method: str = "get",
        params: Mapping[str, Any] | None = None,
        first_try: bool = True,
        retry: bool = True,
    ) -> Any:
        """Send a request and return the JSON of the reply.

        Parameters
        ----------
        endpoint
            Path below the prefix of the API, such as ``task/3``.
        json
            Body, if there is one.
        method
            HTTP method.
        params
            Query; absent values are left out.
        first_try, retry
            Renew an expired token and ask again, unless one of them is false.

        Raises
        ------
        NoReply, NotTheServer
            If the server cannot be reached, or something else answers.
        V6Error
            If the server refuses and the client was made with ``raise_errors``.
        """
        try:
            return self.call(method, endpoint, json=json, params=params, renew=first_try and retry)
        except (NoReply, NotTheServer):  # nothing of the server, which 3.11 raised too
            raise
        except V6Error as error:
            return self.refused(error)

    def call(
        self,
        method: str,
        endpoint: str,
        *,
        json: object = None,
        params: Mapping[str, Any] | None = None,
        renew: bool = True,
    ) -> Any:
        """Send a request like `request`, but raise a refusal in any case.

        Parameters
        ----------
        method
            HTTP method.
        endpoint
            Path below the prefix of the API.
        json
            Body, if there is one.
        params
            Query; absent values are left out.
        renew
            Renew an expired token and ask again.
        """
        self.log.debug("%s %s", method.upper(), endpoint)
        try:
            return self._login.request(method, endpoint, json=json, params=params, renew=renew)
        except V6Error as error:
            raise self._shortened(error) from error.__cause__

    def _shortened(self, error: V6Error) -> V6Error:
        """Return an error without the places below this one, which tell a user nothing."""
        return error if self._session.verbose else error.with_traceback(None)

    def refused(self, error: V6Error) -> Document:
        """Raise the error, or return it, as the client was asked to.

        Parameters
        ----------
        error
            Why something cannot be done.
        """
        if self.raise_errors:
            raise error
        self.log.warning("Server refused: %s", error.message)
        return {"msg": error.message, "code": error.error_code}

    def refresh_token(self) -> None:
        """Get a new access token now; an expired one is renewed without being asked.

        Raises
        ------
        Unauthenticated
            If the login is over: log in again.
        """
        if self.token is None or not self._login.renew(self.token):
            raise Unauthenticated("The login is over: log in again.")

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()
