"""Every command on the pages of the command `vantage6` runs, and prints what the page says."""

import doctest
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.hazard_regression import PHReg

from examples.statistics import ask
from tests.docs.markdown import DOCS, Block, blocks
from vantage6.sandbox.federation import PASSWORD
from vantage6.sandbox.patients import HOSPITALS, patients

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

PAGES = ("command.md", "analysis.md")
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


@pytest.mark.parametrize("page", PAGES)
def test_every_command_runs_in_the_order_of_the_page(home: Path, page: str) -> None:
    server = ""
    for block in blocks(DOCS / page):
        printed = run(home, real(block, server, home), f"{PASSWORD}\n")
        if block.text.startswith("$ vantage6 sandbox start"):
            server = printed.split()[1] + "/api"
        same = doctest.OutputChecker().check_output(block.shows or "", printed, doctest.ELLIPSIS)
        assert same, f"line {block.line} prints\n{printed}"
    assert not (home / FOLDER).exists()


@pytest.mark.parametrize("page", PAGES)
def test_everything_on_the_page_is_run(page: str) -> None:
    found = blocks(DOCS / page)
    assert {block.language for block in found} == {"console"}
    assert all(block.shows for block in found)


def test_the_readme_shows_the_model_of_the_page() -> None:
    (block,) = [one for one in blocks(DOCS / "analysis.md") if "stage'" in one.text]
    assert block in [replace(one, line=block.line) for one in blocks(DOCS.parent / "README.md")]


def test_the_pooled_model_has_the_same_coefficients() -> None:
    rows = [row | {"hospital": each} for each in HOSPITALS for row in patients(each)]
    table = pd.DataFrame(rows)
    stages = [table["stage"] == stage for stage in ("II", "III")]
    design = np.column_stack([table["age"], table["arm"] == "usual", *stages]).astype(float)
    pooled = PHReg(
        table["days"], design, status=table["died"], strata=table["hospital"], ties="efron"
    ).fit()
    answer = ask("cox", time="days", event="died", formula="age + arm + stage")
    found = [term["estimate"] for term in answer["result"]["coefficients"]]
    assert np.abs(np.array(found) / pooled.params - 1).max() < 1e-12
