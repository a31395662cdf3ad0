"""The documentation of the API, readable without internet."""

import base64
import hashlib
import threading
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

import falcon
from falcon import Request, Response

from vantage6.api.http.answers import Sending
from vantage6.api.http.transfers import Transfers
from vantage6.api.openapi import document
from vantage6.api.routes import Route
from vantage6.api.start_page import POLICY, start_page
from vantage6.web.site import ADDRESS

#: What the package offapi brings, under the names that our pages use.
_ASSETS = {
    "swagger-ui.js": ("swagger_bundle.js", "text/javascript"),
    "swagger-ui.css": ("swagger_style.css", "text/css"),
    "redoc.js": ("redoc.js", "text/javascript"),
}
_START = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#ui", deepLinking: true});'
_SWAGGER = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>vantage6 API</title>
<link rel="stylesheet" href="/apidocs/swagger-ui.css"></head>
<body><div id="ui"></div><script src="/apidocs/swagger-ui.js"></script>
<script>{_START}</script></body></html>"""
_REDOC = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>vantage6 API</title></head>
<body style="margin: 0"><redoc spec-url="/openapi.json"></redoc>
<script type="module" src="/apidocs/redoc.js"></script></body></html>"""
_START_HASH = base64.b64encode(hashlib.sha256(_START.encode()).digest()).decode()
# SECURITY: nothing leaves for the internet; ReDoc would report every visit to its makers.
_POLICY = (
    f"default-src 'self'; script-src 'self' 'sha256-{_START_HASH}'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "worker-src blob:; frame-ancestors 'none'"
)


class Docs:
    """The OpenAPI document, the pages that show it, and the way to them.

    Parameters
    ----------
    routes, prefix
        All routes of the API, and what comes before their paths.
    folder
        Where the files of large answers are.
    transfers
        What is on its way in this process.
    absence
        Why this server shows no web pages; empty if it shows them.
    """

    def __init__(
        self,
        routes: Iterable[Route],
        prefix: str,
        folder: Path,
        transfers: Transfers,
        absence: str,
    ) -> None:
        self._routes = tuple(routes)
        self._prefix = prefix
        self._folder = folder
        self._transfers = transfers
        self._absence = absence
        self._lock = threading.Lock()
        self._made: dict[str, Any] | None = None

    @property
    def _document(self) -> dict[str, Any]:
        # Made when somebody first asks; a start need not wait for it. SECURITY: once, as it takes
        # long and anybody may ask.
        with self._lock:
            if self._made is None:
                self._made = document(self._routes, self._prefix)
            return self._made

    def on_get_index(self, req: Request, resp: Response) -> None:
        """Lead browsers to the web pages or tell them what this is; tell programs, in JSON."""
        said = self._document["info"]
        resp.append_header("Vary", "Accept")
        if req.client_prefers([falcon.MEDIA_JSON, "text/html"]) == "text/html":
            if not self._absence:
                resp.status, resp.location = falcon.HTTP_302, ADDRESS
                return
            text = start_page(said["title"], said["version"], self._prefix, self._absence)
            self._page(resp, text, POLICY)
            return
        resp.media = {
            "name": said["title"],
            "version": said["version"],
            "api": self._document["servers"][0]["url"],
            "documentation": ["/apidocs", "/redoc", "/openapi.json"],
        }

    def on_get_robots(self, _: Request, resp: Response) -> None:
        """Ask crawlers to stay away."""
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "User-agent: *\nDisallow: /\n"

    def on_get_openapi(self, req: Request, resp: Response) -> None:
        """Send the OpenAPI document."""
        self._sending(req, resp).send(self._document)

    def on_get_swagger(self, _: Request, resp: Response) -> None:
        """Send the page with which the API can be tried."""
        self._page(resp, _SWAGGER)

    def on_get_redoc(self, _: Request, resp: Response) -> None:
        """Send the page with which the API can be read."""
        self._page(resp, _REDOC)

    def on_get_asset(self, req: Request, resp: Response, name: str) -> None:
        """Send a script or a style of these pages."""
        if name not in _ASSETS:
            raise falcon.HTTPNotFound(description=f"There is no {name} here.")
        file, resp.content_type = _ASSETS[name]
        self._sending(req, resp).send_file(resources.files("offapi").joinpath(file))
        resp.set_header("Cache-Control", "public, max-age=86400")

    def _sending(self, req: Request, resp: Response) -> Sending:
        return Sending(req, resp, self._folder, "", self._transfers)

    @staticmethod
    def _page(resp: Response, text: str, policy: str = _POLICY) -> None:
        resp.content_type = falcon.MEDIA_HTML
        resp.set_header("Content-Security-Policy", policy)
        resp.text = text
