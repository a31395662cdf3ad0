"""A load generator: clients that send requests side by side, each on a new connection.

That is what clients of 3.11 do. It runs as a process of its own and needs the standard library
only, so that it takes little from the server it measures: ``start`` and ``finish`` are for the
benchmarks, ``main`` is that process, which reads a `Load` and writes an `Outcome` as JSON.
"""

import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

HOST = "127.0.0.1"
#: Part of the time whose requests are not counted.
WARM_UP = 0.15
_TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Load:
    """What to send.

    Parameters
    ----------
    port
        Where the server listens on loopback.
    paths
        What each request asks for, in turn; again from the start unless each serves ``once``.
        What serves once is all counted, and the rest without the first requests.
    """

    port: int
    method: str
    paths: list[str]
    token: str = ""
    body: str = ""
    clients: int = 1
    seconds: float = 3.0
    once: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came back."""

    #: Each counted request, in milliseconds.
    milliseconds: list[float]
    per_second: float
    #: The first answer that was no success.
    failure: str = ""

    @property
    def median(self) -> float:
        """The middle of all times, in milliseconds."""
        return statistics.median(self.milliseconds)

    @property
    def slow(self) -> float:
        """The time that 95 of 100 requests stay below, in milliseconds."""
        return sorted(self.milliseconds)[int(len(self.milliseconds) * 0.95)]


def start(load: Load) -> "subprocess.Popen[str]":
    """Start a process that sends a load."""
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    json.dump(asdict(load), process.stdin)
    process.stdin.close()
    process.stdin = None
    return process


def finish(process: "subprocess.Popen[str]") -> Outcome:
    """Wait for a load, and return what came back."""
    said, _ = process.communicate(timeout=_TIMEOUT_SECONDS)
    assert process.returncode == 0, "the load generator failed"
    outcome = Outcome(**json.loads(said))
    assert not outcome.failure, outcome.failure
    assert outcome.milliseconds, "no request ended in time"
    return outcome


@dataclass
class _Clients:
    """The threads of the process."""

    load: Load
    #: Start and duration of each request, in seconds.
    times: list[tuple[float, float]] = field(default_factory=list)
    failure: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> Outcome:
        """Send until the time is over, or the paths are used up."""
        self._requests = self._all()
        began = time.perf_counter()
        self._deadline = began + self.load.seconds * (1 + WARM_UP)
        threads = [threading.Thread(target=self._one) for _ in range(self.load.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.times.sort()
        counted = self.times
        if not self.load.once:
            # The first request of each client is for warming up, too.
            later = self.times[min(self.load.clients, len(self.times) // 2) :]
            warm = began + self.load.seconds * WARM_UP
            counted = [(at, took) for at, took in later if at >= warm] or later
        span = max(at + took for at, took in counted) - min(at for at, _ in counted)
        return Outcome([took * 1000 for _, took in counted], len(counted) / span, self.failure)

    def _all(self) -> Iterator[tuple[bytes, bytes]]:
        load, body = self.load, self.load.body.encode()
        token = f"Authorization: Bearer {load.token}\r\n" if load.token else ""
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        rounds = iter((0,)) if load.once else iter(int, 1)
        for _ in rounds:
            for path in load.paths:
                head = f"{load.method} {path} HTTP/1.1\r\nHost: {HOST}\r\n{token}{kind}\r\n"
                yield head.encode(), body

    def _one(self) -> None:
        while time.perf_counter() < self._deadline and not self.failure:
            with self._lock:
                request = next(self._requests, None)
            if request is None:
                return
            started = time.perf_counter()
            try:
                answer = exchange(self.load.port, *request)
            except (OSError, ValueError) as error:
                answer = repr(error)
            self.times.append((started, time.perf_counter() - started))
            if answer:
                self.failure = f"{self.load.method} {self.load.paths[0]}: {answer}"


def exchange(port: int, head: bytes, body: bytes) -> str:
    """Send a request on a connection of its own; return nothing, or the answer if it is bad."""
    with socket.create_connection((HOST, port), timeout=_TIMEOUT_SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(head)
        connection.sendall(body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = connection.recv(65536)
            if not part:
                raise ValueError(f"the server hung up after {answer!r}")
            answer += part
        answered, _, text = answer.partition(b"\r\n\r\n")
        lines = answered.decode("latin-1").lower().split("\r\n")
        status = lines[0].split(" ", 2)[1]
        length = next(int(x[15:]) for x in lines if x.startswith("content-length:"))
        missing = length - len(text)
        buffer = bytearray(min(max(missing, 1), 2**20))
        while missing > 0:
            read = connection.recv_into(buffer)
            if not read:
                raise ValueError("the server hung up within an answer")
            missing -= read
    return "" if status.startswith("2") else f"{lines[0]} {text[:300].decode(errors='replace')}"


def main() -> None:
    """Send what standard input says."""
    json.dump(asdict(_Clients(Load(**json.load(sys.stdin))).run()), sys.stdout)


if __name__ == "__main__":
    main()
