"""What a node needs, checked in order: ``vnode doctor``.

Each check says how it stands and, if it is not well, what to do. Later ones are left out where an
earlier one makes them pointless. Nothing is changed, at the station or at the server.
"""

import shutil
import socket
import ssl
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx2

from vantage6.client.network import distrust
from vantage6.client.node_client import NodeClient
from vantage6.common import __version__, clock
from vantage6.common.encryption import RSACryptor
from vantage6.common.errors import ConfigurationError, V6Error
from vantage6.node.databases import Database, Databases
from vantage6.node.instance import Instance
from vantage6.node.outcomes import RefusalError
from vantage6.node.runtime.base import EngineUnavailable
from vantage6.node.upstream import network

_SECONDS = 10
_LITTLE_BYTES = 2 * 2**30
_SOON_DAYS = 21
_MOST_SKEW_SECONDS = 60

OK, WARNING, FAILURE = "ok", "warning", "failure"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check has shown."""

    check: str
    state: str
    message: str


class Doctor:
    """All checks of one node.

    Parameters
    ----------
    instance
        The node, which may run meanwhile.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._config = instance.config
        self._network = network(self._config, instance.base)
        self._address = urlsplit(self._config.server_address)

    def findings(self) -> Iterator[Finding]:
        """Yield what each check shows, in the order in which to mend."""
        yield Finding("configuration", OK, f"{self._instance.file} is valid.")
        if keys := self._config.without_effect:
            yield Finding("configuration", WARNING, f"Without effect here: {', '.join(keys)}.")
        yield self._folder()
        yield from self._engine()
        yield from self._way_to_server()
        yield from self._databases()
        yield self._policies()

    def _folder(self) -> Finding:
        folder = self._instance.data
        finding = partial(Finding, "data folder")
        try:
            self._instance.prepare()
            with tempfile.TemporaryFile(dir=folder):
                pass
        except (OSError, ConfigurationError) as error:
            return finding(FAILURE, f"Cannot write into {folder}: {error}. Set task_dir.")
        free = shutil.disk_usage(folder).free
        said = f"{folder} is writable, {free / 2**30:.1f} GiB free"
        if free < _LITTLE_BYTES:
            return finding(WARNING, f"{said}; make room, or set task_dir.")
        return finding(OK, f"{said}.")

    def _engine(self) -> Iterator[Finding]:
        finding = partial(Finding, "engine")
        if self._config.runtime == "process":
            yield finding(WARNING, "runtime `process`: no isolation; never use it with real data.")
            return
        from vantage6.node import engine

        try:
            client = engine.connect(self._config, _SECONDS)
            info, version = client.info(), client.version()
        except EngineUnavailable as error:
            yield finding(FAILURE, error.message)
            return
        client.close()
        names = {part.get("Name", "") for part in version.get("Components") or []}
        kind = "Podman" if any("Podman" in name for name in names) else "Docker"
        rootless = any("rootless" in option for option in info.get("SecurityOptions") or [])
        yield finding(
            OK,
            f"{kind} {info.get('ServerVersion')}{', rootless' if rootless else ', as root'}, "
            f"storage {info.get('Driver')}.",
        )
        lacking = [name for name in ("MemoryLimit", "PidsLimit") if not info.get(name)]
        if not (info.get("CpuCfsQuota") or info.get("CPUCfsQuota")):
            lacking.append("CpuCfsQuota")
        if lacking:
            advice = "delegate the cgroup controllers to it (systemd: Delegate=yes)"
            yield finding(WARNING, f"The engine cannot limit {', '.join(lacking)}: {advice}.")
        else:
            yield finding(OK, "It can limit memory, processors and processes.")

    def _way_to_server(self) -> Iterator[Finding]:
        proxy = self._proxy()
        if proxy:
            yield Finding("proxy", OK, f"Through {proxy}.")
        else:
            name_is_known = self._name()
            yield name_is_known
            if name_is_known.state == FAILURE:
                return
            if self._address.scheme == "https":
                yield self._certificate()
            else:
                yield Finding(
                    "tls", WARNING, "The server's address is http: anybody in between reads along."
                )
        answer, finding = self._answer()
        yield finding
        if answer is None:
            return
        yield _clock(answer)
        yield from self._account()

    def _proxy(self) -> str | None:
        """Return the proxy without its password; None if the server is asked directly."""
        from vantage6.common.logs import without_secrets

        proxy = self._config.proxy or getproxies().get(self._address.scheme)
        return without_secrets(proxy) if proxy else None

    def _name(self) -> Finding:
        host, port = self._address.hostname or "", self._address.port or self._address.scheme
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            advice = "check server_url, and the name servers of this machine"
            return Finding("dns", FAILURE, f"{host} is not known ({error}): {advice}.")
        addresses = sorted({str(entry[4][0]) for entry in found})
        return Finding("dns", OK, f"{host} is {', '.join(addresses)}.")

    def _certificate(self) -> Finding:
        """Say until when the server's certificate is good; who trusts it is seen by a request."""
        finding = partial(Finding, "tls")
        host, port = self._address.hostname or "", self._address.port or 443
        context = httpx2.create_ssl_context()
        if self._network.ca_bundle:
            context.load_verify_locations(self._network.ca_bundle)
        if self._network.certificate:
            context.load_cert_chain(*self._network.certificate)
        try:
            with (
                socket.create_connection((host, port), _SECONDS) as plain,
                context.wrap_socket(plain, server_hostname=host) as secure,
            ):
                end = ssl.cert_time_to_seconds(str((secure.getpeercert() or {})["notAfter"]))
                version = secure.version()
        except ssl.SSLError as error:
            advice = distrust(self._config.server_address, error) or f"{error.reason}."
            return finding(FAILURE, advice)
        except OSError as error:
            return finding(FAILURE, f"{host}:{port} does not answer: {error}. A firewall?")
        days = (end - clock.now().timestamp()) / 86400
        said = f"{version}, trusted; the certificate ends in {days:.0f} days"
        if days < _SOON_DAYS:
            return finding(WARNING, f"{said}: tell the server's operator.")
        return finding(OK, f"{said}.")

    def _answer(self) -> tuple[httpx2.Response | None, Finding]:
        finding = partial(Finding, "server")
        address = self._config.server_address + self._config.api_path
        try:
            with self._network.client(timeout=_SECONDS) as client:
                answer = client.get(f"{address}/version")
            version = answer.json()["version"]
        except httpx2.HTTPError as error:
            advice = distrust(address, error) or f"{address} does not answer: {error}."
            return None, finding(FAILURE, advice)
        except (ValueError, KeyError, TypeError):
            advice = "check server_url, port and api_path"
            return None, finding(
                FAILURE, f"{address} answers, but not as a server of this system: {advice}."
            )
        said = f"{address} answers, version {version}"
        if version.split(".")[:2] != __version__.split(".")[:2]:
            return answer, finding(WARNING, f"{said}; this node has {__version__}.")
        return answer, finding(OK, f"{said}.")

    def _account(self) -> Iterator[Finding]:
        server = NodeClient(self._config.server_address, self._config.api_path, self._network)
        try:
            server.authenticate(self._config.api_key.get_secret_value())
            me = server.whoami
            if me is None or server.collaboration_id is None:
                yield Finding("key", FAILURE, "This node is in no collaboration at the server.")
                return
            collaboration = server.collaboration(server.collaboration_id)
            yield Finding(
                "key",
                OK,
                f"This is {me.name}, of {me.organization_name}, in {collaboration['name']}.",
            )
            yield self._queue(server)
            published = server.organization(me.organization_id).get("public_key") or ""
            yield self._encryption(bool(collaboration["encrypted"]), published)
        except V6Error as error:
            advice = "check api_key; `vnode set-api-key` sets another"
            yield Finding("key", FAILURE, f"{error.message} {advice}.")
        finally:
            server.close()

    def _queue(self, server: NodeClient) -> Finding:
        if self._config.transport == "https":
            return Finding("queue", OK, "Messages come through the API; no other port is needed.")
        try:
            url = urlsplit(server.broker()["url"])
            host, port = url.hostname or "", url.port or 6379
            _connect(host, port)
        except (V6Error, OSError) as error:
            advice = "open the port of Redis, or set transport to https"
            return Finding("queue", FAILURE, f"The queue cannot be reached: {error}; {advice}.")
        return Finding("queue", OK, f"Redis answers at {host}:{port}.")

    def _encryption(self, encrypted: bool, published: str) -> Finding:
        finding = partial(Finding, "encryption")
        if encrypted != self._config.encryption.enabled:
            wanted = str(encrypted).lower()
            return finding(
                FAILURE,
                f"The collaboration is {'' if encrypted else 'not '}encrypted: set "
                f"encryption.enabled to {wanted}.",
            )
        if not encrypted:
            return finding(OK, "Neither the collaboration nor the node encrypts.")
        file = self._instance.key_file
        if not file.exists() and not published:
            return finding(WARNING, f"No key yet; the first start makes {file}.")
        try:
            cryptor = RSACryptor(file)
            mode = stat.S_IMODE(file.stat().st_mode)
        except (OSError, ValueError) as error:
            return finding(FAILURE, f"encryption.private_key: {error}")
        if published and not cryptor.verify_public_key(published):
            return finding(
                FAILURE,
                f"{file} is not the key whose public half the server has: use the right file, or "
                "publish this one with `vnode create-private-key`.",
            )
        if mode & 0o077:
            return finding(WARNING, f"Others may read {file}: chmod 600.")
        return finding(OK, f"{file} is the key of the organization.")

    def _databases(self) -> Iterator[Finding]:
        databases = Databases(self._config.databases, self._instance.base)
        if not databases.labels:
            yield Finding("databases", WARNING, "No `databases` are configured.")
        for label in databases.labels:
            yield _checked(f"database {label}", partial(_database, databases, label))

    def _policies(self) -> Finding:
        policies, config = self._config.policies, self._config
        finding = partial(Finding, "policies")
        if policies is None and not config.allowed_images:
            return finding(WARNING, "Any image may run here: write `policies`.")
        if policies is not None and not policies.allowed_algorithms:
            return finding(
                WARNING, "Nothing may run here: policies.allowed_algorithms names no image."
            )
        expressions = (*(policies.allowed_algorithms if policies else ()), *config.allowed_images)
        if any(text in (".*", ".+", "^.*$", "^.*", ".*$") for text in expressions):
            return finding(WARNING, "An expression allows any image; name those that you trust.")
        return finding(OK, f"{len(expressions)} expressions name what may run.")


def _clock(answer: httpx2.Response) -> Finding:
    try:
        there = parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return Finding("clock", WARNING, "The server does not tell the time.")
    skew = abs((clock.now() - there).total_seconds())
    if skew > _MOST_SKEW_SECONDS:
        advice = "synchronise the clock of this machine (NTP)"
        return Finding("clock", WARNING, f"{skew:.0f} s away from the server's: {advice}.")
    return Finding("clock", OK, "As the server's.")


def _checked(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, OK, check())
    except RefusalError as error:
        return Finding(name, FAILURE, f"{error} Check its uri.")
    except OSError as error:
        return Finding(name, FAILURE, f"It does not answer: {error}. Check its uri.")


def _database(databases: Databases, label: str) -> str:
    database: Database = databases.get(label)
    if database.path is not None:
        if database.path.is_file():
            with database.path.open("rb") as file:
                file.read(1)
        return f"{database.path} is readable."
    if database.service is None:
        return "Its address names no host and port; not checked."
    host, port = database.service
    _connect(host, port)
    return f"{host}:{port} answers."


def _connect(host: str, port: int) -> None:
    with socket.create_connection((host, port), _SECONDS):
        pass
