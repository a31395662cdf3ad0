"""What a task would reach, and why, before anything is started."""

from collections.abc import Iterator
from dataclasses import dataclass

from vantage6.common.config.node import NodeConfig
from vantage6.common.config.services import VPN, WHITELIST
from vantage6.node.databases import Database
from vantage6.node.outcomes import Reason
from vantage6.node.rules.findings import Finding, PolicyRequest, Verdict
from vantage6.node.rules.policy import Policy


@dataclass(frozen=True, slots=True)
class ServiceAccess:
    """One thing that an algorithm may be let to."""

    name: str
    #: Where it ends, in words.
    target: str
    finding: Finding


def explain(
    config: NodeConfig, policy: Policy, request: PolicyRequest, database: Database | None
) -> Iterator[ServiceAccess]:
    """Yield each way out of a container, and whether it is open to a task.

    Parameters
    ----------
    config
        Which services there are.
    policy
        The rules about them.
    request
        The task.
    database
        What it reads; None if there is no such database.
    """
    host, port = (database and database.service) or ("", 0)
    if host and host not in map(str.lower, config.services):
        yield ServiceAccess(host, f"port {port}", _is_database(request))
    targets = dict(_targets(config))
    for service in config.services:
        serves_database = service.lower() == host
        finding = _is_database(request) if serves_database else policy.on_service(service, request)
        yield ServiceAccess(service, targets[service], finding)


def _is_database(request: PolicyRequest) -> Finding:
    text = f"The database {request.database!r} is there."
    return Finding("databases", Verdict.ALLOWED, Reason("", text))


def _targets(config: NodeConfig) -> Iterator[tuple[str, str]]:
    """Yield where each service leads."""
    if config.whitelist:
        hosts = [*config.whitelist.domains, *map(str, config.whitelist.ips)]
        ports = config.whitelist.ports
        open_ = f"{', '.join(hosts)}; ports {', '.join(map(str, ports))}"
        yield WHITELIST, open_ if hosts and ports else "nothing: it needs ports, and domains or ips"
    for tunnel in config.ssh_tunnels:
        end = tunnel.tunnel.dest
        yield tunnel.hostname, f"{end.ip}:{end.port} through {tunnel.ssh.host}"
    for alias, container in config.docker_services.items():
        yield alias, f"container {container}"
    if config.vpn_subnet:
        yield VPN, f"algorithms at {config.vpn_subnet}"
