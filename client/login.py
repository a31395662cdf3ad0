"""An identity at a server: its tokens, renewed in time, and the requests made with them."""

import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, Protocol

from vantage6.client.session import Document, Session
from vantage6.common.errors import BAD_TOKEN, Invalid, NotFound, Unauthenticated
from vantage6.common.token_claims import claims

#: A token that lives no longer than this is renewed before it is used.
_MARGIN_SECONDS = 10.0
#: Nobody waits long for the end of a session.
_END_SECONDS = 2.0
#: Codes of refusals that a new token may mend; the original server sends no code.
_MENDED_BY_RENEWAL = (Unauthenticated.code, BAD_TOKEN, "token_expired", "session_ended")


class Tokens(NamedTuple):
    """What proves an identity, and what renews it."""

    access: str
    refresh: str


class TokenStore(Protocol):
    """Tokens of one session that several processes use one after the other."""

    def alone(self) -> AbstractContextManager[Tokens | None]:
        """Hold the tokens alone; gives those of this moment, or None after a logout."""

    def save(self, tokens: Tokens) -> None:
        """Replace the tokens, while they are held."""


class Login:
    """The tokens of one identity. Safe for threads.

    Parameters
    ----------
    session
        The server.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.access: str | None = None
        self._refresh: str | None = None
        self._credentials: tuple[str, Document] | None = None
        self._renew_at = float("inf")
        self._store: TokenStore | None = None
        self._lock = threading.Lock()

    def open(
        self,
        endpoint: str,
        credentials: Document,
        *,
        keep: bool = False,
        once: Document | None = None,
    ) -> Document:
        """Exchange credentials for tokens and return the reply, which may hold none.

        Parameters
        ----------
        endpoint
            Where the server takes these credentials.
        credentials
            What it takes.
        keep
            Log in again with the same credentials when the refresh token has expired.
        once
            What is sent this time only.

        Raises
        ------
        Unauthenticated
            If the credentials are wrong.
        NotTheServer
            If there is no server of this system at the address.
        """
        sent = {**credentials, **(once or {})}
        try:
            reply: Document = self.session.request("post", endpoint, json=sent)
        except NotFound as error:  # every server of this system has it, at the right path
            raise self.session.not_the_server(404) from self.session.cause(error)
        if not isinstance(reply, dict):
            raise self.session.not_the_server(200)
        if "access_token" in reply:
            self._keep(reply)
            self._credentials = (endpoint, credentials) if keep else None
        return reply

    def hold(self, token: str) -> None:
        """Use a token that cannot be renewed."""
        self.access = token

    @property
    def tokens(self) -> Tokens | None:
        """The tokens that can be kept for later; None before a login."""
        if self.access is None or self._refresh is None:
            return None
        return Tokens(self.access, self._refresh)

    def resume(self, tokens: Tokens, store: TokenStore | None = None) -> None:
        """Go on with tokens that were kept.

        Parameters
        ----------
        tokens
            The tokens.
        store
            Where other processes find them; renewed ones are put there.
        """
        self.access, self._refresh = tokens
        # How old they are is not known: the server says when they have expired.
        self._renew_at = float("inf")
        self._store = store

    def end(self, endpoint: str) -> None:
        """Log out, and not in again: what is still asked for is refused."""
        with self._lock:
            token, self._refresh, self._credentials = self.access, None, None
        self.session.request("delete", endpoint, token=token, timeout=_END_SECONDS)

    def current(self) -> str:
        """Return the access token; a new one if the old one has nearly expired.

        Raises
        ------
        Unauthenticated
            If there is none.
        """
        if self.access is not None and time.monotonic() >= self._renew_at:
            self.renew(self.access)
        if self.access is None:
            raise Unauthenticated("Log in first: client.authenticate(username, password).")
        return self.access

    def request(
        self,
        method: str,
        endpoint: str,
        *,
        json: object = None,
        params: Mapping[str, Any] | None = None,
        renew: bool = True,
        timeout: float | None = None,
    ) -> Any:
        """Send a request as this identity; with a renewed token where the old one has expired.

        The raised errors are those of `Session.request`.
        """
        token = self.access
        if renew and token is not None and time.monotonic() >= self._renew_at:
            self.renew(token)
            token = self.access
        sent: dict[str, Any] = {"json": json, "params": params, "timeout": timeout}
        try:
            return self.session.request(method, endpoint, token=token, **sent)
        except Unauthenticated as error:
            # A refused request had no effect, so that it may be sent again, whatever its method;
            # unless it was refused for something else, such as a wrong password that would count
            # twice.
            expired = error.error_code in _MENDED_BY_RENEWAL
            if not (renew and expired) or token is None or not self.renew(token):
                raise
        return self.session.request(method, endpoint, token=self.access, **sent)

    def renew(self, stale: str) -> bool:
        """Replace a token, unless another thread has; tell whether there is a new one."""
        with self._lock:
            if self.access != stale:
                return True
            if self._refresh is None:
                return False
            # A refresh token is good for one renewal: other processes take its outcome.
            with self._store.alone() if self._store else nullcontext(self.tokens) as kept:
                if kept is None:
                    return False
                if self._store and kept.access != stale:
                    self.resume(kept, self._store)
                    return True
                return self._renew_alone()

    def _renew_alone(self) -> bool:
        try:
            reply = self.session.request("post", "token/refresh", token=self._refresh)
        except (Unauthenticated, Invalid):
            if self._credentials is None:
                return False
            endpoint, credentials = self._credentials
            reply = self.session.request("post", endpoint, json=credentials)
        self._keep(reply)
        if self._store and (tokens := self.tokens):
            self._store.save(tokens)
        return True

    def _keep(self, reply: Any) -> None:
        # A gateway on the way can answer 200 as well.
        if not isinstance(reply, dict) or not isinstance(reply.get("access_token"), str):
            raise self.session.not_the_server(200)
        self.access, self._refresh = reply["access_token"], reply.get("refresh_token")
        said = claims(reply["access_token"])
        # The lifetime counts, not the hour: the clock of this machine may be wrong.
        try:
            lifetime = float(said["exp"]) - float(said["iat"])
        except (KeyError, TypeError, ValueError):
            lifetime = float("inf")
        self._renew_at = time.monotonic() + lifetime - min(_MARGIN_SECONDS, lifetime / 2)
