"""What every request to the console has to pass, and what every answer says to a browser."""

import re
from typing import Any

import falcon

from vantage6.node.console.sessions import Role, Session, Sessions

COOKIE = "vantage6_console"
#: Largest form that is read.
MOST_FORM_BYTES = 16_384
_FORM = "application/x-www-form-urlencoded"
#: Names under which a browser on this machine, or at the end of a tunnel, reaches the console.
_HOST = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # Without a referrer a browser hides the origin of a form, which is checked.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Middleware of the console.

    Parameters
    ----------
    sessions
        Who is in.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        """Refuse what no page of the console sends."""
        # SECURITY: a name that an attacker points to this machine is not one of the console.
        host = req.get_header("Host") or ""
        if not _HOST.fullmatch(host):
            raise falcon.HTTPForbidden(
                description="The console answers to 127.0.0.1 and localhost only."
            )
        if req.method not in ("GET", "HEAD", "POST"):
            raise falcon.HTTPMethodNotAllowed(["GET", "HEAD", "POST"])
        site = req.get_header("Sec-Fetch-Site")
        if req.method == "POST":
            _check_form(req, host, site)
        elif site not in (None, "none", "same-origin") and not _is_entrance(req):
            # SECURITY: another port of this machine is the same site to a browser.
            raise falcon.HTTPForbidden(description="Another page asked for this one.")

    def process_resource(
        self,
        req: falcon.Request,
        resp: falcon.Response,  # noqa: ARG002
        resource: Any,
        params: dict[str, Any],
    ) -> None:
        """Find the session, and check the form."""
        if req.method == "POST":
            req.context.form = req.get_media()
        place = params.pop("place", None)
        if place is None:
            return
        session = self._session(req, place)
        if session is None:
            raise falcon.HTTPSeeOther("/")
        req.context.session = session
        if req.method != "POST":
            return
        if not session.knows(str(req.context.form.get("form_secret", ""))):
            raise falcon.HTTPForbidden(
                description="This form is not from a page of this session. Load the page again."
            )
        # SECURITY: what an auditor may send is named; all else is for owners.
        is_open = getattr(resource, "is_for_auditors", False)
        if session.person.role is not Role.OWNER and not is_open:
            raise falcon.HTTPForbidden(description="An auditor may look, and change nothing.")

    def process_response(
        self,
        req: falcon.Request,  # noqa: ARG002
        resp: falcon.Response,
        resource: Any,  # noqa: ARG002
        req_succeeded: bool,  # noqa: ARG002
    ) -> None:
        """Tell the browser to trust nothing but the console's own style."""
        resp.set_headers(_HEADERS)

    def _session(self, req: falcon.Request, place: str) -> Session | None:
        for secret in req.get_cookie_values(COOKIE) or ():
            if found := self._sessions.find(place, secret):
                return found
        return None


def _is_entrance(req: falcon.Request) -> bool:
    """Tell whether a page needs no session: a link in a mail leads here."""
    return req.path in ("/", "/open")


def _check_form(req: falcon.Request, host: str, site: str | None) -> None:
    # SECURITY: every browser says from where a form comes. What does not say it is none.
    origin = req.get_header("Origin")
    if origin != f"{req.scheme}://{host}" or site not in (None, "same-origin"):
        raise falcon.HTTPForbidden(description="Another page sent this form.")
    if (req.content_type or "").partition(";")[0].strip().lower() != _FORM:
        raise falcon.HTTPUnsupportedMediaType(description="The console takes forms only.")
    if req.content_length is None or req.content_length > MOST_FORM_BYTES:
        raise falcon.HTTPContentTooLarge(description="This form is too long.")
