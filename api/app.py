"""The composition root of the API."""

from pathlib import Path
from typing import Any

import falcon
from falcon import Request, Response
from falcon.media import JSONHandler
from falcon.routing import IntConverter
from pydantic_core import to_json

from vantage6.api import kicks, problems
from vantage6.api.docs import Docs
from vantage6.api.http.middleware import Connection, RequestId
from vantage6.api.http.request_slots import RequestSlots
from vantage6.api.resources.base import Resource
from vantage6.api.resources.metrics import Metrics
from vantage6.api.routes import ROUTES
from vantage6.api.service import Service
from vantage6.api.web_pages import WebPages, why_absent
from vantage6.common.config import Instance, ServerConfig
from vantage6.models import database
from vantage6.web import built
from vantage6.web.site import ADDRESS


def create_app(
    instance: Instance, service: Service | None = None
) -> "falcon.App[Request, Response]":
    """Return the WSGI application of a server; it connects to nothing yet."""
    config = instance.config
    database.bind(
        config.uri,
        folder=instance.folder,
        connections=config.threads + 2,
        kick=kicks.workers_at(instance.broker_url),
    )
    service = service or Service.of(instance)
    app: falcon.App[Request, Response] = falcon.App(
        middleware=[
            *_cross_origin(config.allowed_origins),
            RequestId(service.telemetry, config.api_path),
            Connection(),
        ]
    )
    app.router_options.converters["int"] = Number
    app.req_options.strip_url_path_trailing_slash = False
    # PERF: five times as fast as the standard library.
    app.resp_options.media_handlers[falcon.MEDIA_JSON] = JSONHandler(dumps=to_json)
    problems.install(app)
    resources: dict[type[Resource], Resource] = {}
    for route in ROUTES:
        resource = resources.setdefault(route.resource, route.resource(service))
        app.add_route(config.api_path + route.path, resource, suffix=route.suffix)
    if config.metrics is not None:
        app.add_route(f"{config.api_path}/metrics", Metrics(service))
    pages = built()
    absence = why_absent(pages, config)
    if pages is not None and not absence:
        _add_pages(app, pages, config)
    docs = Docs(ROUTES, config.api_path, instance.folder, service.transfers, absence)
    app.add_route("/", docs, suffix="index")
    app.add_route("/robots.txt", docs, suffix="robots")
    app.add_route("/openapi.json", docs, suffix="openapi")
    app.add_route("/apidocs", docs, suffix="swagger")
    app.add_route("/redoc", docs, suffix="redoc")
    app.add_route("/apidocs/{name}", docs, suffix="asset")
    return app


def _add_pages(app: "falcon.App[Request, Response]", folder: Path, config: ServerConfig) -> None:
    pages = WebPages(folder, config)
    app.add_route(ADDRESS.rstrip("/"), pages, suffix="folder")
    app.add_route(f"{ADDRESS}{{path:path}}", pages)


class Number(IntConverter):
    """A number in a path, in the digits of ASCII: the way back to the client knows no others."""

    def convert(self, value: str) -> int | None:
        """Return the number, or None if it is none."""
        return super().convert(value) if value.isascii() and value.isdecimal() else None


def _cross_origin(origins: list[str]) -> list[Any]:
    """Return what lets pages of other origins read answers, where the operator says so."""
    if not origins:
        return []
    headers = ["Link", "total-count", "Retry-After", "X-Request-ID"]
    allowed = "*" if "*" in origins else origins
    # Permissions lie in the token, which no browser sends by itself.
    return [falcon.CORSMiddleware(allow_origins=allowed, expose_headers=headers)]


def from_environment() -> RequestSlots:
    """Return what gunicorn serves: the application of the instance that its variables name."""
    instance = Instance.from_environment()
    service = Service.of(instance)
    return RequestSlots(create_app(instance, service), service.wakeups, instance.config.threads)
