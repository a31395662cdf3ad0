"""Which requests come from this machine itself."""

import ipaddress
import os
from typing import Any

import psutil
from falcon import Request

from vantage6.common import logs

log = logs.get(__name__)

#: Headers in which a proxy says for whom it asks, or that it is one.
_OF_PROXIES = ("Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host", "X-Forwarded-Proto")
_OWN_NAMES = ("localhost", "127.0.0.1", "::1", "[::1]")


def is_from_this_machine(req: Request, proxies: int) -> bool:
    """Tell whether a request was made on this machine, to this machine, by the server's user.

    SECURITY: a proxy on this machine connects from loopback too, on behalf of any caller. In doubt,
    a request is from elsewhere.

    Parameters
    ----------
    req
        The request.
    proxies
        How many proxies of ours it may have passed.
    """
    hops = [hop.strip() for hop in (req.get_header("X-Forwarded-For") or "").split(",")]
    forwarded = hops != [""]
    if (forwarded or any(map(req.get_header, _OF_PROXIES))) and not (proxies and forwarded):
        return False
    # nginx speaks HTTP/1.0 to a server, and adds no header, unless it is told otherwise.
    direct = forwarded or req.env.get("SERVER_PROTOCOL") != "HTTP/1.0"
    # Of what passed a proxy each hop counts, and not only those that our own proxies wrote.
    addresses = [req.remote_addr, *(hops if forwarded else [])]
    if not (direct and req.host in _OWN_NAMES and all(map(_is_loopback, addresses))):
        return False
    # A proxy that says nothing of itself still runs as a user of its own.
    return forwarded or _is_sent_by_own_user(req.env.get("gunicorn.socket"))


def _is_loopback(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def _is_sent_by_own_user(connection: Any) -> bool:
    """Tell whether the process at the other end of a connection runs as the user of this server."""
    if connection is None:  # no network: the application is called by this process
        return True
    try:
        ports = connection.getpeername()[1], connection.getsockname()[1]
        ends = [
            one.pid
            for one in psutil.net_connections("tcp")
            if one.laddr and one.raddr and (one.laddr.port, one.raddr.port) == ports
        ]
        # Processes of others have no number where the server may not look.
        return bool(ends) and all(
            pid is not None and psutil.Process(pid).uids().effective == os.geteuid() for pid in ends
        )
    except (OSError, psutil.Error) as error:
        log.warning("sender of a login unknown", reason=str(error))
        return False
