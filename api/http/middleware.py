"""What happens around every request."""

import logging
import re
import time
import uuid

import falcon
import structlog
from falcon import Request, Response

from vantage6.api.http.idempotency import KEPT_HEADER
from vantage6.broker import metrics
from vantage6.broker.messages import REQUEST_ID
from vantage6.broker.telemetry import Telemetry
from vantage6.common.logs import get
from vantage6.models import database

log = get(__name__)

#: What is between the braces of a route.
_CONVERTER = re.compile(r"_?(:[^{}]*)?\}")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    **KEPT_HEADER,
}


class RequestId:
    """Give every request an id that client and log share, and log and measure it.

    Parameters
    ----------
    telemetry
        What counts the requests.
    prefix
        Of all routes; it is left out of their names.
    """

    def __init__(self, telemetry: Telemetry, prefix: str) -> None:
        self._telemetry = telemetry
        self._prefix = prefix

    def process_request(self, req: Request, resp: Response) -> None:
        """Take the caller's id if it is a harmless one."""
        given = req.get_header("X-Request-ID") or ""
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        resp.set_header("X-Request-ID", request_id)
        resp.set_headers(_HEADERS)
        req.context.started = time.perf_counter()
        structlog.contextvars.bind_contextvars(request_id=request_id)

    def process_response(self, req: Request, resp: Response, _: object, __: bool) -> None:
        """Log what was answered, and how long it took."""
        # A node that waits for messages asks in vain twice a minute, all day long.
        in_vain = req.method == "GET" and resp.status_code == 204
        seconds = time.perf_counter() - req.context.started
        log.log(
            logging.DEBUG if in_vain else logging.INFO,
            "request answered",
            method=req.method,
            path=req.path,
            status=resp.status_code,
            milliseconds=round(seconds * 1000, 1),
        )
        structlog.contextvars.unbind_contextvars("request_id")
        self._telemetry.observe(metrics.REQUESTS, seconds, *self._names(req), str(resp.status_code))

    def _names(self, req: Request) -> tuple[str, str]:
        """Return method and route of a request: of them there are only so many."""
        template = req.uri_template
        # SECURITY: whoever invents paths or methods must not fill the broker with their names.
        if template is None or req.method not in falcon.HTTP_METHODS:
            return "", ""
        return req.method, _CONVERTER.sub("}", template.removeprefix(self._prefix))


class Connection:
    """Give the database connection back after every request; `endpoint` opens it when needed."""

    def process_response(self, _: Request, __: Response, ___: object, succeeded: bool) -> None:
        """Release what was opened; after a failure, start the next request with a new one."""
        if succeeded:
            database.release()
        else:
            database.close()
