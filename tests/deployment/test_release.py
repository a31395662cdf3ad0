"""The files of a release are complete: what works from the checkout works from the wheel."""

import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def test_a_release_works_from_the_wheel_alone(tmp_path: Path, built: Path) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "thesis.txt").write_text("not ours")
    done = subprocess.run(
        # The packages that a release needs are here already; `make release` installs them anew.
        [
            *(sys.executable, "-W", "ignore", ROOT / "scripts" / "release.py", tmp_path / "dist"),
            *("--dependencies-of", sysconfig.get_path("purelib")),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    sdist, wheel = map(Path, done.stdout.splitlines())
    assert set((tmp_path / "dist").iterdir()) == {sdist, wheel, tmp_path / "dist" / "thesis.txt"}
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = [name for name in names if name.endswith("/METADATA")]
        description = archive.read(metadata).decode()
    pages = {f"vantage6/web/{file.relative_to(built.parent)}" for file in built.rglob("*.*")}
    assert pages - set(names) == {"vantage6/web/built/.sources"}
    assert not [name for name in names if "/node_modules/" in name or name.endswith(".ts")]
    assert not [name for name in names if name.startswith(("tests", "examples", "docs"))]
    assert "License: Apache-2.0" in description
    assert "# vantage6" in description
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "setup.cfg", "pyproject.toml"} <= inside
