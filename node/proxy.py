"""What one algorithm can say to the server through its node, and nothing else.

The node adds encryption: inputs of sub-tasks are encrypted for the organizations that receive
them, and results are decrypted. Algorithms see plain base64 only.
"""

import hmac
import time
from collections.abc import Callable
from typing import Any

import falcon

from vantage6.common import logs
from vantage6.common.encoding import base64s_to_bytes, bytes_to_base64s
from vantage6.common.encryption import CryptorBase
from vantage6.common.errors import Invalid, TooMany, Unavailable, V6Error
from vantage6.common.known_keys import KeyRefused, KnownKeys
from vantage6.node.keys import checked
from vantage6.node.ledger import Ledger
from vantage6.node.quota import Quota
from vantage6.node.tokens import Tokens
from vantage6.node.upstream import Reply, Upstream

log = logs.get(__name__)

_KEY_SECONDS = 60.0
#: What the door itself refuses, by status.
_KINDS = {
    400: "request_garbled",
    401: "wrong_token",
    404: "path_closed",
    405: "method_closed",
    413: "request_too_large",
}
#: What the server says to those who ask for what is not theirs.
_REFUSED = (401, 403)

_App = falcon.App[falcon.Request, falcon.Response]


class PublicKeys:
    """Public keys of organizations, kept for a moment: a master asks for the same ones again.

    Parameters
    ----------
    upstream
        Connection to the server.
    known
        The keys that the node knows.
    """

    def __init__(self, upstream: Upstream, known: KnownKeys) -> None:
        self._upstream = upstream
        self._known = known
        self._kept: dict[int, tuple[float, str]] = {}

    def of(self, organization_id: int, token: str) -> str:
        """Return the public key of an organization.

        Raises
        ------
        Invalid
            If the organization has none, or another one than the node knows.
        Unavailable
            If a key that is met for the first time cannot be remembered.
        """
        kept_at, key = self._kept.get(organization_id, (0.0, ""))
        if not key or time.monotonic() - kept_at > _KEY_SECONDS:
            reply = self._upstream.request("GET", f"/organization/{organization_id}", token)
            key = reply.body.get("public_key") or "" if reply.ok else ""
            if key:
                # SECURITY: the server may not choose who reads the input of a sub-task.
                checked(self._known, organization_id, key)
            self._kept[organization_id] = (time.monotonic(), key)
        if not key:
            raise Invalid(
                f"Organization {organization_id} has no public key, so that nothing can be "
                "encrypted for it. Its node uploads the key when it starts."
            )
        return key


