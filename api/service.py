"""What the resources share: configuration, tokens, and the way to the broker."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

import redis

from vantage6.api.tokens import Tokens
from vantage6.broker import acl, presence
from vantage6.broker.connection import BrokerUnavailable, client
from vantage6.broker.queues import user
from vantage6.broker.sender import ControlSender
from vantage6.common.config import Instance, ServerConfig
from vantage6.common.logs import get
from vantage6.models.store import nodes
from vantage6.models.tables import Node

log = get(__name__)

#: A Celery task, by name: the API knows no code of the workers.
FAN_OUT = "fan_out"


@dataclass(frozen=True)
class Service:
    """The collaborators of the resources."""

    instance: Instance
    tokens: Tokens

    @classmethod
    def of(cls, instance: Instance) -> "Service":
        """Return the service of an instance; connects to nothing yet."""
        return cls(instance, Tokens.from_config(instance.config, instance.folder))

    @property
    def config(self) -> ServerConfig:
        """The server's configuration."""
        return self.instance.config

    def path(self, *parts: object) -> str:
        """Return a path below the prefix of all routes."""
        return "/".join([self.config.api_path, *map(str, parts)])

    @cached_property
    def _sender(self) -> ControlSender:
        return ControlSender(self.instance.broker_url)

    @cached_property
    def _redis(self) -> redis.Redis:
        return client(self.instance.broker_url)

    def announce(self, message: int | None) -> None:
        """Have a message of the outbox sent now; if that fails, the relay sends it later."""
        if message is not None:
            self._sender.kick(FAN_OUT, message)

    def broker_url_for(self, node: Node) -> str:
        """Give a node a new password for its queue, and return the address with it."""
        password = acl.grant(self._redis, node.id)
        address = urlsplit(self.instance.broker_url)
        host = self.config.broker_for_nodes or f"{address.hostname}:{address.port or 6379}"
        return f"{address.scheme}://{user(node.id)}:{password}@{host}/0"

    def forget_node(self, node: Node) -> None:
        """Close a node's way to its queue."""
        try:
            acl.revoke(self._redis, node.id)
        except BrokerUnavailable as error:
            # Its token is void already; the user dies with the next restart of the broker.
            log.warning(
                "queue of a removed node is still there", node_id=node.id, reason=str(error)
            )

    def online(self, found: Iterable[Node]) -> dict[int, str | None]:
        """Return for each node whether it consumes its queue; None before it ever did."""
        rows = list(found)
        seen = [node.id for node in rows if node.last_seen is not None]
        try:
            here = presence.online(self._redis, seen)
        except BrokerUnavailable:
            here = set()
        return {
            node.id: ("online" if node.id in here else "offline") if node.last_seen else None
            for node in rows
        }

    def online_ids(self) -> set[int]:
        """Return the ids of all nodes that consume their queue."""
        return presence.online(self._redis, nodes.ids())

    def broker_answers(self) -> bool:
        """Tell whether Redis answers."""
        try:
            return bool(self._redis.ping())
        except redis.RedisError:
            return False
