"""Some listeners in a process of their own, so that its memory can be measured: run by the tests.

It writes the ports of the listeners, then its highest memory in bytes for each line that it gets.
"""

import json
import socket
import sys
from pathlib import Path
from typing import Any

from tests.node.listeners import NODE, OWN_TASK, TOKENS
from vantage6.common.config.node import LimitConfig
from vantage6.common.encryption import DummyCryptor
from vantage6.node.proxy.app import Algorithm, Proxy
from vantage6.node.proxy.memory import MemoryBudget
from vantage6.node.proxy.server import ProxyServer
from vantage6.node.proxy.subtasks import SubTasks
from vantage6.node.proxy.upstream import Upstream
from vantage6.node.rules.quota import Quota
from vantage6.node.rules.result_audit import ResultAudit


def peak_bytes() -> int:
    """Return the most memory that this process has had."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


def main(server: str, listeners: int, room_bytes: int, reply_bytes: int) -> None:
    """Open listeners until the input ends."""
    upstream = Upstream(server, memory=MemoryBudget(room_bytes))
    made = SubTasks()
    made.add(9, frozenset({21}))
    limits: Any = LimitConfig()
    ports = []
    keepers = []
    for _ in range(listeners):
        algorithm = Algorithm(OWN_TASK, 1, NODE, TOKENS, ResultAudit(None, 5), Quota(limits), made)
        proxy = Proxy(
            upstream,
            None,
            DummyCryptor(),
            1,
            algorithm,
            allows_pickle=True,
            may_leave=lambda *_: None,
            reply_bytes=reply_bytes,
        )
        listener = socket.create_server(("127.0.0.1", 0))
        ports.append(listener.getsockname()[1])
        keepers.append(ProxyServer(listener, proxy.app, limits.request_bytes))
    _say(json.dumps(ports))
    for _ in sys.stdin:
        _say(str(peak_bytes()))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


main(sys.argv[1], *map(int, sys.argv[2:]))
