"""Every command on the page of the command `vantage6` runs, and prints what the page says."""

import doctest
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.markdown import DOCS, Block, blocks
from vantage6.sandbox.federation import PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

BLOCKS = blocks(DOCS / "command.md")
#: Where a sandbox is by itself.
FOLDER = Path(".local", "share", "vantage6", "sandbox")


def run(home: Path, commands: str, answer: str = "") -> str:
    """Run commands as a person in a shell does, and return what they print for programs."""
    environment = {name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ}
    environment |= {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        # The page runs without a container engine.
        "DOCKER_HOST": "unix:///nowhere",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=home,
        env=environment,
        input=answer,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    run(tmp_path, "vantage6 sandbox stop")


def real(block: Block, server: str, home: Path) -> str:
    """Return the commands of the page with the server and the key of the sandbox."""
    lines = [line.removeprefix("$ ") for line in block.text.splitlines()]
    key = home / FOLDER / "example_org1" / "private_key.pem"
    known = home / FOLDER / "known_organizations.json"
    text = "\n".join(lines).replace("https://server.example/api", server)
    # Another federation may have had the same port, with other keys.
    return text.replace("private_key.pem", f"{key} --known-keys {known}")


def test_every_command_runs_in_the_order_of_the_page(home: Path) -> None:
    server = ""
    for block in BLOCKS:
        printed = run(home, real(block, server, home), f"{PASSWORD}\n")
        if block.text.startswith("$ vantage6 sandbox start"):
            server = printed.split()[1] + "/api"
        same = doctest.OutputChecker().check_output(block.shows or "", printed, doctest.ELLIPSIS)
        assert same, f"line {block.line} prints\n{printed}"
    assert not (home / FOLDER).exists()


def test_everything_on_the_page_is_run() -> None:
    assert {block.language for block in BLOCKS} == {"console"}
    assert all(block.shows for block in BLOCKS)
