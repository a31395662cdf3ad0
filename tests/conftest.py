"""The fixtures that all tests share. A service starts when the first test asks for it."""

import logging
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.campaign import EFFORT, effort
from tests.services import docker
from tests.services.postgres import PostgresCluster
from tests.services.redis import RedisServer

if TYPE_CHECKING:
    from docker import APIClient

#: A test that uses one of these counts as slow; it need not say so.
_SERVICES = {"redis_server", "postgres", "docker_host"}
#: The folders whose tests run whole nodes beside one engine, where a name is for one node.
_STATIONS = {"acceptance", "deployment", "peer"}
#: The other folders whose files take long.
_LONG = {"docs", "examples", "node", "seeds", "validation", "web"}
_DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)]


def pytest_configure(config: pytest.Config) -> None:
    # An example takes as long as the machine lets it.
    unhurried = [HealthCheck.too_slow, HealthCheck.data_too_large]
    patient: dict[str, Any] = {"deadline": None, "suppress_health_check": unhurried}
    settings.register_profile("change", settings.default, **patient)
    settings.register_profile("campaign", max_examples=effort(100), derandomize=False, **patient)
    settings.load_profile("change" if EFFORT == 1 else "campaign")
    # In the background a shell ignores it, and every program that a test starts would, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Of the processes that share the tests none knows which of them needs the engine longest.
    if not hasattr(config, "workerinput"):
        run = ExitStack()
        run.enter_context(docker.engine_of_run())
        config.add_cleanup(run.close)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if " at 0x" in item.nodeid:
            # No two processes have the same, and they would refuse to share the tests.
            raise pytest.UsageError(f"an address is in the name of a test: {item.nodeid}")
        if _SERVICES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
        if EFFORT > 1:
            # It goes on for as long as it was asked to.
            item.add_marker(pytest.mark.timeout(0), append=False)
    # Some processes share the files. The longest come first, so that none ends long before.
    items.sort(key=lambda item: _rank(item.path.parent.name))


def _rank(folder: str) -> int:
    return 0 if folder in _STATIONS else 1 if folder in _LONG else 2


class _Files(LoadScopeScheduling):
    """Gives each file to one process, and all folders of whole nodes to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = PurePath(nodeid.partition("::")[0])
        if file.parent.name in _STATIONS:
            return "stations"
        # One federation is behind all web pages.
        return "web" if file.parent.name == "web" else str(file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _Files:
    return _Files(config, log)


@pytest.fixture(scope="session", autouse=True)
def _own_home() -> Iterator[None]:
    """Keep what commands remember out of the home of this user, and of other processes."""
    # Sockets have short paths.
    with TemporaryDirectory(prefix="v6-") as folder, pytest.MonkeyPatch.context() as patch:
        for kind in ("CONFIG", "DATA", "STATE"):
            patch.setenv(f"XDG_{kind}_HOME", f"{folder}/{kind.lower()}")
        yield


@pytest.fixture(scope="session", autouse=True)
def known_keys_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Let no test touch the keys that the user of this machine knows."""
    folder = tmp_path_factory.mktemp("known")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("V6_KNOWN_ORGANIZATIONS", str(folder / "session.json"))
        yield folder


@pytest.fixture(autouse=True)
def known_keys_of_test(known_keys_of_session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test meet all keys for the first time."""
    file = known_keys_of_session / f"{uuid.uuid4().hex}.json"
    monkeypatch.setenv("V6_KNOWN_ORGANIZATIONS", str(file))


def _state_of_logging() -> dict[str, Any]:
    config = structlog.get_config()
    return {
        **config,
        "processors": [*config["processors"]],
        "level": logging.getLogger().level,
        "disabled": logging.Logger.manager.disable,
    }


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Let no test change what the tests after it log, which they look at."""
    before = _state_of_logging()
    yield
    assert _state_of_logging() == before, "this test leaves the logging of the process changed"


@pytest.fixture(scope="session", autouse=True)
def _unmounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Unmount what nodes that were killed left in the folders of tests."""
    yield
    base = f"{tmp_path_factory.getbasetemp()}/"
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for place in reversed([place for place in mounted if place.startswith(base)]):
        subprocess.run(["umount", "--lazy", place], check=True, timeout=60)


@pytest.fixture(scope="session")
def built() -> Path:
    """Build the web pages, if what they are made of has changed; give their folder."""
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [root / "scripts" / "web.sh"], capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return root / "web" / "built"


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Give a Redis for all tests; one that a test stops or configures is its own `RedisServer`."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """Return the URL of a Redis without any keys or users, as its administrator."""
    redis_server.reset()
    return redis_server.url


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresCluster]:
    """Give a PostgreSQL; ``with postgres.database() as uri`` makes an empty database."""
    with PostgresCluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def filled_database(
    postgres: PostgresCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Return the name of a PostgreSQL database with tables and rules, for tests to copy."""
    # Only a run that uses PostgreSQL pays for these imports.
    from tests.models.factories import migrated
    from vantage6.models import database

    with postgres.database() as uri:
        database.bind(uri, folder=tmp_path_factory.mktemp("filled"))
        with migrated():
            pass
        yield uri.rpartition("/")[2]


@pytest.fixture(params=_DATABASES)
def empty_uri(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URI of an empty database; the test runs with SQLite and with PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite'}"
    else:
        with request.getfixturevalue("postgres").database() as uri:
            yield uri


@pytest.fixture(params=_DATABASES)
def database_uri(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URI of a database for `tests.models.factories.migrated`, of both kinds in turn.

    That of PostgreSQL has its tables already: a copy takes less time than making them.
    """
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite'}"
    else:
        filled = request.getfixturevalue("filled_database")
        with request.getfixturevalue("postgres").database(like=filled) as uri:
            yield uri


@pytest.fixture(scope="session")
def docker_host() -> Iterator[str]:
    """Give the address of a Docker engine, which is also in ``DOCKER_HOST`` from here on."""
    address = docker.engine()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", address)
        yield address


@pytest.fixture(scope="session")
def average_image(docker_host: str) -> str:
    """Return the image of the algorithm ``average``, built from this checkout."""
    docker.build_images()
    return "vantage6/average:latest"


@pytest.fixture(scope="session")
def engine(docker_host: str) -> Iterator["APIClient"]:
    """Give a connection to the engine."""
    # Only a run that uses an engine pays for this import and the next.
    from docker import APIClient

    with closing(APIClient(base_url=docker_host, version="auto")) as client:
        yield client


@pytest.fixture(scope="session")
def program_image(engine: "APIClient") -> Iterator[str]:
    """Give the image of the test algorithm, once for all folders of tests."""
    from tests.node import factories

    yield factories.make_program_image(engine, factories.BASE)
    engine.remove_image(factories.IMAGE, force=True)
