"""The configuration of a node."""

import os
from ipaddress import IPv4Network
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from vantage6.common import addresses
from vantage6.common.config.base import BesideFile, DirectoriesConfig, LogConfig, Section
from vantage6.common.config.expressions import Expressions
from vantage6.common.config.policies import PolicyConfig
from vantage6.common.config.services import (
    VPN,
    WHITELIST,
    Alias,
    ImagesConfig,
    TunnelConfig,
    WhitelistConfig,
)
from vantage6.common.known_keys import fingerprint

#: What cannot stand for a text without quotation marks.
_NO_NAMES = (dict, list, set, tuple, type(None))


def _text(value: Any) -> Any:
    """Refuse what is no text before a parser quotes it: that may be of any size."""
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _server_url(value: str) -> str:
    addresses.server_address(value)
    return value


ServerUrl = Annotated[str, AfterValidator(_server_url)]
Fingerprint = Annotated[str, AfterValidator(fingerprint)]


class DatabaseConfig(Section):
    """One data source."""

    label: str = Field(description="name by which researchers ask for it", pattern=r"^[\w-]+$")
    uri: str = Field(description="path of a file, or the address of a service")
    type: Literal["csv", "parquet", "sql", "sparql", "omop", "excel", "other"] | None = Field(
        None, description="kind of source; decides how a wrapper reads it"
    )


class EncryptionConfig(Section):
    """End-to-end encryption; must agree with the collaboration."""

    enabled: bool = Field(description="the collaboration is encrypted")
    private_key: str | None = Field(
        None, description="key file of the organization; relative to the data folder"
    )


class LimitConfig(Section):
    """What one algorithm may use."""

    memory_bytes: int = Field(4 * 2**30, ge=2**24, description="main memory")
    pids: int = Field(256, ge=16, description="processes and threads")
    cpus: float | None = Field(
        default_factory=lambda: max(1.0, (os.cpu_count() or 1) - 1.0),
        gt=0,
        description="processors; default: all of this machine but one; null: all",
    )
    file_bytes: int = Field(
        100 * 2**20, ge=1024, description="largest file it may write, its output included"
    )
    disk_bytes: int = Field(
        4 * 2**30,
        ge=2**20,
        description="all files together in the folder that the results of a run share, and their "
        "outputs; a file counts at least 16384",
    )
    seconds: float | None = Field(
        7 * 24 * 3600, gt=0, description="run time; default: a week; null: without end"
    )
    log_bytes: int = Field(2**20, ge=1024, description="length of the log that is sent, its end")
    request_bytes: int = Field(
        64 * 2**20, ge=1024, description="largest request it may send through the node"
    )
    reply_bytes: int = Field(
        256 * 2**20,
        ge=2**16,
        description="largest reply that an algorithm may get through the node, such as all "
        "results of a sub-task together. The node needs up to four times as much memory for it",
    )
    subtasks: int = Field(
        10_000, ge=0, description="sub-tasks that the results of a run may create through the node"
    )
    subtasks_per_minute: int = Field(300, ge=1, description="of these, within any minute")
    audit_bytes: int = Field(
        64 * 2**20,
        ge=2**16,
        description="lines of the audit file that the algorithms of a run may cause by sub-tasks "
        "and by requests that are refused",
    )


class CertificateConfig(Section):
    """What a node shows to a server or proxy that asks for a certificate."""

    certificate: str = Field(description="file with the certificate and its chain, in PEM")
    key: str = Field(description="file with its key, in PEM, without a pass phrase")


class RegistryConfig(Section):
    """Access to one private registry."""

    registry: Annotated[str, AfterValidator(addresses.registry)] = Field(
        description="host of the registry, with port if it has one"
    )
    username: str = Field(description="account at the registry")
    password: SecretStr = Field(description="password or token of the account")


class DeviceConfig(Section):
    """Devices that algorithms may use."""

    gpu: bool = Field(False, description="all graphics processors")


