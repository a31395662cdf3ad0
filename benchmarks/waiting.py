"""Measure what it takes to have a thousand nodes wait at one process of the API.

The nodes are sockets in one process beside the server: they wait, acknowledge what they get, and
wait again, as nodes do.
"""

import asyncio
import json
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks import filling, load
from benchmarks.report import console
from vantage6.api.identity.tokens import Login, Tokens
from vantage6.broker.messages import ResultReady
from vantage6.broker.publisher import Publisher
from vantage6.common.clock import now
from vantage6.common.config import Instance
from vantage6.common.enums import IdentityKind
from vantage6.models import database
from vantage6.models.store import nodes as stored
from vantage6.models.store import sessions, users
from vantage6.models.tables import Node, User
from vantage6.sandbox.federation import Federation

#: How long a node waits, as ours do.
_WAIT_SECONDS = 25
#: How long they only wait, and how many doorbells follow, one after the other.
_REST_SECONDS = 30
_RINGS = 300


def measure(nodes: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="vantage6-bench-") as folder:
        federation = Federation(Path(folder), {}, settings={"workers": 1, "waiting_nodes": nodes})
        try:
            federation.start_server()
            instance = Instance.load(federation.server_file)
            database.bind(instance.config.uri, folder=instance.folder)
            tokens = Tokens.from_config(instance.config, instance.folder)
            with database.session():
                group = filling.group("waiting", nodes)
                waiting = Waiting(
                    federation.port,
                    {id_: _token(tokens, stored.get(id_)) for id_ in group.nodes},
                )
                user = _token(tokens, users.get(group.user))
            asyncio.run(_measure(federation, waiting, user))
        finally:
            federation.stop()


def _token(tokens: Tokens, who: User | Node) -> str:
    """Return the token of a user who has logged in."""
    kind = IdentityKind.USER if isinstance(who, User) else IdentityKind.NODE
    moment = now()
    until = moment + tokens.refresh_life
    row = sessions.begin(who, until=until, address="127.0.0.1", agent=None)
    return tokens.pair(kind, who.id, Login(row.id, moment))[0]


@dataclass
class Waiting:
    """Nodes that wait, and when each of them got something."""

    port: int
    tokens: dict[int, str]
    received: dict[int, float] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    async def node(self, id_: int) -> None:
        """Be a node until the server goes away."""
        reader, writer = await asyncio.open_connection(load.HOST, self.port)
        try:
            await self._consume(reader, writer, id_)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _consume(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, id_: int
    ) -> None:
        path = f"/api/node/{id_}/inbox"
        while True:
            status, body = await self._ask(reader, writer, id_, f"GET {path}?wait={_WAIT_SECONDS}")
            if status == 200:
                self.received[id_] = time.perf_counter()
                tag = json.loads(body)["properties"]["delivery_tag"]
                await self._ask(reader, writer, id_, f"DELETE {path}/{tag}")
            elif status != 204:
                self.failures.append(f"{status} {body!r}")
                return

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, id_: int, what: str
    ) -> tuple[int, bytes]:
        head = f"{what} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.tokens[id_]}\r\n\r\n"
        writer.write(head.encode())
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next((x[15:] for x in answer.split("\r\n") if x.startswith("content-length:")), 0)
        return int(answer.split(" ")[1]), await reader.readexactly(int(length))


async def _measure(federation: Federation, waiting: Waiting, user: str) -> None:
    number = len(waiting.tokens)
    api = federation.process("api")
    console.print(f"\n{number} nodes that wait at one API process")
    _requests(federation, user, "before")
    before = _mebibytes(api)
    tasks = [asyncio.create_task(waiting.node(id_)) for id_ in waiting.tokens]
    await asyncio.sleep(15)
    _line("memory before", f"{before:9.1f} MiB")
    after = _mebibytes(api)
    _line("memory with all of them", f"{after:9.1f} MiB")
    _line("  each", f"{(after - before) * 1024 / number:9.1f} KiB")
    _line("threads", f"{sum(p.num_threads() for p in api.children()):9}")
    used = _cpu_seconds(api)
    await asyncio.sleep(_REST_SECONDS)
    _line("processor while they wait", f"{(_cpu_seconds(api) - used) / _REST_SECONDS:9.1%}")
    await _latency(federation, waiting)
    await asyncio.to_thread(_requests, federation, user, "meanwhile")
    assert not waiting.failures, waiting.failures[:3]
    began = time.perf_counter()
    api.terminate()
    await asyncio.wait(tasks, timeout=60)
    _line("from TERM until no node waits", f"{time.perf_counter() - began:9.1f} s")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _latency(federation: Federation, waiting: Waiting) -> None:
    """Send a doorbell to one node after the other, and then all at once."""
    publisher = Publisher((federation.folder / "server" / "broker.url").read_text())
    ids, took = list(waiting.tokens), []
    for number in range(_RINGS):
        id_ = ids[number * 7 % len(ids)]
        took.append((await _delivered(publisher, waiting, [id_]))[0])
    took.sort()
    slow = took[int(len(took) * 0.95)]
    _line("from a doorbell to its node, median", f"{statistics.median(took) * 1000:9.1f} ms")
    _line("  95 %", f"{slow * 1000:9.1f} ms")
    _line(
        "from doorbells for all to the last",
        f"{max(await _delivered(publisher, waiting, ids)):9.2f} s",
    )


async def _delivered(publisher: Publisher, waiting: Waiting, ids: list[int]) -> list[float]:
    waiting.received.clear()
    began = time.perf_counter()
    await asyncio.to_thread(publisher.publish, [(id_, ResultReady(1, 1)) for id_ in ids])
    deadline = began + 60
    while len(waiting.received) < len(ids):
        assert time.perf_counter() < deadline, f"{len(waiting.received)} of {len(ids)} were reached"
        await asyncio.sleep(0.0005)
    return [moment - began for moment in waiting.received.values()]


def _requests(federation: Federation, token: str, when: str) -> None:
    for path in ("version", "rule/1"):
        sent = load.Load(federation.port, "GET", [f"/api/{path}"], token, clients=4)
        outcome = load.finish(load.start(sent))
        name = f"GET {path}, 4 clients, {when}"
        _line(
            name,
            f"{outcome.median:9.1f} ms  (95 %: {outcome.slow:.1f} ms, {outcome.per_second:.0f}/s)",
        )


def _cpu_seconds(process: psutil.Process) -> float:
    seconds = 0.0
    for one in [process, *process.children(recursive=True)]:
        times = one.cpu_times()
        seconds += times.user + times.system
    return seconds


def _mebibytes(process: psutil.Process) -> float:
    processes = [process, *process.children(recursive=True)]
    size: float = sum(one.memory_full_info().pss for one in processes) / 2**20
    return size


def _line(name: str, value: str) -> None:
    console.print(f"{name:<48}{value}")
