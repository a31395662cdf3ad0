"""What the resources share: configuration, tokens, and the way to the broker."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

import redis

from vantage6.api.http.limits import Limits
from vantage6.api.http.transfers import MOST_WATCHING, MOST_WATCHING_OF_ONE, Places, Transfers
from vantage6.api.identity.guesses import Guesses
from vantage6.api.identity.tokens import Tokens
from vantage6.broker import acl, metrics, presence
from vantage6.broker.changes import Change
from vantage6.broker.connection import HASTY_SECONDS, BrokerUnavailable, Cooldown, client
from vantage6.broker.flower import Flower
from vantage6.broker.inboxes import Inboxes
from vantage6.broker.queues import user
from vantage6.broker.telemetry import Telemetry
from vantage6.broker.wakeups import Wakeups
from vantage6.common.config import Instance, ServerConfig
from vantage6.common.logs import get
from vantage6.common.task_status import TaskStatus
from vantage6.models.store import nodes
from vantage6.models.tables import Node, Task

log = get(__name__)


class Presence:
    """Who is online, as far as the broker tells; it is an ornament of lists that must not wait."""

    def __init__(self) -> None:
        self._cooldown = Cooldown()

    def of(self, broker: redis.Redis, node_ids: Sequence[int]) -> set[int]:
        """Return which nodes are online; none while the broker is away."""
        if self._cooldown.is_active:
            return set()
        try:
            return presence.online(broker, node_ids)
        except BrokerUnavailable:
            self._cooldown.begin()
            return set()


def _watching() -> Places:
    refusal = "Too many requests wait for changes; try again later."
    return Places(MOST_WATCHING, MOST_WATCHING_OF_ONE, refusal)


@dataclass(frozen=True)
class Service:
    """The collaborators of the resources."""

    instance: Instance
    tokens: Tokens
    _presence: Presence = field(default_factory=Presence)
    #: What is on its way in this process.
    transfers: Transfers = field(default_factory=Transfers)
    #: Which requests wait for changes in this process.
    watching: Places = field(default_factory=_watching)

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
    def limits(self) -> Limits:
        """The limits on attempts."""
        return Limits(
            self.instance.broker_url, self.config.rate_limits, self.config.password_policy
        )

    @cached_property
    def guesses(self) -> Guesses:
        """Who may guess at passwords and codes."""
        return Guesses(self.limits)

    @cached_property
    def inboxes(self) -> Inboxes:
        """The queues of nodes that reach nothing but the API."""
        return Inboxes(self.broker)

    @cached_property
    def wakeups(self) -> Wakeups:
        """Where these nodes wait."""
        return Wakeups(self.instance.broker_url)

    @cached_property
    def telemetry(self) -> Telemetry:
        """What counts, for the operator."""
        return Telemetry(self.instance.broker_url)

    @cached_property
    def flower(self) -> Flower:
        """What Flower is told through."""
        return Flower(self.telemetry, is_on=self.config.flower is not None)

    @cached_property
    def broker(self) -> redis.Redis:
        """The broker, for what is asked in a hurry."""
        return client(self.instance.broker_url, read_seconds=HASTY_SECONDS)

    def count_killed(self, number: int) -> None:
        """Count results that were ended from outside."""
        if number:
            self.telemetry.count(metrics.ENDED, str(TaskStatus.KILLED), by=number)

    def note_change(self, task: Task) -> None:
        """Tell clients that wait for it that a task or its results changed."""
        self.telemetry.note(Change(task.collaboration_id, task.id, task.run_id))

    def broker_url_for(self, node: Node) -> str:
        """Give a node a new password for its queue, and return the address with it."""
        password = acl.grant(self.broker, node.id)
        address = urlsplit(self.instance.broker_url)
        host = self.config.broker_for_nodes or f"{address.hostname}:{address.port or 6379}"
        return f"{address.scheme}://{user(node.id)}:{password}@{host}/0"

    def forget_node(self, node: Node) -> None:
        """Close a node's way to its queue."""
        try:
            acl.revoke(self.broker, node.id)
        except BrokerUnavailable as error:
            # Its token is void already; the user dies with the next restart of the broker.
            log.warning(
                "queue of a removed node is still there", node_id=node.id, reason=str(error)
            )

    def online(self, found: Iterable[Node]) -> dict[int, str | None]:
        """Return for each node whether it consumes its queue; None before it ever did."""
        rows = list(found)
        here = self._presence.of(self.broker, [row.id for row in rows if row.last_seen is not None])
        return {
            node.id: ("online" if node.id in here else "offline") if node.last_seen else None
            for node in rows
        }

    def online_ids(self) -> set[int]:
        """Return the ids of all nodes that consume their queue."""
        return presence.online(self.broker, nodes.ids())

    def broker_answers(self) -> bool:
        """Tell whether Redis answers."""
        try:
            return bool(self.broker.ping())
        except redis.RedisError:
            return False

    def workers_answer(self) -> bool:
        """Tell whether a worker works off its queues."""
        try:
            return presence.workers_online(self.broker)
        except BrokerUnavailable:
            return False
