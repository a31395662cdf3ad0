"""The client of a node: what a data station asks of the server."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from vantage6.client.body import Body
from vantage6.client.inbox import Inbox
from vantage6.client.login import Login
from vantage6.client.network import Network
from vantage6.client.session import Document, NotTheServer, Session
from vantage6.common.errors import BODY_INCOMPLETE, Conflict, Invalid, Unavailable
from vantage6.common.identity import WhoAmI
from vantage6.common.token_claims import claims
from vantage6.common.told_settings import digest_settings

#: What the server answers to a comparison, at least.
_COMPARISON = {"start", "stop", "forget", "lease_seconds"}
_FOREIGN = "Something on the way to the server answered in its place, with other contents."


class NodeClient:
    """A node at a server. Safe for threads; renews its login by itself.

    Every refusal is raised as one of the errors of `vantage6.common.errors`.

    Parameters
    ----------
    address
        Address of the server with scheme and, if needed, port.
    api_path
        Prefix of the API at the server; may be empty.
    network
        The way to the server, where it is a special one.
    """

    def __init__(
        self, address: str, api_path: str = "/api", network: Network | None = None
    ) -> None:
        session = Session(
            address,
            None,
            api_path,
            network=network,
            explains=True,
            settings=("proxy, " if network and network.proxy else "")
            + "server_url, port and api_path",
            verbose=True,
        )
        self._login = Login(session)
        self._inbox: Inbox | None = None
        #: One for each process.
        self.process = uuid4().hex
        self._has_started = False
        #: What this process told of itself, as far as the server took it.
        self._config: list[Mapping[str, str]] | None = None
        self._ip: str | None = None
        self.whoami: WhoAmI | None = None
        self.collaboration_id: int | None = None

    def authenticate(
        self, api_key: str, instance: str | None = None, previous: Iterable[str] = ()
    ) -> None:
        """Log in and learn who this node is.

        Parameters
        ----------
        api_key
            The key that the server gave for the node.
        instance
            Names the data folder of the station, of which one process computes for the node;
            without it, this login only looks.
        previous
            Names the processes before this one, of which its first login takes the place.

        Raises
        ------
        Unauthenticated
            If the server does not know the key; with code ``key_in_use`` if another station works
            with it.
        NoReply
            If the server cannot be reached.
        """
        told = {} if instance is None else {"instance": instance, "process": self.process}
        # A process that was replaced does not replace its successor.
        once = None if instance is None or self._has_started else {"previous": [*previous]}
        reply = self._login.open("token/node", {"api_key": api_key, **told}, keep=True, once=once)
        if "access_token" not in reply:
            raise NotTheServer(_FOREIGN)
        self._has_started = True
        id_ = int(claims(reply["access_token"])["sub"])
        node = _about(id_, self.request("get", f"node/{id_}"))
        organization = self.organization(node["organization"]["id"])
        self.collaboration_id = (node["collaboration"] or {}).get("id")
        self.whoami = WhoAmI(
            "node", node["id"], node["name"], organization["name"], organization["id"]
        )

    def log_out(self) -> None:
        """End the session, so that another station may work with the key at once."""
        self._login.end("token/node")

    def request(
        self,
        method: str,
        endpoint: str,
        *,
        json: object = None,
        params: Mapping[str, Any] | None = None,
        token: str | None = None,
    ) -> Any:
        """Send any request and return the JSON of the reply.

        Parameters
        ----------
        method
            HTTP method.
        endpoint
            Path below the prefix of the API.
        json
            Body, if there is one.
        params
            Query; absent values are left out.
        token
            Ask in the name of this token, an algorithm's, instead of the node's.
        """
        if token is not None:
            return self._login.session.request(
                method, endpoint, json=json, params=params, token=token
            )
        return self._login.request(method, endpoint, json=json, params=params)

    def access_token(self) -> str:
        """Return a token of this node, for what is sent in the name of one of its algorithms.

        Raises
        ------
        V6Error
            If there is none and none can be had.
        """
        return self._login.current()

    def renew_token(self, stale: str) -> bool:
        """Replace a token that the server refused, unless that was done; tell whether it was."""
        return self._login.renew(stale)

    def container_token(self, task_id: int, image: str) -> str:
        """Return a new token for an algorithm that this node runs.

        Raises
        ------
        Forbidden
            If the task was not sent to this node, or has another image.
        Invalid
            If the task has ended.
        """
        reply = self.request("post", "token/container", json={"task_id": task_id, "image": image})
        return str(reply["container_token"])

    def claim(self, result_id: int) -> Document:
        """Claim a result for this node and return everything that is needed to run it.

        Raises
        ------
        Conflict
            If the result is finished or killed.
        Forbidden
            If it is another node's.
        NotFound
            If it was deleted.
        """
        return _about(result_id, self.request("post", f"result/{result_id}/claim"))

    def patch_result(
        self, result_id: int, before_part: Callable[[int], None] | None = None, **fields: Any
    ) -> Document:
        """Report on a result; times may be datetimes. See the API for the fields.

        Parameters
        ----------
        result_id
            The result.
        before_part
            Called before each part that is sent, see `Body`.
        fields
            What is reported.

        Raises
        ------
        Conflict
            If the result is finished or killed, so that it can no longer change.
        Invalid
            If the server refuses what is reported.
        NotFound
            If it was deleted.
        Unavailable
            If the server does not answer, or did not get the whole of it.
        """
        body = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in fields.items()
        }
        try:
            reply = self.request("patch", f"result/{result_id}", json=Body(body, before_part))
        except Invalid as error:
            if error.error_code == BODY_INCOMPLETE:
                # The line was at fault, and not what was sent.
                raise Unavailable(error.message, code=error.error_code) from error
            if error.error_code != "result_finished":
                raise
            # What clients of 3.11 expect is a 400 here, unlike at a claim.
            raise Conflict(error.message, code=error.error_code) from error
        return _about(result_id, reply)

    def give_up(self, result_id: int) -> Document:
        """Have the server end a result of which it refuses every report.

        Parameters
        ----------
        result_id
            The result.

        Raises
        ------
        Forbidden
            If it is another node's.
        NotFound
            If it was deleted.
        """
        return _about(result_id, self.request("delete", f"result/{result_id}/claim"))

    def reconcile(self, running: Iterable[int], finished: Iterable[int]) -> Document:
        """Tell the server what this node works on; return what to start, stop and forget.

        The answer tells too whether another station was refused that has the same key, and what
        the server shows of this node (`tell_again`).

        Parameters
        ----------
        running
            Ids of the results that are claimed, about to be claimed, or worked on.
        finished
            Ids of the results on disk that wait for their upload.
        """
        body = {"running": list(running), "finished": list(finished)}
        reply: Document = self.request("post", "node/reconcile", json=body)
        if not isinstance(reply, dict) or not reply.keys() >= _COMPARISON:
            raise NotTheServer(_FOREIGN)
        return reply

    def inbox(self) -> Inbox:
        """Return the own queue, as the API hands it out; always the same."""
        if self.whoami is None:
            raise RuntimeError("authenticate first")
        if self._inbox is None:
            self._inbox = Inbox(self._login, self.whoami.id_)
        return self._inbox

    def broker(self) -> Document:
        """Return ``url`` and ``queue`` of the own queue, with a new password."""
        reply: Document = self.request("post", "token/broker")
        return reply

    def collaboration(self, id_: int) -> Document:
        """Return a collaboration."""
        return _about(id_, self.request("get", f"collaboration/{id_}"))

    def organization(self, id_: int) -> Document:
        """Return an organization."""
        return _about(id_, self.request("get", f"organization/{id_}"))

    def set_public_key(self, key: str) -> Document:
        """Set the public key of the own organization and return the organization.

        Parameters
        ----------
        key
            Base64 of the PEM.
        """
        if self.whoami is None:
            raise RuntimeError("authenticate first")
        endpoint = f"organization/{self.whoami.organization_id}"
        reply: Document = self.request("patch", endpoint, json={"public_key": key})
        return reply

    def tell_config(self, items: Sequence[Mapping[str, str]]) -> Document:
        """Replace what the server shows of this node's configuration, and return the node.

        Parameters
        ----------
        items
            Dictionaries with ``key`` and ``value``; a key may have several values.
        """
        self._config = None
        reply = self._tell({"config": list(items)})
        self._config = [*items]
        return reply

    def tell_address(self, ip: str | None) -> Document:
        """Replace what the server shows as this node's address in the VPN, and return the node."""
        # Remembered first: where the server is away, the next comparison tells it.
        self._ip = ip
        return self._tell(_address_change(ip))

    def tell_again(self, shown: str) -> bool:
        """Tell once more what this node told of itself, where the server shows something else.

        Parameters
        ----------
        shown
            What the server shows, as `digest_settings` does.

        Returns
        -------
        bool
            Whether it had to.
        """
        if self._config is None:
            return False
        pairs = [(one["key"], one["value"]) for one in self._config]
        if shown == digest_settings(pairs, self._ip):
            return False
        self._tell({"config": self._config, **_address_change(self._ip)})
        return True

    def _tell(self, change: Mapping[str, Any]) -> Document:
        if self.whoami is None:
            raise RuntimeError("authenticate first")
        reply: Document = self.request("patch", f"node/{self.whoami.id_}", json=change)
        return reply

    def close(self) -> None:
        """Close the pooled connections."""
        self._login.session.close()


def _about(id_: int, reply: Any) -> Document:
    """Return what the server says of the thing with an id.

    SECURITY: a gateway can answer 200 as well, as for maintenance. An upload that never arrived
    must not count as delivered.

    Raises
    ------
    NotTheServer
        If it is not about this thing.
    """
    if not isinstance(reply, dict) or reply.get("id") != id_:
        raise NotTheServer(_FOREIGN)
    return reply


def _address_change(ip: str | None) -> dict[str, Any]:
    return {"ip": ip} if ip else {"clear_ip": True}
