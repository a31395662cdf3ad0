"""The configuration of what a node lets algorithms reach besides their database."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from vantage6.common.config.base import Section

#: Under which algorithms find the proxy of `whitelist`.
PROXY_HOST = "squid"
#: Services that are no host of their own, by their names in `policies.services`.
WHITELIST, VPN = "whitelist", "vpn"
#: The image of Squid and OpenVPN that ``make images`` builds; no registry has it.
SERVICES_IMAGE = "vantage6/services:latest"
_RESERVED = frozenset({PROXY_HOST, WHITELIST, VPN, "localhost", "proxyserver"})

_HOST = r"^[A-Za-z0-9]([A-Za-z0-9.:_-]*[A-Za-z0-9])?$"


def _items(value: Any) -> Any:
    """Accept one item for a list, and nothing for an empty one."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _not_reserved(name: str) -> str:
    if name.lower() in _RESERVED:
        raise ValueError(f"the name {name!r} is taken")
    return name


PortNumber = Annotated[int, Field(ge=1, le=65535)]
Domain = Annotated[str, Field(pattern=r"^\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$", max_length=254)]
#: A name that algorithms resolve.
Alias = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", max_length=253),
    AfterValidator(_not_reserved),
]


class WhitelistConfig(Section):
    """What algorithms may reach outside, through a proxy; everything else stays closed."""

    domains: Annotated[tuple[Domain, ...], BeforeValidator(_items)] = Field(
        (), description="names of hosts; a leading dot includes all below the name"
    )
    ips: Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_items)] = Field(
        (), description="addresses, or networks such as 10.1.0.0/16; for requests by address"
    )
    ports: Annotated[tuple[PortNumber, ...], BeforeValidator(_items)] = Field(
        (), description="ports, each open at every listed target"
    )


class SshIdentityConfig(Section):
    """Who the node is at the other end."""

    username: str = Field(
        description="name of the account", pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.@-]*$"
    )
    key: str = Field(description="private key file; relative to the folder of this file")


class SshConfig(Section):
    """The other end of a tunnel."""

    host: str = Field(description="host with the SSH server", pattern=_HOST)
    port: PortNumber = Field(22, description="port of the SSH server")
    fingerprint: str = Field(
        description="the server's public host key, such as `ssh-ed25519 AAAA...`; "
        "`ssh-keyscan` prints it",
        pattern=r"^[a-z][a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?$",
    )
    identity: SshIdentityConfig = Field(description="account of the node at the SSH server")


class EndpointConfig(Section):
    """One end of what a tunnel forwards."""

    ip: str = Field("127.0.0.1", description="address", pattern=_HOST)
    port: PortNumber = Field(description="port")


class ForwardConfig(Section):
    """What a tunnel forwards."""

    bind: EndpointConfig = Field(
        description="its `port` is the one that algorithms use; `ip` is accepted for old files"
    )
    dest: EndpointConfig = Field(description="the service, as the SSH server reaches it")


class TunnelConfig(Section):
    """An SSH tunnel to one service."""

    hostname: Alias = Field(description="name under which algorithms find the service")
    ssh: SshConfig = Field(description="the SSH server")
    tunnel: ForwardConfig = Field(description="port for algorithms, and the service behind it")

    @model_validator(mode="before")
    @classmethod
    def _as_in_the_old_guide(cls, values: Any) -> Any:
        """Accept `tunnel` inside of `ssh`, as the example of the 3.11 guide has it."""
        if isinstance(values, dict) and "tunnel" not in values:
            ssh = values.get("ssh")
            if isinstance(ssh, dict) and "tunnel" in ssh:
                rest = {key: ssh[key] for key in ssh if key != "tunnel"}
                return {**values, "ssh": rest, "tunnel": ssh["tunnel"]}
        return values


class ImagesConfig(Section):
    """Images of the node's own helpers."""

    old_keys = frozenset(
        {"algorithm", "alpine", "network_config", "node", "ssh-tunnel", "ssh_tunnel"}
    )

    squid: str = Field(SERVICES_IMAGE, description="has Squid; for `whitelist`")
    vpn_client: str = Field(SERVICES_IMAGE, description="has OpenVPN; for `vpn_subnet`")
