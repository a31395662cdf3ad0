"""What all results of a node share."""

from dataclasses import dataclass

from vantage6.client.node_client import NodeClient
from vantage6.common.config.node import NodeConfig
from vantage6.node.databases import Databases
from vantage6.node.keys import Agreement
from vantage6.node.policy import Policy
from vantage6.node.proxy import Proxy, PublicKeys
from vantage6.node.runtime.base import Runtime
from vantage6.node.spool import Spool
from vantage6.node.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Station:
    """The collaborators of an execution, made once when the node starts."""

    config: NodeConfig
    collaboration_id: int
    server: NodeClient
    upstream: Upstream
    keys: PublicKeys
    agreement: Agreement
    policy: Policy
    databases: Databases
    runtime: Runtime
    spool: Spool

    def proxy(self, token: str) -> Proxy:
        """Return the door-keeper's application for the algorithm that holds a token."""
        return Proxy(
            self.upstream,
            self.keys if self.agreement.encrypted else None,
            self.agreement.cryptor,
            self.collaboration_id,
            token,
        )
