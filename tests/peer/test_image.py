"""An image as it was built for 3.11.1, run unchanged by nodes in containers."""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.peer import environment
from tests.services import missing
from tests.services.docker import own_suffix
from vantage6.client import Client
from vantage6.sandbox.federation import IN_CONTAINERS, Federation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PUBLISHED = f"test/average-of-old{own_suffix()}"
AGES = {"alpha": [45, 62, 71, 75], "beta": [28, 39, 47, 59]}
_SOURCES = Path(__file__).with_name("image")
_RECIPE = """
FROM vantage6/base:latest
ENV PYTHONPATH=/opt/packages
COPY packages /opt/packages
COPY entry.py average_of_old.py /app/
CMD ["python3", "/app/entry.py", "old"]
"""
#: What an image does not need, by the first part of its path.
_LEFT_OUT = ("pip", "wheel")


@pytest.fixture(scope="module")
def image(docker_host: str, average_image: str) -> Iterator[str]:
    """Give an image that holds the published client and an algorithm, and nothing of ours.

    Parameters
    ----------
    average_image
        With it comes the base image.
    """
    python = environment.python()
    said = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    packages = Path(said.stdout.strip())
    with closing(docker.DockerClient(base_url=docker_host, timeout=180)) as engine:
        version = engine.containers.run("vantage6/base:latest", ["python3", "-V"], remove=True)
        if not version.startswith(b"Python 3.11."):
            missing("a base image with Python 3.11, which the dependencies of 3.11.1 are made for,")
        with tempfile.TemporaryFile() as context:
            _write(context, packages)
            context.seek(0)
            engine.images.build(fileobj=context, custom_context=True, tag=PUBLISHED, rm=True)
        yield PUBLISHED
        engine.images.remove(PUBLISHED, force=True)


def _write(context: Any, packages: Path) -> None:
    """Write what the image is built from."""

    def wanted(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        parts = Path(entry.name).parts
        left_out = "__pycache__" in parts or (len(parts) > 1 and parts[1].startswith(_LEFT_OUT))
        return None if left_out else entry

    with tarfile.open(fileobj=context, mode="w") as archive:
        recipe = tarfile.TarInfo("Dockerfile")
        recipe.size = len(_RECIPE)
        archive.addfile(recipe, io.BytesIO(_RECIPE.encode()))
        archive.add(packages, "packages", filter=wanted)
        for name in ("entry.py", "average_of_old.py"):
            archive.add(_SOURCES / name, name)


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory, image: str) -> Iterator[Federation]:
    """Give an encrypted federation whose nodes run containers."""
    folder = tmp_path_factory.mktemp("old-image")
    federation = Federation(folder, AGES, runtime=IN_CONTAINERS, suffix=own_suffix())
    try:
        federation.start()
        yield federation
    finally:
        federation.stop()


@pytest.fixture(scope="module")
def client(federation: Federation) -> Iterator[Client]:
    """Give our client, which may read what an old image returns by default."""
    with closing(federation.client(allow_pickle=True)) as client:
        yield client


@pytest.mark.parametrize("data_format", ["json", "pickle", "legacy"])
# Numbers of NumPy, which JSON of 3.11.1 cannot write.
@pytest.mark.parametrize("output_format", ["pickle", None])
def test_the_parts_are_computed(
    federation: Federation, client: Client, data_format: str, output_format: str | None
) -> None:
    input_ = {"method": "average_partial", "kwargs": {"column_name": "age"}}
    if output_format:
        input_["output_format"] = output_format
    task = federation.send(
        client,
        list(AGES),
        "average_partial",
        image=PUBLISHED,
        input=input_,
        data_format=data_format,
    )
    found = federation.results(client, task)
    assert {name: one["result"] for name, one in found.items()} == {
        "alpha": {"sum": 253, "count": 4},
        "beta": {"sum": 173, "count": 4},
    }, [one["log"] for one in found.values()]


@pytest.mark.parametrize("output_format", ["json", "pickle"])
def test_the_master_asks_for_its_parts_through_the_node(
    federation: Federation, client: Client, output_format: str
) -> None:
    input_ = {
        "method": "average",
        "kwargs": {"column_name": "age"},
        "master": True,
        "output_format": output_format,
    }
    task = federation.send(client, ["alpha"], "average", image=PUBLISHED, input=input_)
    (result,) = federation.results(client, task).values()
    assert result["result"] == {"average": 53.25}, result["log"]
