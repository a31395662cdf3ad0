"""One server over HTTP: pooled connections, time-outs, replies as JSON, refusals as errors."""

import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any
from uuid import uuid4

import httpx2

from vantage6.client.body import Body, parse
from vantage6.client.network import Network, distrust, no_answer, not_this_system, proxy_silence
from vantage6.common.addresses import server_address
from vantage6.common.errors import (
    BAD_TOKEN,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TooMany,
    Unauthenticated,
    Unavailable,
    V6Error,
)
from vantage6.common.terminal_text import harmless

#: The body of a reply that is a JSON object.
Document = dict[str, Any]

_CONNECT_SECONDS = 5.0
_READ_SECONDS = 60.0

#: Safe to send again when no connection came about.
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
#: Safe to send again when a connection broke, although the server may have acted: a server
#: closes a connection that waits in the pool when it likes, also in the moment of its use.
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: What a POST to one of these creates, a server that knows its key creates once.
_CREATING = frozenset(
    {
        "algorithm",
        "collaboration",
        "invitation",
        "organization",
        "port",
        "role",
        "task",
    }
)
#: In each answer of a server that answers a request with a known key from its first answer.
_KEEPS_ANSWERS = "X-Idempotency-Seconds"
_ATTEMPTS = 3
_RETRY_SECONDS = 0.2

#: The highest status that counts as success, by the protocol.
_LAST_SUCCESS = 210
_TOO_LARGE = 413
#: What every refusal of a server of this system holds, each as a text.
_EXPLANATION = ("msg", "code", "request_id")
#: What other programs, and servers of this system at another path, answer without an explanation.
_NOT_OURS = frozenset({400, 403, 404, 405, 406, 410, 415, 426, 501, 505})

#: What the original server, which sends no code, says of a token that it did not sign.
_NOT_SIGNED_HERE = "Signature verification failed"

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


class NotTheServer(Unavailable):
    """Something on the way answers instead of the server."""

    code = "not_the_server"


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
    network
        The way to the server, where it is a special one.
    explains
        This server explains its refusals, see `is_explained`: others are of a gateway on the way.
    settings
        What host, port and path are called where the user writes them, for messages.
    verbose
        Errors keep the errors of the libraries below that led to them.

    Raises
    ------
    Invalid
        If it is no address; see `vantage6.common.addresses`.
    ConfigurationError
        If the way cannot be gone.
    """

    def __init__(
        self,
        host: str,
        port: int | str | None = None,
        path: str | None = "",
        *,
        timeout: float = _READ_SECONDS,
        proxies_from_environment: bool = True,
        network: Network | None = None,
        explains: bool = False,
        settings: str = "host, port and path",
        verbose: bool = False,
    ) -> None:
        try:
            where = server_address(host, port, path)
        except ValueError as error:
            raise Invalid(str(error)) from None
        self.host, self.path, self.base_path = where.host, where.path, where.base
        # As it was given: scripts read it.
        self.port = port or where.port
        self.settings = settings
        self.verbose = verbose
        self._timeout = timeout
        self._explains = explains
        self._keeps_answers = False
        self._asks_environment = proxies_from_environment and not (network and network.proxy)
        self._http = (network or Network()).client(
            timeout=_limits(timeout),
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
        timeout: float | None = None,
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
        timeout
            Seconds that the server may stay silent; default: those of the session.

        Raises
        ------
        NoReply
            If there is no connection or no reply in time.
        V6Error
            The error that fits the status of the reply, with the message and code of the server.
        """
        body = json if json is None or isinstance(json, Body) else Body(json)
        creates = method.upper() == "POST" and endpoint.strip("/") in _CREATING
        request = self._http.build_request(
            method.upper(),
            self.url(endpoint),
            content=body,
            params={key: value for key, value in (params or {}).items() if value is not None},
            headers={
                # Server and client log it; what the server answers to a refusal repeats it.
                "X-Request-ID": uuid4().hex,
                **({"Idempotency-Key": str(uuid4())} if creates else {}),
                **({"Authorization": f"Bearer {token}"} if token else {}),
                **({} if body is None else _describe(body)),
            },
            timeout=_limits(timeout or self._timeout),
        )
        return self._meaning(*self._send(request))

    def cause(self, error: Exception) -> Exception | None:
        """Return what an error for people is raised from: one line is enough for most of them."""
        return error if self.verbose else None

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def _send(self, request: httpx2.Request) -> tuple[httpx2.Response, bytearray]:
        # The server knows by its key that a request came before, so that nothing is made twice.
        has_key = self._keeps_answers and "Idempotency-Key" in request.headers
        attempts = _ATTEMPTS if has_key or request.method in _IDEMPOTENT else 1
        for attempt in range(1, attempts + 1):
            try:
                with closing(self._http.send(request, stream=True)) as response:
                    self._keeps_answers |= _KEEPS_ANSWERS in response.headers
                    content = bytearray()  # which grows in place
                    for piece in response.iter_bytes():
                        content += piece
                return response, content
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                advice = distrust(self.base_path, error)
                if advice or attempt == attempts:
                    raise NoReply(advice or self._no_answer(error)) from self.cause(error)
                time.sleep(_RETRY_SECONDS * 2 ** (attempt - 1))
            except httpx2.TimeoutException as error:
                told = f"{self.base_path} did not answer in time."
                raise _no_reply(request, told) from self.cause(error)
            except httpx2.TransportError as error:
                if advice := distrust(self.base_path, error):
                    raise NoReply(advice) from self.cause(error)
                if attempt == attempts or not (has_key or request.method in _SAFE):
                    told = f"{self.base_path} broke the connection: {error}"
                    raise _no_reply(request, told) from self.cause(error)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _no_answer(self, error: httpx2.TransportError) -> str:
        if self._asks_environment and (
            advice := proxy_silence(self.base_path, error, _CONNECT_SECONDS)
        ):
            return advice
        return no_answer(self.base_path, error, self.settings, _CONNECT_SECONDS)

    def _meaning(self, response: httpx2.Response, content: bytearray) -> Any:
        """Return the JSON of a reply, or raise the error that it stands for."""
        status = response.status_code
        if 300 <= status < 400:
            raise NotTheServer(
                f"The server has moved; use {response.headers.get('location', 'its address')}."
            )
        try:
            body = parse(content) if content else None
        except ValueError as error:
            if status <= _LAST_SUCCESS:
                raise self.not_the_server(status) from self.cause(error)
            body = None
        if status <= _LAST_SUCCESS:
            return body
        said = body if isinstance(body, dict) else {}
        if self._explains and not is_explained(status, said):
            raise NotTheServer(
                f"Something on the way to the server answered {status}; is the server up, and is "
                "the API path right?"
            )
        if status in _NOT_OURS and not (said.get("msg") or said.get("message")):
            raise self.not_the_server(status)
        raise _refusal(response, said)

    def not_the_server(self, status: int) -> NotTheServer:
        """Return the error for an answer of something else, or of another path.

        Parameters
        ----------
        status
            Status of the answer.
        """
        return NotTheServer(not_this_system(self.base_path, status, self.settings))


