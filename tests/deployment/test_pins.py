"""Packages and images are named by what they hold, and by nothing that can be given to others."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

from scripts import pin_images, pinned
from tests.services.registry import PASSWORD, USER, registry

ROOT = Path(__file__).parents[2]
EXTRAS = ("server", "node", "all", "web", "docs", "test", "dev", "build")


@pytest.mark.parametrize("extra", EXTRAS)
def test_everything_that_is_asked_for_is_pinned_in_a_version_that_is_allowed(extra: str) -> None:
    """After a change in setup.cfg: `make constraints`."""
    versions = {
        name: re.findall(r"==([^ ;\\]+)", " ".join(lines))
        for name, lines in pinned.blocks().items()
    }
    for text in pinned.wanted(extra):
        asked = Requirement(text)
        found = versions.get(pinned.canonical(asked.name), [])
        assert any(asked.specifier.contains(version) for version in found), text


@pytest.mark.parametrize("extra", EXTRAS)
def test_everything_that_is_installed_has_hashes(extra: str) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/pinned.py", extra],
        capture_output=True,
        text=True,
        check=True,
    )
    blocks = re.split(r"\n(?=[A-Za-z0-9])", done.stdout.strip())
    assert blocks
    for block in blocks:
        assert re.match(r"[A-Za-z0-9._-]+==\S+", block), block
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block


def test_what_is_pinned_is_enough_for_each_package_that_is_installed_here() -> None:
    """The closure by `# via` leaves nothing out that the metadata of the packages asks for."""
    from importlib.metadata import PackageNotFoundError, requires

    names = {
        pinned.canonical(Requirement(text).name)
        for extra in ("dev", "build")
        for text in pinned.wanted(extra)
    }
    chosen = pinned.closure(names, pinned.blocks())
    environment: dict[str, Any] = {**default_environment(), "extra": ""}
    for name in chosen:
        try:
            needs = requires(name) or []
        except PackageNotFoundError:
            continue  # for other systems or versions of Python
        for text in needs:
            asked = Requirement(text)
            if asked.marker is None or asked.marker.evaluate(environment):
                assert pinned.canonical(asked.name) in chosen, f"{name} needs {text}"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Give the address of a registry that has the image `tools/redis:7`, and its digest."""
    monkeypatch.setenv("V6_REGISTRY_USER", USER)
    monkeypatch.setenv("V6_REGISTRY_PASSWORD", PASSWORD)
    with registry(tmp_path) as address:
        yield address


def push(address: str, tag: str, content: bytes) -> str:
    """Put an image into a registry, as an engine does it; returns its digest."""
    base = f"http://{address}/v2/tools/redis"
    with httpx2.Client(auth=(USER, PASSWORD)) as http:
        begun = http.post(f"{base}/blobs/uploads/")
        mark = f"sha256:{hashlib.sha256(content).hexdigest()}"
        where = httpx2.URL(begun.headers["location"]).copy_merge_params({"digest": mark})
        http.put(where, content=content).raise_for_status()
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        blob = f'{{"mediaType": "x", "size": {len(content)}, "digest": "{mark}"}}'
        manifest = f'{{"schemaVersion": 2, "mediaType": "{kind}", "config": {blob}, "layers": []}}'
        sent = http.put(f"{base}/manifests/{tag}", content=manifest, headers={"Content-Type": kind})
        sent.raise_for_status()
        return str(sent.headers["docker-content-digest"])


@pytest.mark.slow
def test_images_are_pinned_to_what_a_registry_has_today(store: str, tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    image = f"{store}/tools/redis"
    file.write_text(
        f"services:\n  redis:\n    image: ${{V6_REDIS_IMAGE:-{image}:7}}\n"
        "  api:\n    image: ${V6_SERVER_IMAGE:-vantage6/server}\n"
    )
    for content in (b"first", b"second"):
        mark = push(store, "7", content)
        done = subprocess.run(
            [sys.executable, ROOT / "scripts/pin_images.py", file], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert f"${{V6_REDIS_IMAGE:-{image}:7@{mark}}}" in file.read_text()
        assert "${V6_SERVER_IMAGE:-vantage6/server}" in file.read_text()


@pytest.mark.slow
def test_image_that_no_registry_has_stays_and_is_named(store: str, tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    text = f"    image: ${{V6_REDIS_IMAGE:-{store}/tools/other:1}}\n"
    file.write_text(text)
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/pin_images.py", file], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "tools/other:1 stays as it is" in done.stderr
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("redis", "https://registry-1.docker.io/v2/library/redis"),
        ("prom/prometheus", "https://registry-1.docker.io/v2/prom/prometheus"),
        ("quay.io/a/b", "https://quay.io/v2/a/b"),
        ("127.0.0.1:5000/a", "http://127.0.0.1:5000/v2/a"),
    ],
)
def test_names_mean_what_docker_means(name: str, address: str) -> None:
    assert pin_images.Repository.of(name).address == address


def test_every_image_of_others_in_the_compose_file_can_be_pinned() -> None:
    text = (ROOT / "compose/compose.yaml").read_text()
    images = re.findall(r"image: \$\{V6_\w+_IMAGE:-([^}]+)\}", text)
    others = [image for image in images if not image.startswith("vantage6/")]
    found = [f"{one['name']}:{one['tag']}" for one in pin_images._IMAGE.finditer(text)]
    assert found == [image.partition("@")[0] for image in others]
