"""What the kernel has counted against one container.

The kernel keeps numbers of its own of what it refused: processes above the limit, programs ended
for want of memory, packets without a way, connections without an answer. An algorithm can
neither avoid nor change them.
"""

import os
import threading
from contextlib import suppress
from pathlib import Path

from vantage6.node.runtime.namespaces import is_process_of

_GROUPS, _PROCESSES = Path("/sys/fs/cgroup"), Path("/proc")
#: Kind to the controller, and to the files of both versions of control groups with the word that
#: stands before the number.
_GROUP_FILES = {
    "process_limit": ("pids", ("pids.events",), "max"),
    "out_of_memory": ("memory", ("memory.events", "memory.oom_control"), "oom_kill"),
}
#: Kind to protocol and name of the numbers that make it up.
_NETWORK = {
    "network_unreachable": (("Ip", "OutNoRoutes"),),
    "connection_refused": (("Tcp", "AttemptFails"), ("Udp", "NoPorts")),
}


class Counters:
    """The numbers of one container, by kind. Safe for threads.

    Those of the network outlive the container as long as this is open. Its control groups do not:
    what they counted after the last `read` is lost.

    Parameters
    ----------
    container_id
        The container.
    pid
        Its first process; None, or one that is not visible here, has no numbers.
    """

    def __init__(self, container_id: str, pid: int | None) -> None:
        self._lock = threading.Lock()
        self._groups: list[tuple[str, Path]] = []
        self._network: int | None = None
        if not pid:
            return
        with suppress(OSError):
            process = _PROCESSES / str(pid)
            self._network = os.open(process / "net/snmp", os.O_RDONLY)
            # SECURITY: the number may belong to another process by now. Asked after opening: if
            # it still is the container, then what was opened is the container's.
            if is_process_of(container_id, process):
                # A rootless engine may have none.
                self._groups = _groups((process / "cgroup").read_text(), container_id)
                return
        self.close()

    def read(self) -> dict[str, int]:
        """Return all numbers that are not zero."""
        found: dict[str, int] = {}
        for kind, folder in self._groups:
            found[kind] = max(found.get(kind, 0), _group_number(kind, folder))
        with self._lock:
            text = "" if self._network is None else os.pread(self._network, 65536, 0).decode()
        numbers = _network_numbers(text)
        for kind, names in _NETWORK.items():
            found[kind] = sum(numbers.get(name, 0) for name in names)
        return {kind: number for kind, number in found.items() if number}

    def close(self) -> None:
        """Let the kernel forget the network of a container that ended."""
        with self._lock:
            if self._network is not None:
                os.close(self._network)
                self._network = None


def _groups(text: str, container_id: str) -> list[tuple[str, Path]]:
    """Return the folders that count, by kind.

    Engines may put the program into a group within the container's own, and older kernels count a
    process where it was refused, not where the limit is: both are read.
    """
    found = []
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        before, id_, after = path.partition(container_id)
        if not id_:
            continue
        own = before + id_ + after.partition("/")[0]
        for kind, (controller, _, _) in _GROUP_FILES.items():
            # The second version of control groups has one tree, and names no controllers.
            if controllers in {controller, ""}:
                root = _GROUPS / controllers
                found += [(kind, root / group.lstrip("/")) for group in {own, path}]
    return found


def _group_number(kind: str, folder: Path) -> int:
    _, names, word = _GROUP_FILES[kind]
    for name in names:
        # It goes with the container.
        with suppress(OSError, ValueError):
            for line in (folder / name).read_text().splitlines():
                key, _, number = line.partition(" ")
                if key == word:
                    return int(number)
    return 0


def _network_numbers(text: str) -> dict[tuple[str, str], int]:
    """Read pairs of lines, one with names and one with numbers."""
    lines = [line.split() for line in text.splitlines()]
    return {
        (names[0].rstrip(":"), name): int(number)
        for names, numbers in zip(lines[::2], lines[1::2], strict=False)
        for name, number in zip(names[1:], numbers[1:], strict=False)
    }
