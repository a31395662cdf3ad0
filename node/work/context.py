"""What all results of a node share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vantage6.client.node_client import NodeClient
from vantage6.common.config.node import NodeConfig
from vantage6.common.errors import Unavailable
from vantage6.common.identity import WhoAmI
from vantage6.common.known_keys import KnownKeys
from vantage6.node.databases import Databases
from vantage6.node.proxy.app import Algorithm, Proxy, PublicKeys
from vantage6.node.proxy.tokens import ServerToken
from vantage6.node.proxy.upstream import Upstream
from vantage6.node.release.earlier_answers import EarlierAnswers
from vantage6.node.release.held_outputs import HeldOutputs
from vantage6.node.requests.gate import Gate
from vantage6.node.rules.audit import Audit
from vantage6.node.rules.current_policy import CurrentPolicy
from vantage6.node.rules.encryption import Agreement
from vantage6.node.rules.kept_outputs import KeptOutputs
from vantage6.node.rules.policy import Policy
from vantage6.node.rules.quota import Quotas
from vantage6.node.rules.result_audit import ResultAudit
from vantage6.node.runtime.base import Runtime
from vantage6.node.services.peers import Peers
from vantage6.node.services.services import Services
from vantage6.node.sketch.sketches import Sketches
from vantage6.node.spool.disk_usage import LONGEST_SECONDS
from vantage6.node.spool.spool import Entry, Spool
from vantage6.node.work.periodic import Periodic

_LOG_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class NodeContext:
    """The collaborators of an execution, made once when the node starts."""

    config: NodeConfig
    collaboration_id: int
    server: NodeClient
    upstream: Upstream
    keys: PublicKeys
    agreement: Agreement
    policies: CurrentPolicy
    databases: Databases
    runtime: Runtime
    spool: Spool
    audit: Audit
    quotas: Quotas
    #: Keys of the organizations for which something is encrypted.
    known_keys: KnownKeys
    #: The say of people at the station in what starts.
    gate: Gate
    #: Copies of what left.
    kept_outputs: KeptOutputs
    #: Outputs that wait for a person.
    held_outputs: HeldOutputs
    #: What outputs are compared with.
    sketches: Sketches
    #: Counts of earlier answers.
    earlier_answers: EarlierAnswers
    services: Services = field(default_factory=Services)
    #: Measures what running algorithms have written, and what they were kept from.
    disk: Periodic = field(default_factory=lambda: Periodic("disk", LONGEST_SECONDS))
    #: Sends what running algorithms have printed.
    logs: Periodic = field(default_factory=lambda: Periodic("logs", _LOG_SECONDS))

    @property
    def policy(self) -> Policy:
        """The rules that count now."""
        return self.policies.rules

    @property
    def me(self) -> WhoAmI:
        """Who this node is at the server."""
        if self.server.whoami is None:
            raise RuntimeError("the node works without having logged in")
        return self.server.whoami

    def proxy(self, entry: Entry, result_audit: ResultAudit) -> Proxy:
        """Return the proxy's application for the algorithm of a result."""
        record = entry.record
        return Proxy(
            self.upstream,
            self.keys if self.agreement.encrypted else None,
            self.agreement.cryptor,
            self.collaboration_id,
            Algorithm(
                task_id=record.task_id,
                organization_id=self.me.organization_id,
                node_id=self.me.id_,
                tokens=entry.tokens(),
                result_audit=result_audit,
                quota=self.quotas.of(record.run_id),
                made=entry.sub_tasks(),
                ask_token=self._asks_token(entry),
            ),
            allows_pickle=self.policy.allows_pickle,
            may_leave=self.policy.may_leave,
            reply_bytes=self.config.limits.reply_bytes,
        )

    def peers(self, entry: Entry) -> Peers:
        """Return the algorithms that an algorithm may reach in the VPN."""
        token = ServerToken(entry.tokens().server, self._asks_token(entry))

        def ask() -> list[dict[str, Any]]:
            reply = self.upstream.request(
                "GET",
                "/vpn/algorithm/addresses",
                token,
                params={"include_parent": "true", "include_children": "true"},
            )
            if not reply.ok:
                raise Unavailable(f"The server answers {reply.status}.")
            found: list[dict[str, Any]] = reply.body["addresses"]
            return found

        return Peers(ask)

    def _asks_token(self, entry: Entry) -> Callable[[], str]:
        record = entry.record
        return lambda: self.server.container_token(record.task_id, record.image)

    def close(self) -> None:
        """Look after nothing any more; the audit file stays usable for what still ends."""
        self.disk.close()
        self.logs.close()
        self.sketches.close()
        self.upstream.close()
