"""All services of a node: which there are, who may reach which, and the way there."""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path

from vantage6.client.node_client import NodeClient
from vantage6.common import logs
from vantage6.common.config.node import NodeConfig
from vantage6.common.config.services import VPN, WHITELIST
from vantage6.common.errors import ConfigurationError
from vantage6.common.task_status import TaskStatus
from vantage6.node.databases import Database, Databases
from vantage6.node.outcomes import RefusalError
from vantage6.node.runtime.base import Runtime
from vantage6.node.runtime.docker import DockerRuntime
from vantage6.node.runtime.links import Link, dial_directly
from vantage6.node.runtime.listeners import NamespaceListeners
from vantage6.node.services.base import Service
from vantage6.node.services.container import ServiceContainer, sweep
from vantage6.node.services.linked import LinkedService
from vantage6.node.services.members import Members
from vantage6.node.services.peers import Peers
from vantage6.node.services.tunnels import Tunnel
from vantage6.node.services.vpn import Vpn
from vantage6.node.services.whitelist import Whitelist, environment

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Grant:
    """What one algorithm may reach."""

    names: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    #: Variables that lead it there.
    variables: Mapping[str, str] = field(default_factory=dict)


class Services:
    """The services that a configuration asks for; none before `start`."""

    def __init__(self) -> None:
        #: By the name that algorithms resolve.
        self._services: dict[str, Service] = {}
        self._vpn: Vpn | None = None
        self._members: Members | None = None
        self._subnet = ""
        #: Where the databases are that no service leads to.
        self._direct: frozenset[tuple[str, int]] = frozenset()

    def start(
        self,
        config: NodeConfig,
        databases: Databases,
        runtime: Runtime,
        node: str,
        data: Path,
        server: NodeClient,
    ) -> None:
        """Start everything.

        Parameters
        ----------
        config
            What there is to be.
        databases
            Some of them may be behind a service.
        runtime
            What runs algorithms.
        node
            Name of the node.
        data
            Folder of what the node writes.
        server
            Where the VPN's configuration comes from.

        Raises
        ------
        ConfigurationError
            If a service cannot be had; names its setting.
        """
        if not isinstance(runtime, DockerRuntime):
            return
        sweep(runtime.engine, node)
        self._direct = frozenset(found.service for found in databases.all() if found.service)
        if not config.services:
            return
        if not isinstance(runtime.listeners, NamespaceListeners):
            raise ConfigurationError(
                "whitelist, ssh-tunnels, docker_services and vpn_subnet need a node on the machine "
                "of its engine, as root or as the user of a rootless one: it opens each service to "
                "single containers."
            )
        if config.vpn_subnet and runtime.facts.is_rootless:
            raise ConfigurationError(
                "vpn_subnet needs an engine and a node that run as root: the ways of the VPN are "
                "laid in the network of each algorithm."
            )
        folder = data / "services"
        folder.mkdir(mode=0o700, exist_ok=True)
        try:
            if config.whitelist:
                self._add(Whitelist(config.whitelist, config.images, runtime, node, folder))
            for tunnel in config.ssh_tunnels:
                self._add(Tunnel(tunnel, databases.base))
            for alias, container in config.docker_services.items():
                is_rootless = runtime.facts.is_rootless
                self._add(LinkedService(alias, container, runtime.engine, is_rootless=is_rootless))
            self._check(databases)
            if config.vpn_subnet:
                self._join_vpn(config, config.vpn_subnet, runtime, node, folder, server)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End all services that are the node's own."""
        if self._vpn is not None:
            self._vpn.close()
            self._vpn = None
        for service in self._services.values():
            service.close()
        self._services.clear()

    def dial(self, host: str, port: int) -> socket.socket:
        """Return a connection to a service under its name for algorithms.

        Raises
        ------
        OSError
            If it does not answer, or is not configured any more.
        """
        if service := self._services.get(host.lower()):
            return service.connect(port)
        # SECURITY: an algorithm that was started with a service that is gone must not get to
        # whatever has its name in the station's own network.
        if (host, port) not in self._direct:
            raise ConnectionRefusedError(f"{host}:{port} is not open to algorithms any more")
        return dial_directly(host, port)

    def grant(self, database: Database, may_reach: Callable[[str], bool]) -> Grant:
        """Return what an algorithm may reach.

        Parameters
        ----------
        database
            What it asked for, and may read.
        may_reach
            Whether the rules open a service to it, by name.

        Raises
        ------
        RefusalError
            If the service of its database is away.
        """
        host = database.service[0] if database.service else None
        names, links = [], []
        for service in self._services.values():
            if service.host.lower() == host:
                _need(service, database)
                names.append(service.name)
            elif may_reach(service.name):
                names.append(service.name)
                links += _links(service)
        in_vpn = self._members is not None and may_reach(VPN)
        if in_vpn:
            names.append(VPN)
        direct = [*self._services, *([host] if host else []), *([self._subnet] if in_vpn else [])]
        variables = environment(direct)
        return Grant(tuple(names), tuple(links), variables if WHITELIST in names else {})

    @contextmanager
    def in_vpn(self, result_id: int, container: str, peers: Peers) -> Iterator[None]:
        """Let a running algorithm take part in the VPN, if it may, and reach its peers."""
        members = self._members
        if members is None:
            yield
            return
        members.join(result_id, container, peers)
        try:
            yield
        finally:
            members.leave(result_id)

    def _add(self, service: Service) -> None:
        self._services[service.host.lower()] = service

    def _join_vpn(
        self,
        config: NodeConfig,
        subnet: IPv4Network,
        runtime: DockerRuntime,
        node: str,
        folder: Path,
        server: NodeClient,
    ) -> None:
        container = ServiceContainer(runtime, node, "vpn-client", "vpn_subnet, images.vpn_client")
        self._subnet = str(subnet)
        self._members = Members(runtime.engine, server, container, subnet)
        self._vpn = Vpn(
            server,
            container,
            config.images.vpn_client,
            subnet,
            folder,
            self._members.connected,
        )

    def _check(self, databases: Databases) -> None:
        for database in databases.all():
            host, port = database.service or ("", 0)
            service = self._services.get(host)
            if isinstance(service, Tunnel) and port not in service.ports():
                raise ConfigurationError(
                    f"databases.{database.label}: the port of {host} is {service.ports()[0]} in "
                    f"ssh-tunnels, and {port} here."
                )


def _links(service: Service) -> list[Link]:
    try:
        return [Link(service.host, port) for port in service.ports()]
    except OSError as error:
        log.warning("service not there", service=service.name, reason=str(error))
        return []


def _need(service: Service, database: Database) -> None:
    try:
        service.ready()
    except OSError as error:
        log.error("service not there", service=service.name, reason=str(error))
        # What serves the database is the station's own business.
        raise RefusalError(
            TaskStatus.FAILED,
            "service_unavailable",
            f"The way to the database {database.label!r} is closed at the node now.",
        ) from error
