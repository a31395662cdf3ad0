"""The checkout is cut as the packaging, the readers and the layers need it."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.services import missing

ROOT = Path(__file__).parents[2]
SETUP = ConfigParser()
SETUP.read(ROOT / "setup.cfg")
FOLDERS = {
    line.split("=")[1].strip() for line in SETUP["options"]["package_dir"].strip().splitlines()
}

#: Longest file that still has one subject; a test file may list many cases.
LINES, TEST_LINES = 400, 600
#: Files that are longer for a reason.
LONGER: dict[str, int] = {}
#: Names that existing scripts and images import.
GIVEN_NAMES = {"client/groups/util.py", "client/utils.py", "tools/util.py"}


def sources(*folders: str) -> Iterator[Path]:
    """Give the Python files below some folders of the checkout."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def test_the_wheel_contains_every_package():
    found = {
        "vantage6." + ".".join(path.parent.relative_to(ROOT).parts)
        for path in sources(*FOLDERS)
        if path.name == "__init__.py"
    }
    assert sorted(found) == SETUP["options"]["packages"].split()


def test_every_folder_with_python_is_a_package():
    without = {path.parent for path in sources(*FOLDERS)}
    assert not [str(folder) for folder in without if not (folder / "__init__.py").exists()]


def test_folders_and_packages_have_the_same_name():
    for line in SETUP["options"]["package_dir"].strip().splitlines():
        package, folder = (word.strip() for word in line.split("="))
        assert package == f"vantage6.{folder}"


def test_make_types_checks_every_folder():
    lines = (ROOT / "Makefile").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("PACKAGES :=")]
    assert set(line.split(":=")[1].split()) == FOLDERS


def test_images_of_a_deployment_are_made_from_every_folder():
    text = (ROOT / "scripts/deployment-images.sh").read_text()
    (listed,) = re.findall(r"^sources=\(([^)]*)\)", text, re.MULTILINE)
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"}
    assert set(listed.split()) >= FOLDERS
    assert sent >= FOLDERS


def test_no_file_is_too_long():
    too_long = {}
    for path in sources(*FOLDERS, "benchmarks", "examples", "tests"):
        name = str(path.relative_to(ROOT))
        lines = len(path.read_text().splitlines())
        limit = LONGER.get(name, TEST_LINES if name.startswith("tests/") else LINES)
        if lines > limit:
            too_long[name] = lines
    assert not too_long


def test_nothing_is_called_after_no_subject():
    meaningless = {"utils", "util", "helpers", "helper", "manager", "misc"}
    named = {
        str(path.relative_to(ROOT))
        for path in sources(*FOLDERS, "tests")
        if path.stem in meaningless
    }
    assert not named - GIVEN_NAMES


def test_packages_are_imported_through_the_namespace():
    # ruff refuses `import client` too, but not inside a string or behind a `noqa`.
    for path in sources(*FOLDERS, "benchmarks", "examples", "tests"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = {(node.module or "").split(".")[0]}
            else:
                continue
            assert not names & FOLDERS, f"{path}:{node.lineno}"


@pytest.mark.slow
def test_layers_are_kept():
    if find_spec("importlinter") is None:
        missing("import-linter")
    # In a process of its own: the library configures its cache and its output globally.
    checked = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports; exit(lint_imports())"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.slow
@pytest.mark.parametrize("command", ["vantage6", "vnode", "vserver"])
def test_help_needs_no_engine_and_no_server(command: str, tmp_path: Path):
    (script,) = entry_points(group="console_scripts", name=command)
    program = f"import sys; from {script.module} import {script.attr} as run; sys.exit(run())"
    environment = {"HOME": str(tmp_path), "PATH": "", "DOCKER_HOST": "tcp://127.0.0.1:1"}
    shown = subprocess.run(
        [sys.executable, "-c", program, "--help"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert "Usage:" in shown.stdout
    assert not list(tmp_path.iterdir())
