"""Access to listed addresses outside, through a Squid that only algorithms reach."""

import socket
from pathlib import Path

from vantage6.common import logs
from vantage6.common.config.services import PROXY_HOST, WHITELIST, ImagesConfig, WhitelistConfig
from vantage6.node.runtime.docker import DockerRuntime
from vantage6.node.services.container import ServiceContainer

log = logs.get(__name__)

_PORT = 3128
_SECONDS = 20
_FILE = "/etc/squid/vantage6.conf"
#: Nobody, as whom Squid keeps no rights to give up.
_USER = "65532:65532"

_HEAD = f"""\
http_port 127.0.0.1:{_PORT}
visible_hostname {PROXY_HOST}
pid_filename none
cache deny all
cache_log stdio:/dev/stderr
access_log stdio:/dev/stdout
logfile_rotate 0
coredump_dir /tmp
netdb_filename none
pinger_enable off
shutdown_lifetime 1 second
via off
forwarded_for delete
http_access deny manager
"""


class Whitelist:
    """The proxy, in a container of its own.

    Parameters
    ----------
    config
        What may be reached.
    images
        Where the image of Squid is named.
    runtime
        The engine.
    node
        Name of the node.
    folder
        Where its configuration is written.
    """

    name = WHITELIST
    host = PROXY_HOST

    def __init__(
        self,
        config: WhitelistConfig,
        images: ImagesConfig,
        runtime: DockerRuntime,
        node: str,
        folder: Path,
    ) -> None:
        self._container = ServiceContainer(runtime, node, "squid", "whitelist, images.squid")
        if not config.ports or not (config.domains or config.ips):
            log.warning("whitelist opens nothing: it needs ports, and domains or ips")
        file = folder / "squid.conf"
        file.write_text(rules(config))
        # Nothing in it is secret, and in its container Squid is nobody.
        file.chmod(0o644)
        self._container.start(
            images.squid,
            ["squid", "-N", "-f", _FILE],
            user=_USER,
            binds={str(file): {"bind": _FILE, "mode": "ro"}},
            # Squid makes room for as many connections as it may have files.
            ulimits=[{"Name": "nofile", "Soft": 1024, "Hard": 1024}],
        )
        self._container.wait_for(_PORT, _SECONDS)
        log.info("whitelist open", domains=len(config.domains), ips=len(config.ips))

    def ports(self) -> tuple[int, ...]:
        """Return the port of the proxy."""
        return (_PORT,)

    def ready(self) -> None:
        """Return if the proxy runs."""
        self._container.inspect()

    def connect(self, port: int) -> socket.socket:
        """Return a connection to the proxy."""
        return self._container.connect(port)

    def close(self) -> None:
        """Stop the proxy."""
        self._container.remove()


def environment(direct: list[str]) -> dict[str, str]:
    """Return the variables that lead an algorithm to the proxy.

    Parameters
    ----------
    direct
        What is reached without it.
    """
    proxy = f"http://{PROXY_HOST}:{_PORT}"
    passing = ",".join([*direct, "localhost", "127.0.0.1", "proxyserver"])
    variables = {name: proxy for name in ("HTTP_PROXY", "HTTPS_PROXY")}
    variables["NO_PROXY"] = passing
    return variables | {name.lower(): value for name, value in variables.items()}


def rules(config: WhitelistConfig) -> str:
    """Return the configuration of Squid."""
    ports = " ".join(map(str, config.ports))
    lines = [f"acl open_ports port {ports}"] if ports else []
    lines.append("http_access deny !open_ports" if ports else "http_access deny all")
    # SECURITY: -n, or Squid would ask the DNS for every name that it refuses, and an algorithm
    # could tell the world what it knows in names. One list a name: Squid refuses a list with a
    # name that another one of it includes.
    targets = [f"dstdomain -n {domain}" for domain in config.domains]
    targets += [f"dst -n {ip}" for ip in config.ips]
    lines += [f"acl target_{number} {target}" for number, target in enumerate(targets)]
    names = [f"target_{number}" for number in range(len(targets))]
    lines += [f"acl targets any-of {' '.join(names)}"] if names else []
    lines.append("http_access deny !targets" if names else "http_access deny all")
    # A listed name must not lead back into this container, nor to the machine's own metadata.
    lines.append("acl here dst 127.0.0.0/8 0.0.0.0/8 169.254.0.0/16 ::1 fe80::/10")
    lines.append("http_access deny here")
    lines.append("http_access allow all")
    return _HEAD + "\n".join(lines) + "\n"
