"""How errors become answers: always JSON with ``msg``, ``code`` and ``request_id``."""

import falcon
from falcon import Request, Response

from vantage6.api.identity.tokens import BadToken
from vantage6.common import errors
from vantage6.common.logs import get
from vantage6.models import database
from vantage6.models.store.idempotency import KeyReused

log = get(__name__)

#: From the special to the general. Lack of permission is 401 because clients of 3.11 expect it.
_STATUS: tuple[tuple[type[errors.V6Error], int], ...] = (
    (BadToken, 422),
    (KeyReused, 422),
    (errors.Unauthenticated, 401),
    (errors.Forbidden, 401),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.Invalid, 400),
    (errors.TooMany, 429),
    (errors.NotConfigured, 501),
    (errors.Unavailable, 503),
    (errors.V6Error, 500),
)


def install(app: "falcon.App[Request, Response]") -> None:
    """Let an app answer every error in our form."""
    app.add_error_handler(Exception, _answer_unexpected)
    app.add_error_handler(falcon.HTTPError, _http)
    app.add_error_handler(errors.V6Error, _ours)
    for failure in database.FAILURES:
        app.add_error_handler(failure, _database)


def _answer(resp: Response, status: int, msg: str, code: str) -> None:
    resp.status = status
    resp.media = {"msg": msg, "code": code, "request_id": resp.get_header("X-Request-ID") or ""}


def _ours(_: Request, resp: Response, error: errors.V6Error, __: object) -> None:
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    seconds = getattr(error, "retry_after", None)
    if seconds is not None:
        resp.set_header("Retry-After", str(seconds))
    _answer(resp, status, error.message, error.error_code)


def _http(_: Request, resp: Response, error: falcon.HTTPError, __: object) -> None:
    status = falcon.http_status_to_code(error.status)
    resp.set_headers(error.headers or {})
    _answer(resp, status, error.description or error.title or "Error", f"http_{status}")


def _database(req: Request, resp: Response, error: Exception, _: object) -> None:
    log.error("database failed", method=req.method, path=req.path, exc_info=error)
    _answer(resp, 503, "The database does not answer; try again later.", "unavailable")


def _answer_unexpected(req: Request, resp: Response, error: Exception, _: object) -> None:
    log.exception("request failed", method=req.method, path=req.path, exc_info=error)
    _answer(
        resp,
        500,
        "The server failed. Its administrator finds the cause in the log under the request id.",
        "server_error",
    )
