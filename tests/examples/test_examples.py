"""Every example runs as its page says, and prints what it is about."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples import notebook
from vantage6.sandbox.federation import Federation

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PAGE = (EXAMPLES / "README.md").read_text()


def run(name: str, federation: Federation) -> str:
    """Run an example with the command of its page, and return what it prints."""
    (command,) = re.findall(rf"`\.venv/bin/python (-m examples\.{name})`", PAGE)
    done = subprocess.run(
        [sys.executable, "-W", "error", *command.split()],
        cwd=ROOT,
        env={**os.environ, **federation.variables},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_average(demonstration: Federation) -> None:
    assert run("average", demonstration) == "completed {'average': 56.0}\n"


def test_the_counts_are_a_table(demonstration: Federation) -> None:
    printed = run("counts", demonstration).splitlines()
    assert [line.split() for line in printed] == [
        ["sum", "count", "average"],
        ["example_org1", "253", "4", "63.25"],
        ["example_org2", "173", "4", "43.25"],
        ["example_org3", "302", "5", "60.40"],
        ["all", "together:", "56.0"],
    ]


def test_only_the_key_of_the_organization_opens_results(demonstration: Federation) -> None:
    new, refused, readable, sealed = run("encryption", demonstration).splitlines()
    assert re.search(r"fingerprint (?:[0-9a-f]{2}:){15}[0-9a-f]{2}$", new)
    assert "is not the key of example_org1 at the server" in refused
    for part in ("'sum': 253, 'count': 4", "'sum': 173, 'count': 4", "'sum': 302, 'count': 5"):
        assert part in readable
    assert len(re.findall(r"'[\w+/]{12}\.\.\.'", sealed)) == 3


def test_failures_say_why_while_all_nodes_are_online(demonstration: Federation) -> None:
    printed = run("failures", demonstration)
    assert "There is no column 'height'. The columns are: age." in printed
    assert "image_not_allowed - The node does not allow the image example.org/other." in printed
    assert "Offline: none" in printed
    assert "was not complete within 0.1 seconds; it goes on." in printed
    assert "A task that was stopped: killed by user\n    killed - " in printed


def test_failures_say_why_while_a_node_is_offline(demonstration: Federation) -> None:
    demonstration.stop_node("example_org3")
    try:
        printed = run("failures", demonstration)
    finally:
        demonstration.start_node("example_org3")
        demonstration.wait_until_online()
    assert "Offline: example_org3 - example_collab1 Node\n" in printed
    assert "was not complete within 0.1 seconds; it goes on." in printed
    assert "A task that was stopped: killed by user\n    killed - " in printed


def test_the_password_is_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.average"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.endswith("give --password, or set V6_PASSWORD\n")


def test_the_page_lists_every_example() -> None:
    there = {file.name for file in EXAMPLES.iterdir() if file.suffix in (".py", ".ipynb")}
    assert there - {"__init__.py"} == set(re.findall(r"\]\((\w+\.\w+)\)", PAGE))


@pytest.mark.timeout(180)
def test_the_notebook_shows_what_it_shows_here(tmp_path_factory: pytest.TempPathFactory) -> None:
    # A federation of its own, where tasks count from 1.
    folder = tmp_path_factory.mktemp("notebook")
    from tests.examples.world import demonstration as fresh

    with fresh(folder / "demo") as federation:
        made = notebook.as_file(notebook.executed(federation.variables, folder))
    assert made == notebook.written(), "wanted? then: python -m tests.examples.notebook"


def test_a_notebook_shows_one_line_of_progress() -> None:
    assert notebook.written().count("3 of 3 organizations done (0:01)") == 1
