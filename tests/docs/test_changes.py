"""Each file in changes/ is well-formed, and makes a section of CHANGELOG.md."""

import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.services import missing

ROOT = Path(__file__).resolve().parents[2]
with (ROOT / "pyproject.toml").open("rb") as _file:
    SETTINGS = tomllib.load(_file)["tool"]["towncrier"]
FRAGMENTS = sorted(
    file for file in (ROOT / "changes").iterdir() if file.name not in SETTINGS["ignore"]
)
UPGRADE = (ROOT / "docs" / "upgrade.md").read_text()


@pytest.mark.parametrize("file", FRAGMENTS, ids=lambda file: file.name)
def test_a_fragment_is_well_formed(file: Path) -> None:
    types = "|".join(each["directory"] for each in SETTINGS["type"])
    assert re.fullmatch(rf"\d+\.({types})\.\d+\.md", file.name)
    text = file.read_text()
    assert re.match(r"[A-Z`]", text), "it begins a sentence"
    assert text.endswith(".\n"), "it ends a sentence"
    assert "\n\n" not in text.rstrip("\n"), "it is one paragraph"


@pytest.mark.parametrize(
    "file",
    [file for file in FRAGMENTS if re.search(r"[Uu]pgrade", file.read_text())],
    ids=lambda file: file.name,
)
def test_the_upgrade_page_tells_what_a_fragment_asks_for(file: Path) -> None:
    assert _terms(file.read_text()) & _terms(UPGRADE), (
        "write into docs/upgrade.md what operators or stations have to do"
    )


def _terms(text: str) -> set[str]:
    """Return the pieces of code in a text; also each four words in a row, where it has no code."""
    words = re.findall(r"\w+", text.lower())
    rows = {" ".join(words[at : at + 4]) for at in range(len(words) - 3)}
    code = set(re.findall(r"`([^`]+)`", text))
    return code if code and text != UPGRADE else code | rows


def test_the_changelog_can_be_made() -> None:
    if find_spec("towncrier") is None:
        missing("towncrier")
    done = subprocess.run(
        [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "next"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    made = " ".join(done.stdout.split())
    for file in FRAGMENTS:
        assert " ".join(file.read_text().split()) in made, file.name
