"""The console as an application: its pages and their addresses."""

from pathlib import Path

import falcon

from vantage6.common import logs
from vantage6.common.errors import V6Error
from vantage6.node.console.accounts import Accounts
from vantage6.node.console.decisions import Releases, Requests, Switches
from vantage6.node.console.entrance import Entrance, Leaving
from vantage6.node.console.guard import Guard
from vantage6.node.console.pages import Data, Left, Now, Record, Rules
from vantage6.node.console.rendering import Renderer
from vantage6.node.console.sessions import Links, Sessions
from vantage6.node.console.station import Station

log = logs.get(__name__)

#: Folder of the console within the data folder of its node.
FOLDER = "console"


class _Style:
    """The only thing that a page loads."""

    def __init__(self) -> None:
        self._text = (Path(__file__).parent / "console.css").read_text()

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        """Give the style."""
        resp.content_type = "text/css"
        resp.text = self._text


def create_app(
    station: Station, sessions: Sessions | None = None
) -> falcon.App[falcon.Request, falcon.Response]:
    """Return the application for one node."""
    folder = station.folder / FOLDER
    sessions = sessions or Sessions()
    pages = Renderer(station.name)
    entrance = Entrance(pages, Links(folder / "links"), Accounts(folder), sessions)
    app = falcon.App(middleware=[Guard(sessions)])
    app.req_options.auto_parse_form_urlencoded = False
    app.req_options.keep_blank_qs_values = False
    app.add_route("/", entrance)
    app.add_route("/console.css", _Style())
    app.add_route("/open", entrance, suffix="link")
    app.add_route("/enter", entrance, suffix="password")
    app.add_route("/{place}/leave", Leaving(sessions))
    now, left = Now(pages, station), Left(pages, station)
    record, rules = Record(pages, station), Rules(pages, station)
    app.add_route("/{place}/now", now)
    app.add_route("/{place}/stop", now, suffix="stop")
    app.add_route("/{place}/now/{result_id:int(min=0)}", now, suffix="one")
    app.add_route("/{place}/left", left)
    app.add_route("/{place}/left/{result_id:int(min=0)}", left, suffix="one")
    app.add_route("/{place}/left/{result_id:int(min=0)}/{kind}", left, suffix="copy")
    app.add_route("/{place}/record", record)
    app.add_route("/{place}/record/export", record, suffix="export")
    app.add_route("/{place}/rules", rules)
    _add_decisions(app, pages, station)
    app.add_route("/{place}/data", Data(pages, station))

    def on_error(
        req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, params: object
    ) -> None:
        del params
        _show_error(pages, req, resp, error)

    def on_failure(
        req: falcon.Request, resp: falcon.Response, error: Exception, params: object
    ) -> None:
        del params
        log.error("page of the console failed", path=req.path, exc_info=error)
        failed = falcon.HTTPInternalServerError(description="The log of the console says why.")
        _show_error(pages, req, resp, failed)

    def on_refusal(
        req: falcon.Request, resp: falcon.Response, error: V6Error, params: object
    ) -> None:
        del params
        _show_error(pages, req, resp, falcon.HTTPConflict(description=error.message))

    app.add_error_handler(Exception, on_failure)
    app.add_error_handler(V6Error, on_refusal)
    app.add_error_handler(falcon.HTTPError, on_error)
    app.add_error_handler(falcon.HTTPStatus, _pass_on)
    return app


def _add_decisions(
    app: falcon.App[falcon.Request, falcon.Response], pages: Renderer, station: Station
) -> None:
    requests, releases = Requests(pages, station), Releases(pages, station)
    app.add_route("/{place}/requests", requests)
    app.add_route("/{place}/requests/{result_id:int(min=0)}", requests, suffix="one")
    app.add_route("/{place}/releases", releases)
    app.add_route("/{place}/releases/{result_id:int(min=0)}", releases, suffix="one")
    app.add_route("/{place}/releases/{result_id:int(min=0)}/output", releases, suffix="copy")
    switches = Switches(pages, station)
    for name in ("pause", "resume", "grants"):
        app.add_route(f"/{{place}}/{name}", switches, suffix=name)


def _show_error(
    pages: Renderer, req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError
) -> None:
    resp.status = error.status
    resp.set_headers(error.headers or {})
    session = getattr(req.context, "session", None)
    base = f"/{session.place}/now" if session else "/"
    text = error.description or error.title or "There is no such page."
    pages.write(resp, "error", title=error.status, text=text, base=base)


def _pass_on(
    req: falcon.Request, resp: falcon.Response, status: falcon.HTTPStatus, params: object
) -> None:
    del req, params
    resp.status = status.status
    resp.set_headers(status.headers or {})
