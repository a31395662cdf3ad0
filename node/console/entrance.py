"""The pages before a session: the link, the password, and the way out."""

from typing import Any

import falcon

from vantage6.common import logs
from vantage6.node.console.accounts import Accounts, TooManyGuesses
from vantage6.node.console.guard import COOKIE
from vantage6.node.console.rendering import Renderer
from vantage6.node.console.sessions import SESSION_SECONDS, Links, Person, Sessions

log = logs.get(__name__)

_WAIT_SECONDS = 60
_WRONG = "The link was opened before, or its time is over. Make a new one with `vnode console`."


class Entrance:
    """Lets people in.

    Parameters
    ----------
    pages, links, accounts, sessions
        What writes the pages, who may come in, and who is in.
    """

    def __init__(
        self, pages: Renderer, links: Links, accounts: Accounts, sessions: Sessions
    ) -> None:
        self._pages = pages
        self._links = links
        self._accounts = accounts
        self._sessions = sessions

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        """Tell how to get in."""
        self._show(resp)

    def on_get_link(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Show the button that opens a link.

        Nothing is used up here: programs that look at links before people do open nothing.
        """
        self._pages.write(resp, "open", link=req.get_param("link") or "")

    def on_post_link(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Open a link, once."""
        person = self._links.open(_field(req, "link"))
        if person is None:
            log.warning("a link to the console was refused")
            resp.status = falcon.HTTP_403
            self._show(resp, _WRONG)
            return
        self._enter(resp, person)

    def on_post_password(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Let a person in that has a password."""
        name = _field(req, "name")
        try:
            person = self._accounts.check(name, _field(req, "password"), _field(req, "digits"))
        except TooManyGuesses:
            resp.status = falcon.HTTP_429
            resp.set_header("Retry-After", str(_WAIT_SECONDS))
            self._show(resp, "There were too many wrong passwords. Wait a minute.")
            return
        if person is None:
            log.warning("a password at the console was refused")
            resp.status = falcon.HTTP_403
            self._show(resp, "Name, password or digits are wrong.")
            return
        self._enter(resp, person)

    def _show(self, resp: falcon.Response, fault: str = "") -> None:
        has_accounts = bool(self._accounts.all())
        self._pages.write(resp, "enter", fault=fault, has_accounts=has_accounts)

    def _enter(self, resp: falcon.Response, person: Person) -> None:
        session, secret = self._sessions.begin(person)
        log.info("console opened", person=person.name, role=person.role)
        resp.set_cookie(
            COOKIE,
            secret,
            max_age=SESSION_SECONDS,
            path=f"/{session.place}/",
            secure=False,  # loopback has no TLS
            http_only=True,
            same_site="Strict",
        )
        resp.status = falcon.HTTP_303
        resp.set_header("Location", f"/{session.place}/now")


class Leaving:
    """Ends a session.

    Parameters
    ----------
    sessions
        Who is in.
    """

    is_for_auditors = True

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """End the session of this browser."""
        session = req.context.session
        self._sessions.end(session)
        resp.unset_cookie(COOKIE, path=f"/{session.place}/", same_site="Strict")
        resp.status = falcon.HTTP_303
        resp.set_header("Location", "/")


def _field(req: falcon.Request, name: str) -> str:
    form: dict[str, Any] = req.context.form
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
