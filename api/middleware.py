"""What happens around every request."""

import re
import time
import uuid

import structlog
from falcon import Request, Response

from vantage6.common.logs import get
from vantage6.models import database

log = get(__name__)

_REQUEST_ID = re.compile(r"[\w.-]{1,64}")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class RequestId:
    """Give every request an id that client and log share, and log it."""

    def process_request(self, req: Request, resp: Response) -> None:
        """Take the caller's id if it is a harmless one."""
        given = req.get_header("X-Request-ID") or ""
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        resp.set_header("X-Request-ID", request_id)
        resp.set_headers(_HEADERS)
        req.context.started = time.perf_counter()
        structlog.contextvars.bind_contextvars(request_id=request_id)

    def process_response(self, req: Request, resp: Response, _: object, __: bool) -> None:
        """Log what was answered, and how long it took."""
        log.info(
            "request answered",
            method=req.method,
            path=req.path,
            status=resp.status_code,
            milliseconds=round((time.perf_counter() - req.context.started) * 1000, 1),
        )
        structlog.contextvars.unbind_contextvars("request_id")


class Connection:
    """Give the database connection back after every request; `endpoint` opens it when needed."""

    def process_response(self, _: Request, __: Response, ___: object, succeeded: bool) -> None:
        """Release what was opened; after a failure, start the next request with a new one."""
        if succeeded:
            database.release()
        else:
            database.close()
