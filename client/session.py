"""One server over HTTP: pooled connections, time-outs, replies as JSON, refusals as errors."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2

from vantage6.client.body import encoded
from vantage6.common.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TooMany,
    Unauthenticated,
    Unavailable,
    V6Error,
)

#: The body of a reply that is a JSON object.
Document = dict[str, Any]

_CONNECT_SECONDS = 5.0
_READ_SECONDS = 60.0

#: Safe to send again when no connection came about.
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
#: Safe to send again when a connection broke, although the server may have acted: a server
#: closes a connection that waits in the pool when it likes, also in the moment of its use.
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_ATTEMPTS = 3
_RETRY_SECONDS = 0.2

#: The highest status that counts as success, by the protocol.
_LAST_SUCCESS = 210

_ERRORS: Mapping[int, type[V6Error]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: TooMany,
}


class NoReply(Unavailable):
    """The server cannot be reached or did not answer in time."""

    code = "no_reply"


class Session:
    """The connections to one server. Safe for threads; opens nothing before the first request.

    Parameters
    ----------
    host
        Address with scheme, such as ``https://v6.example.org``.
    port
        Left out of the address when empty.
    path
        Prefix of the API at the server, such as ``/api``; may be empty.
    timeout
        Seconds that the server may stay silent.
    proxies_from_environment
        Follow ``HTTPS_PROXY`` and its like.

    Raises
    ------
    Invalid
        If the address has no scheme.
    """

    def __init__(
        self,
        host: str,
        port: int | str | None = None,
        path: str | None = "",
        *,
        timeout: float = _READ_SECONDS,
        proxies_from_environment: bool = True,
    ) -> None:
        if urlsplit(host).scheme not in ("http", "https"):
            raise Invalid(f"The server address {host!r} must start with https:// or http://.")
        self.host = host.rstrip("/")
        self.port = port
        self.path = "/" + path.strip("/") if path and path.strip("/") else ""
        self.base_path = f"{self.host}:{port}{self.path}" if port else f"{self.host}{self.path}"
        self._http = httpx2.Client(
            timeout=httpx2.Timeout(timeout, connect=_CONNECT_SECONDS),
            trust_env=proxies_from_environment,
        )

    def url(self, endpoint: str) -> str:
        """Return the address of an endpoint, with or without a slash in front."""
        return f"{self.base_path}/{endpoint.lstrip('/')}"

    def request(
        self,
        method: str,
        endpoint: str,
        *,
        json: object = None,
        params: Mapping[str, Any] | None = None,
        token: str | None = None,
    ) -> Any:
        """Send a request and return the JSON of the reply.

        Parameters
        ----------
        method
            HTTP method in any case.
        endpoint
            Path below the prefix of the API.
        json
            Body, if there is one.
        params
            Query; absent values are left out and lists become repeated keys.
        token
            Sent as Bearer token.

        Raises
        ------
        NoReply
            If there is no connection or no reply in time.
        V6Error
            The error that fits the status of the reply, with the message and code of the server.
        """
        request = self._http.build_request(
            method.upper(),
            self.url(endpoint),
            content=None if json is None else encoded(json),
            params={key: value for key, value in (params or {}).items() if value is not None},
            headers={
                **({"Authorization": f"Bearer {token}"} if token else {}),
                **({} if json is None else {"Content-Type": "application/json"}),
            },
        )
        return _content(self._send(request))

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def _send(self, request: httpx2.Request) -> httpx2.Response:
        attempts = _ATTEMPTS if request.method in _IDEMPOTENT else 1
        for attempt in range(1, attempts + 1):
            try:
                return self._http.send(request)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                if attempt == attempts:
                    raise NoReply(f"{self.base_path} cannot be reached: {error}") from error
                time.sleep(_RETRY_SECONDS * 2 ** (attempt - 1))
            except httpx2.TimeoutException as error:
                raise NoReply(f"{self.base_path} did not answer in time.") from error
            except httpx2.TransportError as error:
                if attempt == attempts or request.method not in _SAFE:
                    raise NoReply(f"{self.base_path} broke the connection: {error}") from error
        raise AssertionError("unreachable: the last attempt returns or raises")


def _content(response: httpx2.Response) -> Any:
    status = response.status_code
    if 300 <= status < 400:
        raise Invalid(
            f"The server has moved; use {response.headers.get('location', 'its address')}."
        )
    try:
        body = response.json() if response.content else None
    except ValueError as error:
        if status <= _LAST_SUCCESS:
            raise Invalid(
                f"{response.url} did not answer in JSON; are the address and the API path right?"
            ) from error
        body = None
    if status > _LAST_SUCCESS:
        raise _refusal(response, body if isinstance(body, dict) else {})
    return body


def _refusal(response: httpx2.Response, body: Document) -> V6Error:
    """Return the error that the reply stands for."""
    status, code = response.status_code, body.get("code")
    kind = _ERRORS.get(status, Invalid if status < 500 else Unavailable)
    # The protocol answers 401 to a lack of permission too; the code tells them apart.
    if status == 401 and code == Forbidden.code:
        kind = Forbidden
    # The original server says `message` where its parser refuses the body.
    message = body.get("msg") or body.get("message") or f"The server answered {status}."
    error = kind(str(message), code=code if isinstance(code, str) else None)
    wait = response.headers.get("Retry-After", "")
    if isinstance(error, TooMany) and wait.isdecimal():
        error.retry_after = int(wait)
    if request_id := body.get("request_id"):
        error.add_note(f"request id: {request_id}")
    return error
