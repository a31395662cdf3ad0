"""A node under an ordinary user's account, beside a rootless engine of that user.

The tests of this folder run once more, as that user and with that engine.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.node.conftest import BASE
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


def test_containers_are_confined(user: User, rootless_host: str) -> None:
    # A bridge of the engine's own network, which no program of the user reaches.
    passes(user, rootless_host, "tests/node/test_confinement.py", "-k", "not bridge")