class NodeConfig(Section):
    """Everything a node can be told."""

    old_keys = frozenset({"alpine", "debug", "image"})

    api_key: SecretStr = Field(min_length=1, description="key that the server gave for this node")
    server_url: ServerUrl = Field(
        description="address of the server, with scheme; port and prefix may stand in it, too"
    )
    port: int | None = Field(None, description="port of the server; default: that of the scheme")
    api_path: str = Field("/api", description="prefix of all routes of the server")
    transport: Literal["https", "redis"] = Field(
        "https",
        description="how messages reach the node: through the API, or from the server's Redis, "
        "whose port must be open then",
    )
    proxy: str | None = Field(
        None,
        pattern="^(https?|socks5h?)://",
        description="URL of the proxy through which the server is reached; default: HTTPS_PROXY "
        "and its like",
    )
    ca_bundle: BesideFile | None = Field(
        None,
        description="file with certificates of authorities in PEM, relative to the folder of this "
        "file; trusted beside those of the operating system",
    )
    client_certificate: CertificateConfig | None = Field(
        None, description="certificate that the node shows to a server or proxy that asks for one"
    )
    task_dir: BesideFile | None = Field(
        None,
        description="folder for everything the node writes; relative to the folder of this file",
    )
    directories: DirectoriesConfig = Field(
        DirectoriesConfig(), description="folders as in older files; `task_dir` comes first"
    )
    databases: tuple[DatabaseConfig, ...] = Field((), description="data sources")
    encryption: EncryptionConfig = Field(description="end-to-end encryption")
    organization_keys: dict[int, Fingerprint] = Field(
        {},
        description="id of an organization to the fingerprint of its public key, as the "
        "organization itself tells it. It counts before a key that was learned at first use",
    )
    pins: Literal["first_use", "file"] = Field(
        "first_use",
        description="`first_use`: a key is remembered when it is first met; `file`: only the "
        "keys in `organization_keys` are used",
    )
    policies: PolicyConfig | None = Field(
        None, description="rules for tasks; default: any task may run"
    )
    share_config: bool = Field(
        True,
        description="tell researchers which images, users and organizations the policies allow",
    )
    keep_outputs_days: float | None = Field(
        None,
        gt=0,
        description="time for which a copy of each output and log that left is kept at the "
        "station, for `vnode audit content`; default: no copies",
    )
    keep_outputs_bytes: int = Field(
        2**30, ge=2**20, description="all these copies together; the oldest go first"
    )
    share_logs: bool = Field(
        True, description="send the logs of algorithms, while they run and at their end"
    )
    share_errors: bool = Field(
        False,
        description="send the texts of all errors of algorithms, which can hold data. Default: "
        "send the kind of an error, and the texts that authors wrote for researchers",
    )
    allowed_images: Expressions = Field(
        (), description="old form of policies.allowed_algorithms, applied in addition"
    )
    runtime: Literal["docker", "process"] = Field(
        "docker", description="`process` runs programs on this machine without any isolation"
    )
    processes: dict[str, tuple[str, ...]] = Field(
        {}, description="for `process`: name of an image to the command that runs in its place"
    )
    docker_host: str | None = Field(None, description="address of the engine; default: DOCKER_HOST")
    pull_policy: Literal["missing", "always", "never"] = Field(
        "missing", description="when an image is fetched from its registry"
    )
    keep_images_days: float | None = Field(
        30,
        ge=1,
        description="time after its last use for which an image stays that the node has pulled "
        "itself; null: for ever",
    )
    docker_registries: tuple[RegistryConfig, ...] = Field((), description="private registries")
    algorithm_device_requests: DeviceConfig = Field(
        DeviceConfig(), description="devices that algorithms may use"
    )
    algorithm_user: str | None = Field(
        None,
        description="`uid:gid` inside containers, or `image` for the image's own; default: "
        "65532:65532, or the node's own where the node does not run as root",
    )
    algorithm_env: dict[str, str] = Field(
        {}, description="variables that every algorithm gets; override the standard ones"
    )
    whitelist: WhitelistConfig | None = Field(
        None, description="addresses outside that algorithms may reach; default: none"
    )
    ssh_tunnels: tuple[TunnelConfig, ...] = Field(
        (), alias="ssh-tunnels", description="SSH tunnels to services elsewhere"
    )
    docker_services: dict[Alias, str] = Field(
        {}, description="name for algorithms to the name of a container that serves them"
    )
    vpn_subnet: Annotated[IPv4Network, BeforeValidator(_text)] | None = Field(
        None, description="addresses of the VPN in which algorithms meet; default: no VPN"
    )
    images: ImagesConfig = Field(ImagesConfig(), description="images of the node's own helpers")
    limits: LimitConfig = Field(LimitConfig(), description="bounds for one algorithm")
    keep_temporary_hours: float = Field(
        24, ge=0, description="time for which the shared folder of a run outlives its last result"
    )
    parallel: int = Field(8, ge=1, le=64, description="results of first tasks computed at once")
    parallel_subtasks: int = Field(
        16, ge=1, le=256, description="results of sub-tasks computed at once, on each level"
    )
    parallel_memory_bytes: int | None = Field(
        None,
        ge=2**24,
        description="memory that all algorithms may use together, each counted with "
        "`limits.memory_bytes`; enough for one of each level; default: enough for all at once",
    )
    subtask_levels: int = Field(
        3,
        ge=1,
        le=15,
        description="levels of sub-tasks below a task; deeper ones are refused",
    )
    keep_free_bytes: int = Field(
        256 * 2**20,
        ge=0,
        description="free space on the disk of the node's own files. With less, the node takes no "
        "new results",
    )
    logging: LogConfig = Field(LogConfig(), description="logs")

    @field_validator("databases", mode="before")
    @classmethod
    def _mapping_form(cls, value: Any) -> Any:
        """Accept ``{label: uri}``, the form of older files."""
        if isinstance(value, dict):
            return tuple(
                # A file name may look like a number or a date.
                {"label": label, "uri": uri if isinstance(uri, _NO_NAMES) else str(uri)}
                for label, uri in value.items()
            )
        return () if value is None else value

    @field_validator("databases")
    @classmethod
    def _labels_differ(cls, value: tuple[DatabaseConfig, ...]) -> tuple[DatabaseConfig, ...]:
        labels = [database.label.upper() for database in value]
        for label in labels:
            if labels.count(label) > 1:
                raise ValueError(f"label {label.lower()!r} is used twice (case does not count)")
        return value

    @model_validator(mode="after")
    def _policies_name_what_exists(self) -> "NodeConfig":
        labels = {database.label for database in self.databases}
        for rule, named in (self.policies.databases_named if self.policies else {}).items():
            if strangers := named - labels:
                names = ", ".join(sorted(strangers))
                raise ValueError(f"policies.{rule} names what databases does not: {names}")
        return self

    @model_validator(mode="after")
    def _memory_is_enough_for_each_level(self) -> "NodeConfig":
        least = (self.subtask_levels + 1) * self.limits.memory_bytes
        if self.parallel_memory_bytes is not None and self.parallel_memory_bytes < least:
            raise ValueError(
                f"parallel_memory_bytes: tasks wait for their sub-tasks, which takes {least} at "
                "least: limits.memory_bytes for each of subtask_levels, and once more"
            )
        return self

    @property
    def services(self) -> tuple[str, ...]:
        """Names of all services that algorithms may be let to, whichever they are."""
        names = [tunnel.hostname for tunnel in self.ssh_tunnels] + list(self.docker_services)
        names += [WHITELIST] if self.whitelist else []
        return (*names, VPN) if self.vpn_subnet else tuple(names)

    @model_validator(mode="after")
    def _services_fit_together(self) -> "NodeConfig":
        names = [name.lower() for name in self.services]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"ssh-tunnels, docker_services: the name {name!r} is used twice")
        if names and self.runtime != "docker":
            raise ValueError(
                f"runtime: {self.runtime!r} shuts nothing in, so that whitelist, ssh-tunnels, "
                "docker_services and vpn_subnet make no sense with it"
            )
        rules = self.policies.services if self.policies else None
        if strangers := set(rules or ()) - set(self.services):
            text = ", ".join(sorted(strangers))
            raise ValueError(f"policies.services names what is not configured: {text}")
        return self

    @model_validator(mode="before")
    @classmethod
    def _one_form_of_the_address(cls, values: Any) -> Any:
        """Bring address, port and prefix of the server into one form, however they are written."""
        if not isinstance(values, dict):
            return values
        url, port, path = (values.get(key) for key in ("server_url", "port", "api_path"))
        path = cls.model_fields["api_path"].default if path is None else path
        if not isinstance(url, str) or not isinstance(path, str):
            return values
        if not isinstance(port, int | str | None):
            return values
        try:
            _server_url(url)
        except ValueError:
            # Told at its own key.
            return values
        where = addresses.server_address(url, port, path)
        return {**values, "server_url": where.host, "port": where.port, "api_path": where.path}

    @property
    def server_address(self) -> str:
        """Scheme, host and port of the server."""
        return f"{self.server_url}:{self.port}" if self.port else self.server_url
