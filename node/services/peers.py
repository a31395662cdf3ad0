"""Which algorithms one algorithm may reach in the VPN: those that the server shows to it."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from vantage6.common import logs
from vantage6.common.errors import V6Error

log = logs.get(__name__)

#: Between two questions to the server, however often an algorithm tries.
_PAUSE_SECONDS = 1.0


class Peers:
    """The addresses of the algorithms that belong to one algorithm's task.

    SECURITY: everything in the VPN is in one network. An algorithm gets to those of its own task,
    to the one that asked for it, and to those that it asked for; to no other run.

    Parameters
    ----------
    ask
        Returns them as the server tells, each with `ip` and `port`; raises V6Error.
    """

    def __init__(self, ask: Callable[[], Iterable[Mapping[str, Any]]]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._known: set[tuple[str, int]] = set()
        self._asked_at = float("-inf")

    def has(self, address: str, port: int) -> bool:
        """Tell whether an algorithm that belongs to the task listens at an address."""
        with self._lock:
            # One that has just begun may be missing, one that has ended may still be there.
            pause = self._asked_at + _PAUSE_SECONDS - time.monotonic()
            if pause > 0 and (address, port) in self._known:
                return True
            time.sleep(max(0.0, pause))
            try:
                self._known = {(one["ip"], one["port"]) for one in self._ask()}
            except V6Error as error:
                log.warning("addresses of the VPN not known", reason=str(error))
                self._known = set()
            self._asked_at = time.monotonic()
            return (address, port) in self._known
