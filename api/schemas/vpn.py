"""The VPN in which algorithms reach each other."""

from pydantic import Field

from vantage6.api.schemas.base import Flag, Reply, Request


class VpnUpdate(Request):
    """A configuration whose keys have run out."""

    vpn_config: str = Field(max_length=2**18)


class VpnReply(Reply):
    """What OpenVPN needs to connect."""

    ovpn_config: str


class AddressFilter(Request):
    """Whose addresses; without any flag those of the caller's own task."""

    only_children: Flag = Field(False, description="those of sub-tasks instead")
    only_parent: Flag = Field(False, description="those of the parent instead, if there is one")
    include_children: Flag = Field(False, description="those of sub-tasks too")
    include_parent: Flag = Field(False, description="those of the parent too")
    label: str | None = Field(None, description="label of the port")


class Address(Reply):
    """Where an algorithm listens within the VPN."""

    port: int
    label: str | None
    ip: str | None = Field(description="address of its node; null while that is not connected")
    organization_id: int
    task_id: int
    parent_id: int | None


class AddressesReply(Reply):
    """Where algorithms listen within the VPN."""

    addresses: list[Address]
