"""The VPN in which algorithms reach each other."""

from typing import Any

from vantage6.api.endpoint import CONTAINER, NODE, Read, endpoint
from vantage6.api.identity.permissions import Caller
from vantage6.api.integrations.eduvpn import Portal
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.vpn import AddressesReply, AddressFilter, VpnReply, VpnUpdate
from vantage6.api.service import Service
from vantage6.common.errors import Forbidden, Invalid, NotConfigured
from vantage6.common.logs import get
from vantage6.models.store import ports, tasks

log = get(__name__)

_CONTRADICTIONS = (
    ("only_children", "only_parent"),
    ("only_children", "include_parent"),
    ("only_parent", "include_children"),
)


class Vpn(Resource):
    """The configuration of nodes, and the addresses of algorithms."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        config, portal = service.config, service.config.vpn_server
        # However slowly the portal answers, the other half of the threads serves the rest.
        at_once = max(1, config.threads // 2)
        self._portal = Portal(portal, at_once) if portal else None

    @property
    def portal(self) -> Portal:
        """The portal that hands out configurations."""
        if self._portal is None:
            raise NotConfigured("This server has no VPN: `vpn_server` is not configured.")
        return self._portal

    @endpoint(NODE, reply=VpnReply, problems=(500, 501))
    def on_get(self, caller: Caller) -> Any:
        """Give a node the configuration with which it connects to the VPN."""
        # SECURITY: it holds a key, which is for the process that works.
        node = caller.calling_node
        text = self.portal.configuration()
        log.info("VPN configuration given", node_id=node.id)
        return {"ovpn_config": text}

    @endpoint(NODE, body=VpnUpdate, reply=VpnReply, problems=(500, 501))
    def on_post_update(self, caller: Caller, read: Read[VpnUpdate]) -> Any:
        """Put new keys into the VPN configuration of a node."""
        # In this order: without a VPN it does not matter what was sent.
        text = self.portal.renew(read().vpn_config)
        log.info("VPN configuration renewed", node_id=caller.id)
        return {"ovpn_config": text}

    @endpoint(CONTAINER, query=AddressFilter, reply=AddressesReply)
    def on_get_addresses(self, caller: Caller, query: AddressFilter) -> Any:
        """Show where the algorithms of the caller's task, its parent or its sub-tasks listen."""
        for one, other in _CONTRADICTIONS:
            if getattr(query, one) and getattr(query, other):
                raise Invalid(f"{one} and {other} exclude each other.")
        if caller.task_id is None:
            raise Forbidden("This is for an algorithm only.")
        task = tasks.get(caller.task_id)
        orphan = task.parent_id is None
        found = ports.addresses(
            task,
            caller.organization_id,
            own=not query.only_children and (orphan or not query.only_parent),
            parent=query.only_parent or query.include_parent,
            children=query.only_children or query.include_children,
            label=query.label,
        )
        return {"addresses": found}
