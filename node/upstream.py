"""The server, as the node's proxy passes requests on to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from vantage6.common.errors import Unavailable

_CONNECT_SECONDS = 5.0
_READ_SECONDS = 60.0
#: Requests of all algorithms of this node that are under way at once.
_CONNECTIONS = 32


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
    """

    def __init__(self, address: str) -> None:
        self._http = httpx2.Client(
            base_url=address,
            timeout=httpx2.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
            limits=httpx2.Limits(max_connections=_CONNECTIONS),
            # Only connections that did not come about are tried again: a request that may have
            # arrived never is, or a task would be created twice.
            transport=httpx2.HTTPTransport(
                retries=2, limits=httpx2.Limits(max_connections=_CONNECTIONS)
            ),
        )

    def request(
        self,
        method: str,
        path: str,
        token: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Reply:
        """Send one request as the algorithm that holds a token.

        Raises
        ------
        Unavailable
            If the server does not answer, or not in JSON.
        """
        try:
            response = self._http.request(
                method,
                path,
                params=params,
                json=body,
                headers={"Authorization": f"Bearer {token}"},
            )
            return Reply(response.status_code, response.json())
        except httpx2.HTTPError as error:
            raise Unavailable("The server does not answer; try again later.") from error
        except ValueError as error:
            raise Unavailable("The server gave no answer in JSON.") from error

    def close(self) -> None:
        """Close all connections."""
        self._http.close()
