"""The server, as the node's proxy passes requests on to it."""

from collections.abc import Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from vantage6.client.body import Body
from vantage6.client.network import Network, distrust
from vantage6.client.node_client import NodeClient
from vantage6.client.session import is_explained
from vantage6.common import logs
from vantage6.common.config import NodeConfig
from vantage6.common.errors import BAD_TOKEN, Unavailable, V6Error
from vantage6.common.identity import NODE_AUTHORIZATION, WRONG_NODE_TOKEN
from vantage6.node.outcomes import size
from vantage6.node.proxy.bodies import REPLY_VALUES, value_of
from vantage6.node.proxy.memory import REPLY_COST, SMALL_BYTES, MemoryBudget
from vantage6.node.proxy.tokens import ServerToken

log = logs.get(__name__)

_CONNECT_SECONDS = 5.0
_READ_SECONDS = 60.0
#: Requests of all algorithms of this node that are under way at once.
_CONNECTIONS = 32
_ATTEMPTS = 3
#: Most that is read of a reply without payloads.
_REPLY_BYTES = 16 * 2**20
#: How the server refuses a token that it did not sign, or that has expired.
_REFUSED_TOKEN = ((422, BAD_TOKEN), (401, "token_expired"))
#: After these nothing has arrived, so that any request may be sent again.
_NOT_ARRIVED = (httpx2.ConnectError, httpx2.ConnectTimeout)
#: After these it may have: what creates a task is not sent again, or there would be two.
_BROKEN = (*_NOT_ARRIVED, httpx2.NetworkError, httpx2.RemoteProtocolError)


def network(config: NodeConfig, base: Path) -> Network:
    """Return the way to the server that a configuration describes.

    Parameters
    ----------
    config
        What it says.
    base
        The folder that relative paths count from.
    """
    shown = config.client_certificate
    return Network(
        proxy=config.proxy,
        ca_bundle=base / Path(config.ca_bundle).expanduser() if config.ca_bundle else None,
        certificate=(
            base / Path(shown.certificate).expanduser(),
            base / Path(shown.key).expanduser(),
        )
        if shown
        else None,
    )