class Proxy:
    """The HTTP interface of one running algorithm: a WSGI application.

    Parameters
    ----------
    upstream
        Connection to the server.
    keys
        Public keys of the receivers; None if the collaboration is not encrypted.
    cryptor
        Encrypts and decrypts for the node's organization.
    collaboration_id
        The only collaboration that may be asked for.
    tokens
        What this algorithm has to show here, the only token that is accepted, and what is shown
        to the server for it.
    ledger
        Where sub-tasks and refusals are written down.
    quota
        How many sub-tasks it may create.
    """

    def __init__(
        self,
        upstream: Upstream,
        keys: PublicKeys | None,
        cryptor: CryptorBase,
        collaboration_id: int,
        tokens: Tokens,
        ledger: Ledger,
        quota: Quota,
    ) -> None:
        self._ledger = ledger
        self._quota = quota
        self._upstream = upstream
        self._keys = keys
        self._cryptor = cryptor
        self._token = tokens.server
        self._door_token = tokens.door
        self.app = self._application(collaboration_id)

    def _application(self, collaboration_id: int) -> _App:
        app: _App = falcon.App(middleware=[_OwnTokenOnly(self._door_token)])
        app.set_error_serializer(self._write_denial)
        app.add_error_handler(Exception, _write_surprise)
        app.add_error_handler(Invalid, _write_refusal(falcon.HTTP_400))
        app.add_error_handler(Unavailable, _write_refusal(falcon.HTTP_503))
        app.add_error_handler(TooMany, self._write_too_many)
        # SECURITY: the list of what may pass. A path or method that is not here is refused.
        app.add_route("/task", _Tasks(self._create_task))
        plain = _Passage(self._forward)
        opening = _Passage(self._forward_opened)
        for path, passage in (
            ("/task/{_:int}", plain),
            ("/task/{_:int}/result", opening),
            ("/result/{_:int}", opening),
            ("/organization", plain),
            ("/organization/{_:int}", plain),
            (f"/collaboration/{collaboration_id}", plain),
            (f"/collaboration/{collaboration_id}/organization", plain),
            ("/node/{_:int}", plain),
            ("/vpn/algorithm/addresses", plain),
            ("/version", plain),
            ("/health", plain),
        ):
            app.add_route(path, passage)
        return app

    def _forward(self, req: falcon.Request) -> Reply:
        # Of repeated keys the last one counts, as the servers of the protocol read them.
        params = {
            name: value[-1] if isinstance(value, list) else value
            for name, value in req.params.items()
        }
        return self._noted(
            req, self._upstream.request(req.method, req.path, self._token, params=params)
        )

    def _noted(self, req: falcon.Request, reply: Reply) -> Reply:
        if reply.status in _REFUSED:
            self._ledger.denied("refused_by_server", req.method, req.path, reply.status)
        return reply

    def _forward_opened(self, req: falcon.Request) -> Reply:
        reply = self._forward(req)
        if reply.ok:
            found = reply.body
            if isinstance(found, dict) and isinstance(found.get("data"), list):
                found = found["data"]
            for result in found if isinstance(found, list) else [found]:
                self._open_result(result)
        return reply

    def _open_result(self, result: dict[str, Any]) -> None:
        """Decrypt a result in place; what is not for this organization stays as it is."""
        if not result.get("result"):
            return
        try:
            opened = self._cryptor.decrypt_str_to_bytes(result["result"])
        except ValueError:
            log.warning("result cannot be decrypted", result_id=result.get("id"))
        else:
            result["result"] = bytes_to_base64s(opened)

    def _create_task(self, req: falcon.Request) -> Reply:
        body = req.get_media()
        receivers = body.get("organizations") if isinstance(body, dict) else None
        if not receivers:
            raise Invalid("Organizations missing from input")
        inputs = [_plain_input(receiver) for receiver in receivers]
        self._quota.take()
        try:
            self._ledger.subtask(body, inputs)
        except OSError as error:
            raise Unavailable("The node cannot write its audit file; try again later.") from error
        if self._keys is not None:
            body["organizations"] = [
                {**receiver, "input": self._seal(id_, plain, self._keys)}
                for receiver, (id_, plain) in zip(receivers, inputs, strict=True)
            ]
        reply = self._noted(req, self._upstream.request("POST", "/task", self._token, body=body))
        # Algorithm clients know 200 from this door; the server says 201.
        return Reply(200, reply.body) if reply.ok else reply

    def _seal(self, organization_id: int, plain: bytes, keys: PublicKeys) -> str:
        try:
            key = keys.of(organization_id, self._token)
        except KeyRefused:
            self._ledger.denied("key_refused", "POST", "/task", 400)
            raise
        try:
            return self._cryptor.encrypt_bytes_to_str(plain, key)
        except ValueError as error:
            raise Invalid(f"The public key of organization {organization_id} is broken.") from error

    def _write_denial(
        self, req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError
    ) -> None:
        kind = _KINDS.get(error.status_code, "request_garbled")
        self._ledger.denied(kind, req.method, req.path, error.status_code)
        resp.media = {"msg": error.description or error.title, "code": kind}

    def _write_too_many(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        error: TooMany,
        params: dict[str, Any],  # noqa: ARG002
    ) -> None:
        self._ledger.denied(error.error_code, req.method, req.path, 429)
        resp.status = falcon.HTTP_429
        resp.media = {"msg": error.message, "code": error.error_code}
        if error.retry_after:
            resp.set_header("Retry-After", str(error.retry_after))


def _plain_input(receiver: Any) -> tuple[int, bytes]:
    """Return an organization of a sub-task, and the input that is meant for it."""
    try:
        return int(receiver["id"]), base64s_to_bytes(receiver.get("input") or "")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Invalid("Each organization needs an `id` and an `input` in base64.") from error


class _OwnTokenOnly:
    """Refuses requests that do not come from this container's algorithm."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        given = (req.auth or "").encode("utf-8", "replace")
        # SECURITY: a token of another algorithm must not be usable here, nor guessed by timing.
        if not hmac.compare_digest(given, self._expected):
            raise falcon.HTTPUnauthorized(
                description="Send the token in TOKEN_FILE as `Authorization: Bearer`."
            )


class _Passage:
    """GET requests that pass."""

    def __init__(self, forward: Callable[[falcon.Request], Reply]) -> None:
        self._forward = forward

    def on_get(self, req: falcon.Request, resp: falcon.Response, **_: int) -> None:
        _write(resp, self._forward(req))


class _Tasks:
    """The one thing that an algorithm may create."""

    def __init__(self, create: Callable[[falcon.Request], Reply]) -> None:
        self._create = create

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        _write(resp, self._create(req))


def _write(resp: falcon.Response, reply: Reply) -> None:
    resp.status = reply.status
    resp.media = reply.body


def _write_refusal(
    status: str,
) -> Callable[[falcon.Request, falcon.Response, V6Error, dict[str, Any]], None]:
    def write(
        req: falcon.Request,  # noqa: ARG001
        resp: falcon.Response,
        error: V6Error,
        params: dict[str, Any],  # noqa: ARG001
    ) -> None:
        resp.status = status
        resp.media = {"msg": error.message, "code": error.error_code}

    return write


def _write_surprise(
    req: falcon.Request,
    resp: falcon.Response,
    error: Exception,  # noqa: ARG001
    params: dict[str, Any],  # noqa: ARG001
) -> None:
    log.exception("proxy failed", method=req.method, path=req.path)
    resp.status = falcon.HTTP_500
    resp.media = {"msg": "The node could not pass on the request; see its log."}
