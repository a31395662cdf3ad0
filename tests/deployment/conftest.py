"""One deployment for all tests."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.deployment.deployment import Deployment, build_images, tool
from tests.services import missing
from vantage6.client import Client


@pytest.fixture(scope="session")
def images(docker_host: str, average_image: str) -> dict[str, str]:
    """Return the variables that name the images, which are built."""
    if os.geteuid() != 0 or not docker_host.startswith("unix://"):
        missing("an engine on this machine, and its root")
    tool()
    return build_images()


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Give a folder whose path others may pass, as a node in a container has to."""
    folder = Path(tempfile.mkdtemp(prefix="v6-deployment-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def running_deployment(folder: Path, images: dict[str, str]) -> Iterator[Deployment]:
    """Give a server and two stations, each started as its page says."""
    deployment = Deployment(folder / "first", f"v6test{os.getpid()}", images)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(deployment.folder / "certificate.pem"))
        try:
            deployment.start()
            yield deployment
        finally:
            deployment.stop()


@pytest.fixture
def deployment(running_deployment: Deployment) -> Deployment:
    """Give the deployment with everything running, whatever the last test did to it."""
    running_deployment.wait_until_ready()
    running_deployment.wait_until_online()
    return running_deployment


@pytest.fixture
def client(deployment: Deployment) -> Iterator[Client]:
    """Give the client of the researcher."""
    with closing(deployment.client()) as client:
        yield client
