"""A node under an ordinary user's account, beside a rootless engine of that user.

The tests of this folder run once more, as that user and with that engine.
"""

import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from tests.node.factories import BASE
from tests.services import rootless
from tests.services.rootless import User

_CHECKOUT = Path(__file__).parents[2]
_SECONDS = 800

pytestmark = [pytest.mark.slow, pytest.mark.timeout(_SECONDS + 60)]


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    """Give the user who keeps both engines."""
    with rootless.user() as made:
        yield made


@pytest.fixture(scope="module", params=["docker", "podman"])
def rootless_host(
    request: pytest.FixtureRequest, user: User, engine: docker.APIClient
) -> Iterator[str]:
    """Give the address of a rootless engine that has the image on which the tests build."""
    with getattr(rootless, request.param)(user) as address:
        client = docker.APIClient(base_url=address, version="auto", timeout=120)
        client.load_image(b"".join(engine.get_image(BASE)))
        client.close()
        yield address


def passes(user: User, host: str, *tests: str) -> None:
    """Run tests as a user with an engine."""
    # Their files are the user's; no other options than here, so that it cannot be more lenient.
    options = ["-q", "-p", "no:cacheprovider", f"--basetemp={user.folder}/tests"]
    program = [sys.executable, "-B", "-m", "pytest", *options, *tests]
    done = subprocess.run(
        user.command(*program),
        cwd=_CHECKOUT,
        env=user.environment(DOCKER_HOST=host),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def test_contract_of_runtimes_holds(user: User, rootless_host: str) -> None:
    passes(user, rootless_host, "tests/node/test_runtimes.py", "-k", "docker")


def test_disk_is_not_filled(user: User, rootless_host: str) -> None:
    passes(user, rootless_host, "tests/node/test_disk_limit.py", "-k", "not podman_bench")


def test_system_calls_are_filtered(user: User, rootless_host: str) -> None:
    # The image with packages is of root's engine.
    chosen = "not podman_bench and not numbers_and_tables"
    passes(user, rootless_host, "tests/node/test_system_calls.py", "-k", chosen)


def test_containers_are_confined(user: User, rootless_host: str) -> None:
    # A bridge of the engine's own network, which no program of the user reaches.
    passes(
        user,
        rootless_host,
        "tests/node/test_confinement.py",
        "-k",
        "not bridge and not podman_bench",
    )


def test_engine_that_does_not_come_up_fails_with_its_last_words(user: User) -> None:
    closed = replace(user, device_mode=0o600)
    with pytest.raises(AssertionError, match="/dev/net/tun"), rootless.docker(closed):
        pass


def test_device_of_the_machine_stays_as_it_is(user: User) -> None:
    device = Path("/dev/net/tun")
    before = device.stat() if device.exists() else None
    seen = subprocess.run(
        user.command("stat", "--format=%a", device), check=True, capture_output=True, timeout=60
    )
    assert seen.stdout == b"666\n"
    after = device.stat() if device.exists() else None
    assert (before and stat.filemode(before.st_mode)) == (after and stat.filemode(after.st_mode))


def test_node_says_that_the_device_of_rootless_engines_is_closed(user: User) -> None:
    program = """
from vantage6.common.config import NodeConfig
from vantage6.node.runtime import engine
config = {"api_key": "x", "server_url": "http://127.0.0.1", "encryption": {"enabled": False}}
try:
    engine.connect(NodeConfig(**config, docker_host="unix:///nowhere/docker.sock"), 5)
except engine.EngineUnavailable as error:
    print(error)
"""

    def said(owner: User) -> str:
        command = owner.command(sys.executable, "-B", "-c", program)
        done = subprocess.run(
            command, cwd="/", env=owner.environment(), capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    closed = said(replace(user, device_mode=0o600))
    assert "No container engine answers at unix:///nowhere/docker.sock" in closed
    assert "chmod 666 /dev/net/tun" in closed
    assert "tun" not in said(user)
