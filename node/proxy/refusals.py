"""What an algorithm is told of what the node refuses it, and what of that is written down."""

from typing import Any

import falcon

from vantage6.common import logs
from vantage6.common.errors import Forbidden, Invalid, TooMany, Unavailable, V6Error
from vantage6.node.proxy.upstream import ReplyTooLarge
from vantage6.node.rules.result_audit import ResultAudit

log = logs.get(__name__)

#: What the proxy itself refuses, by status.
_KINDS = {
    400: "request_garbled",
    401: "wrong_token",
    404: "path_closed",
    405: "method_closed",
    413: "request_too_large",
}
#: The statuses of what is no fault of the algorithm's, or an honest mistake.
_PLAIN: dict[type[V6Error], int] = {Invalid: 400, Unavailable: 503}
#: Those of what it is kept from, which is written down.
_DENIALS: dict[type[V6Error], int] = {Forbidden: 403, ReplyTooLarge: 413, TooMany: 429}


class Refusals:
    """Turns exceptions into answers.

    Parameters
    ----------
    result_audit
        Where it is written down.
    """

    def __init__(self, result_audit: ResultAudit) -> None:
        self._result_audit = result_audit

    def handle_those_of(self, app: falcon.App[falcon.Request, falcon.Response]) -> None:
        """Answer for an application."""
        app.set_error_serializer(self._write_denial)
        app.add_error_handler(Exception, _write_surprise)
        for kind in (*_PLAIN, *_DENIALS):
            app.add_error_handler(kind, self._write)

    def _write_denial(
        self, req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError
    ) -> None:
        kind = _KINDS.get(error.status_code, "request_garbled")
        self._result_audit.record_denied(kind, req.method, req.path, error.status_code)
        resp.media = {"msg": error.description or error.title, "code": kind}

    def _write(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        error: V6Error,
        params: dict[str, Any],  # noqa: ARG002
    ) -> None:
        for kind, status in (_PLAIN | _DENIALS).items():
            if isinstance(error, kind):
                resp.status = status
        if isinstance(error, tuple(_DENIALS)):
            self._result_audit.record_denied(
                error.error_code, req.method, req.path, resp.status_code
            )
        resp.media = {"msg": error.message, "code": error.error_code}
        if isinstance(error, TooMany | Unavailable) and error.retry_after:
            resp.set_header("Retry-After", str(error.retry_after))


def _write_surprise(
    req: falcon.Request,
    resp: falcon.Response,
    error: Exception,  # noqa: ARG001
    params: dict[str, Any],  # noqa: ARG001
) -> None:
    log.exception("proxy failed", method=req.method, path=req.path)
    resp.status = falcon.HTTP_500
    resp.media = {"msg": "The node could not pass on the request; see its log."}
