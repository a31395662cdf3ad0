"""The inbox of a node at the server, one message at a time."""

import threading
from typing import Any

from vantage6.client.login import Login
from vantage6.common.errors import Invalid, NotConfigured, NotFound

#: Beyond the wait that was asked for; more than the server may need on a bad day.
_MARGIN_SECONDS = 20.0
#: Nobody waits long for a last word.
_LEAVE_SECONDS = 1.0
#: As many acknowledgements are remembered that may not have arrived.
_REMEMBERED = 100


class Inbox:
    """What `vantage6.broker.transports.https` needs, by requests of a node that is logged in.

    For one consumer at a time. Safe for threads: a request of a consumer that is gone may end
    beside those of the next consumer.

    An acknowledgement whose answer is lost may have arrived or not. The message comes again in the
    second case only; it is acknowledged again then, instead of being handed out twice.

    Parameters
    ----------
    login
        The node.
    node_id
        Its id.
    """

    def __init__(self, login: Login, node_id: int) -> None:
        self._login = login
        self._path = f"node/{node_id}/inbox"
        self._settled: dict[str, None] = {}
        self._lock = threading.Lock()

    def take(self, wait: int) -> dict[str, Any] | None:
        """Return the envelope in flight, or of the next message that comes within some seconds.

        Raises
        ------
        NotConfigured
            If the server has no inboxes.
        V6Error
            Of the kind that fits, if there is no answer or a refusal.
        """
        for _ in range(_REMEMBERED):
            envelope = self._take(wait)
            if envelope is None:
                return None
            tag = _tag(envelope)
            with self._lock:
                known = tag in self._settled
            if not known:
                return envelope
            self.settle(tag)
        return None

    def settle(self, delivery_tag: str, *, requeue: bool = False) -> None:
        """Acknowledge a message, or move it to the end of the queue; again is harmless."""
        if requeue:
            self._delete(f"{self._path}/{delivery_tag}", requeue="true")
            return
        with self._lock:
            self._settled[delivery_tag] = None
            if len(self._settled) > _REMEMBERED:
                del self._settled[next(iter(self._settled))]
        self._delete(f"{self._path}/{delivery_tag}")
        with self._lock:
            self._settled.pop(delivery_tag, None)

    def leave(self) -> None:
        """Say that the node consumes no longer."""
        self._login.request("delete", self._path, timeout=_LEAVE_SECONDS)

    def _take(self, wait: int) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] | None = self._login.request(
                "get", self._path, params={"wait": wait}, timeout=wait + _MARGIN_SECONDS
            )
        except NotFound as error:
            raise NotConfigured(
                "The server answers 404 where the inboxes of nodes should be: it is too old for "
                "`transport: https`. Update it, or set `transport: redis`."
            ) from error
        return found

    def _delete(self, path: str, **params: str) -> None:
        self._login.request("delete", path, params=params)


def _tag(envelope: Any) -> str:
    try:
        return str(envelope["properties"]["delivery_tag"])
    except (KeyError, TypeError) as error:
        raise Invalid("What answers is not a server of this system.") from error
