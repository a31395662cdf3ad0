"""The build of the pages writes little to load, from few packages, and only when it has to."""

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest

from vantage6.web.site import ADDRESS, Site

ROOT = Path(__file__).parents[2]
#: Bytes of the first page with all that it loads at once, as gzip sends them.
MOST_BYTES = 200_000
MOST_PACKAGES = 9
pytestmark = pytest.mark.slow


def test_the_first_page_is_small(built: Path) -> None:
    files = Site(built).files
    page = files["index.html"].content
    names = re.findall(rf'(?:src|href)="{ADDRESS}([^"]+)"', page.decode())
    scripts = [name for name in names if name.endswith(".js")]
    assert scripts
    assert len(scripts) < len([name for name in files if name.endswith(".js")]), "loaded lazily"
    sent = sum(len(gzip.compress(files[name].content)) for name in ["index.html", *names])
    assert sent < MOST_BYTES


def test_few_packages_reach_the_browser() -> None:
    packages = json.loads((ROOT / "web/package.json").read_text())["dependencies"]
    assert len(packages) <= MOST_PACKAGES


def test_each_package_has_a_hash() -> None:
    """From the common registry, whichever mirror this machine asks."""
    locked = json.loads((ROOT / "web/package-lock.json").read_text())["packages"]
    for name, package in locked.items():
        if name:
            assert package["integrity"].startswith("sha512-"), name
            assert package.get("resolved", "https://registry.npmjs.org/").startswith(
                "https://registry.npmjs.org/"
            ), name


def test_nothing_is_built_again_without_a_change(built: Path) -> None:
    before = (built / "index.html").stat()
    done = subprocess.run(
        ["make", "web"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    assert "building" not in done.stderr
    after = (built / "index.html").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