class ReplyTooLarge(V6Error):
    """The server answers with more than an algorithm may have at once."""

    code = "reply_too_large"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"The answer has more than {size(most)}, the most that this node passes on at once "
            "(limits.reply_bytes). Ask for one result after the other: "
            "task/<id>/result?page=1&per_page=1."
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server said."""

    status: int
    body: Any

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return self.status < 300


class Upstream:
    """One pool of connections to the server, for all algorithms of this node.

    Parameters
    ----------
    address
        Scheme, host and port of the server, and the prefix of its API.
    network
        The way to it.
    node
        Whose algorithms these are. Without it only public routes answer: the server wants the
        token of the node beside that of an algorithm.
    memory
        Memory for what is large, of all algorithms together.
    """

    def __init__(
        self,
        address: str,
        network: Network | None = None,
        node: NodeClient | None = None,
        memory: MemoryBudget | None = None,
    ) -> None:
        self._address = address
        self._node = node
        self.memory = memory or MemoryBudget()
        self._http = (network or Network()).client(
            base_url=address,
            timeout=httpx2.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
            limits=httpx2.Limits(max_connections=_CONNECTIONS),
            # SECURITY: a few bytes can unpack into very many.
            headers={"Accept-Encoding": "identity"},
        )

    def request(
        self,
        method: str,
        path: str,
        token: str | ServerToken,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        most: int = _REPLY_BYTES,
        held: ExitStack | None = None,
    ) -> Reply:
        """Send one request as the algorithm that holds a token.

        A request that is refused for the token of the node or of the algorithm is sent once more
        for each, with a new one.

        Parameters
        ----------
        method, path, token, params, body
            What is sent.
        most
            Largest reply that is read.
        held
            Holds the room of a large reply, until it is closed; without it, none is taken.

        Raises
        ------
        ReplyTooLarge
            If the reply is larger.
        Unavailable
            If the server does not answer, or not in JSON.
        """
        ask = partial(self._ask, method, path, params, body, most, held)
        held_token = ServerToken(token) if isinstance(token, str) else token
        try:
            own, shown = held_token.value, self._node_token()
            reply = ask(own, shown)
            # A refused request had no effect, so that it may be sent again.
            if self._node and shown and _is_stale(reply) and self._node.renew_token(shown):
                reply = ask(own, self._node_token())
            if _is_refused(reply) and held_token.renew(own):
                reply = ask(held_token.value, self._node_token())
        except (ReplyTooLarge, Unavailable):
            raise
        except V6Error as error:
            raise Unavailable("The server does not answer; try again later.") from error
        return reply

    def _node_token(self) -> str | None:
        return self._node.access_token() if self._node else None

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: Any,
        most: int,
        held: ExitStack | None,
        token: str,
        shown: str | None,
    ) -> Reply:
        headers = {"Authorization": f"Bearer {token}", "X-Request-ID": uuid4().hex}
        if shown is not None:
            headers[NODE_AUTHORIZATION] = f"Bearer {shown}"
        sent = None if body is None else Body(body)
        if sent is not None:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(sent))}
        request = self._http.build_request(
            method, path, params=params, content=sent, headers=headers
        )
        try:
            status, content = self._send(request, most, held)
            reply = Reply(status, value_of(content, REPLY_VALUES))
        except httpx2.HTTPError as error:
            if advice := distrust(self._address, error):
                # For the administrator of this station; the algorithm can do nothing about it.
                log.warning("server not trusted", reason=advice)
            raise Unavailable("The server does not answer; try again later.") from error
        except ValueError as error:
            raise Unavailable("The server gave no answer in JSON.") from error
        if not reply.ok and not is_explained(status, reply.body):
            raise Unavailable("Something on the way to the server answered in its place.")
        return reply

    def _send(
        self, request: httpx2.Request, most: int, held: ExitStack | None
    ) -> tuple[int, bytearray]:
        passing = _BROKEN if request.method == "GET" else _NOT_ARRIVED
        for _ in range(_ATTEMPTS - 1):
            with suppress(*passing):
                return self._exchange(request, most, held)
        return self._exchange(request, most, held)

    def _exchange(
        self, request: httpx2.Request, most: int, held: ExitStack | None
    ) -> tuple[int, bytearray]:
        """Send a request, and read the reply as far as that is allowed."""
        # An attempt that breaks off gives its room back, or the next one would wait for it.
        with ExitStack() as taken, closing(self._http.send(request, stream=True)) as response:
            announced = int(response.headers.get("Content-Length") or 0)
            # SECURITY: looked at before and while it is read, whatever the header says.
            if announced > most:
                raise ReplyTooLarge(most)
            content = bytearray()
            for piece in response.iter_bytes():
                if held is not None and len(content) <= SMALL_BYTES < len(content) + len(piece):
                    taken.enter_context(self.memory.of(REPLY_COST * (announced or most)))
                content += piece
                if len(content) > most:
                    raise ReplyTooLarge(most)
            if held is not None:
                held.enter_context(taken.pop_all())
            return response.status_code, content

    def close(self) -> None:
        """Close all connections."""
        self._http.close()


def _is_stale(reply: Reply) -> bool:
    """Tell whether the node's token was refused, not the algorithm's."""
    said = reply.body if isinstance(reply.body, dict) else {}
    return reply.status == 401 and said.get("code") == WRONG_NODE_TOKEN


def _is_refused(reply: Reply) -> bool:
    """Tell whether the algorithm's token was refused, and not because its task has ended."""
    said = reply.body if isinstance(reply.body, dict) else {}
    return (reply.status, said.get("code")) in _REFUSED_TOKEN
