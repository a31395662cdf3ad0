"""The way of a node to its server, and who the node is there."""

import socket
import stat
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from ssl import cert_time_to_seconds
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2

from vantage6.client.network import distrust, no_answer, not_this_system
from vantage6.client.node_client import NodeClient
from vantage6.common import __version__, clock
from vantage6.common.cli.doctor import Check, Doubtful, Failed, Skipped, same_time
from vantage6.common.encryption import RSACryptor
from vantage6.common.errors import ConfigurationError, Forbidden, Unauthenticated, V6Error
from vantage6.common.logs import without_secrets
from vantage6.node.doctor.station import connect, reason
from vantage6.node.instance import Instance
from vantage6.node.proxy.upstream import network

_SECONDS = 10
_SOON_DAYS = 21
_MOST_SECONDS_APART = 60
_PROXY_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_NO_ANSWER = "The server does not answer."
_NO_LOGIN = "The node is not logged in."


class ServerChecks:
    """Looks at the server as one node sees it; later checks lean on what earlier ones found."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._config = instance.config
        self._network = network(self._config, instance.base)
        self._address = self._config.server_address + self._config.api_path
        self._host = urlsplit(self._config.server_address)
        self._proxy = self._configured_proxy()
        self._is_near = False
        self._answer: httpx2.Response | None = None
        self._error: httpx2.HTTPError | None = None
        #: Version of TLS, and when the server's certificate ends.
        self._secured: tuple[str | None, float] = None, 0.0
        self._server: NodeClient | None = None
        self._collaboration: dict[str, Any] = {}

    def close(self) -> None:
        """End the session of the node."""
        if self._server is not None:
            self._server.close()

    def checks(self) -> Iterator[Check]:
        """Yield all checks, from the near to the far."""
        yield "proxy", self._through_proxy
        yield "dns", self._name
        yield "tls", self._certificate
        yield "server", self._version
        yield "clock", self._clock
        yield "key", self._account
        yield "queue", self._queue
        yield "encryption", self._encryption

    def _configured_proxy(self) -> str | None:
        if self._config.proxy or proxy_bypass(self._host.hostname or ""):
            return self._config.proxy
        return getproxies().get(self._host.scheme)

    def _through_proxy(self) -> str:
        if self._proxy is None:
            raise Skipped("None is configured, the server is asked directly.")
        setting = "proxy" if self._config.proxy else f"{self._host.scheme.upper()}_PROXY"
        shown, where = without_secrets(self._proxy), urlsplit(self._proxy)
        try:
            connect(where.hostname or "", where.port or _PROXY_PORTS.get(where.scheme, 80))
        except (OSError, ValueError) as error:
            why = reason(error) if isinstance(error, OSError) else error
            raise Failed(f"{shown} does not answer ({why}): check {setting}.") from error
        self._is_near = True
        return f"{shown} answers."

    def _name(self) -> str:
        if self._proxy is not None:
            raise Skipped("The proxy looks up the server's name.")
        host = self._host.hostname or ""
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError as error:
            advice = "check server_url, and the name servers of this machine"
            raise Failed(f"{host} is not known ({error.strerror}): {advice}.") from error
        self._is_near = True
        addresses = sorted({str(entry[4][0]) for entry in found})
        return f"{host} is {', '.join(addresses)}."

    def _ask(self) -> httpx2.Response | None:
        """Return the server's answer to the first question; None if there is none."""
        if self._answer is None and self._error is None and self._is_near:
            try:
                with (
                    self._network.client(timeout=_SECONDS) as client,
                    client.stream("GET", f"{self._address}/version") as answer,
                ):
                    self._secured = _look_at_tls(answer)
                    answer.read()
                self._answer = answer
            except httpx2.HTTPError as error:
                self._error = error
            except ConfigurationError:
                # Said once, by the first check that asks.
                self._is_near = False
                raise
        return self._answer

    def _certificate(self) -> str:
        if self._host.scheme != "https":
            raise Doubtful(
                "The server's address is http: an eavesdropper can read along. Use https, unless "
                "this is a test on one machine."
            )
        answer = self._ask()
        if self._error is not None and (advice := distrust(self._address, self._error)):
            raise Failed(advice)
        if answer is None:
            raise Skipped(_NO_ANSWER)
        version, end = self._secured
        days = (end - clock.now().timestamp()) / 86400
        said = f"{version}, trusted; the certificate ends in {days:.0f} days"
        if days < _SOON_DAYS:
            raise Doubtful(f"{said}: tell the server's operator to renew it.")
        return f"{said}."

    def _version(self) -> str:
        answer = self._ask()
        if answer is None:
            if self._error is None:
                raise Skipped("There is no way to it.")
            advice = distrust(self._address, self._error)
            if advice and self._host.scheme == "https":  # said with the certificate
                raise Skipped("There is no way to it.")
            raise Failed(advice or self._why_not(self._error))
        try:
            version = answer.json()["version"]
            numbers = version.split(".")[:2]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self._answer, self._is_near = None, False
            raise Failed(
                not_this_system(self._address, answer.status_code, "server_url, port and api_path")
            ) from error
        said = f"{self._address} answers, version {version}"
        if numbers != __version__.split(".")[:2]:
            raise Doubtful(f"{said}; this node has {__version__}: bring both to one version.")
        return f"{said}."

    def _why_not(self, error: httpx2.HTTPError) -> str:
        if isinstance(error, httpx2.ProxyError):
            return (
                f"The proxy refused to connect to {self._address} ({error}): check its user and "
                "password in the setting, or ask who runs it."
            )
        return no_answer(self._address, error, "server_url and port", _SECONDS)

    def _clock(self) -> str:
        answer = self._ask()
        if answer is None:
            raise Skipped(_NO_ANSWER)
        try:
            there: datetime = parsedate_to_datetime(
                # Something on the way may add one of its own.
                answer.headers.get_list("date")[0]
            )
        except (IndexError, ValueError) as error:
            raise Skipped("The server does not tell the time.") from error
        return same_time(there, _MOST_SECONDS_APART)

    def _account(self) -> str:
        if self._ask() is None:
            raise Skipped(_NO_ANSWER)
        server = NodeClient(self._config.server_address, self._config.api_path, self._network)
        self._server = server
        try:
            server.authenticate(self._config.api_key.get_secret_value())
        except (Unauthenticated, Forbidden) as error:
            advice = "check api_key; `vnode set-api-key` writes another."
            raise Failed(f"The server refuses the key: {error.message} Then {advice}") from error
        me = server.whoami
        if me is None or server.collaboration_id is None:
            raise Failed(
                "This node is in no collaboration at the server: ask its operator to add it to one."
            )
        self._collaboration = server.collaboration(server.collaboration_id)
        return f"This is {me.name}, of {me.organization_name}, in {self._collaboration['name']}."

    def _session(self) -> NodeClient:
        if self._server is None or not self._collaboration:
            raise Skipped(_NO_LOGIN)
        return self._server

    def _queue(self) -> str:
        server = self._session()
        if self._config.transport == "https":
            return "Messages come through the API; no other port is needed."
        try:
            url = urlsplit(server.broker()["url"])
            host, port = url.hostname or "", url.port or 6379
            connect(host, port)
        except (V6Error, OSError) as error:
            advice = "open the port of Redis, or set transport to https"
            raise Failed(f"The queue cannot be reached ({error}): {advice}.") from error
        return f"Redis answers at {host}:{port}."

    def _encryption(self) -> str:
        server = self._session()
        encrypted = bool(self._collaboration["encrypted"])
        if encrypted != self._config.encryption.enabled:
            raise Failed(
                f"The collaboration is {'' if encrypted else 'not '}encrypted: set "
                f"encryption.enabled to {str(encrypted).lower()}."
            )
        if not encrypted:
            return "Neither the collaboration nor the node encrypts."
        me = server.whoami
        published = server.organization(me.organization_id).get("public_key") if me else None
        file = self._instance.key_file
        if not file.exists() and not published:
            raise Doubtful(f"No key yet: the first start makes {file}.")
        try:
            cryptor = RSACryptor(file)
            mode = stat.S_IMODE(file.stat().st_mode)
        except (OSError, ValueError) as error:
            raise Failed(
                f"encryption.private_key: {error} Name the key file of the organization."
            ) from error
        if published and not cryptor.verify_public_key(published):
            raise Failed(
                f"{file} is not the key whose public half the server has: use the right file, or "
                "publish this one with `vnode create-private-key`."
            )
        if mode & 0o077:
            raise Doubtful(f"Others may read {file}: chmod 600 {file}")
        return f"{file} is the key of the organization."


def _look_at_tls(answer: httpx2.Response) -> tuple[str | None, float]:
    """Return the version of TLS, and when the server's certificate ends.

    The connection of the answer is asked, not one of our own: it leads through the same proxy.
    """
    stream = answer.extensions.get("network_stream")
    secure = stream.get_extra_info("ssl_object") if stream else None
    if secure is None:
        return None, 0.0
    return secure.version(), cert_time_to_seconds(str((secure.getpeercert() or {})["notAfter"]))
