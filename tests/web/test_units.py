"""The parts of the pages that need no browser, by their own tests; and the types of all."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("script", ["types", "test"])
def test_the_scripts_of_the_pages_pass(built: Path, script: str) -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "web.sh", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