def is_explained(status: int, body: object) -> bool:
    """Tell whether a refusal counts as one of a server of this system.

    SECURITY: a gateway on the way can answer in JSON too, and knows nothing about tasks and
    results. Its limit of size counts all the same, because the same request meets it again.

    Parameters
    ----------
    status
        Status of the answer.
    body
        The JSON in it.
    """
    if status == _TOO_LARGE:
        return True
    said = body if isinstance(body, dict) else {}
    return all(isinstance(said.get(name), str) for name in _EXPLANATION)


def _limits(seconds: float) -> httpx2.Timeout:
    return httpx2.Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS))


def _describe(body: Body) -> dict[str, str]:
    return {"Content-Type": "application/json", "Content-Length": str(len(body))}


def _no_reply(request: httpx2.Request, told: str) -> NoReply:
    """Return the error for a request that the server may have got all the same."""
    error = NoReply(told)
    # The server has this in its log.
    error.add_note(f"request id: {request.headers['X-Request-ID']}")
    return error


def _refusal(response: httpx2.Response, body: Document) -> V6Error:
    """Return the error that the reply stands for."""
    status, code = response.status_code, body.get("code")
    kind = _ERRORS.get(status, Invalid if status < 500 else Unavailable)
    # The protocol answers 422 to a token that the server did not sign, as after a change of its
    # secret. It is a matter of the login, and not of what was sent.
    if status == 422 and (code == BAD_TOKEN or body.get("msg") == _NOT_SIGNED_HERE):
        kind, code = Unauthenticated, BAD_TOKEN
    # The protocol answers 401 to a lack of permission too; the code tells them apart.
    if status == 401 and code == Forbidden.code:
        kind = Forbidden
    # The original server says `message` where its parser refuses the body.
    message = body.get("msg") or body.get("message") or f"The server answered {status}."
    # SECURITY: it is mostly shown at a terminal.
    error = kind(harmless(str(message)), code=code if isinstance(code, str) else None)
    wait = response.headers.get("Retry-After", "")
    if isinstance(error, TooMany | Unavailable) and wait.isdecimal():
        error.retry_after = int(wait)
    if request_id := body.get("request_id"):
        error.add_note(f"request id: {request_id}")
    return error
