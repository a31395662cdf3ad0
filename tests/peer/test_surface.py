"""What scripts for 3.11 can name: the published package beside ours, by introspection."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_SCRIPT = Path(__file__).with_name("surface.py")
_TABLE = Path(__file__).parents[2] / "docs" / "client-differences.md"
#: By full name: what 3.11 has, and what is here.
Differences = dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def differences(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Differences:
    folder = tmp_path_factory.mktemp("surface")
    theirs, ours = _surface(python, folder), _surface(Path(sys.executable), folder)
    # Everything that section 6 of the protocol lists, and more, is really compared.
    assert len(theirs) > 150
    assert theirs["vantage6.client.UserClient.Task.kill"] == ["id_"]
    return compared(theirs, ours)


def test_the_client_differs_from_3_11_only_as_documented(differences: Differences) -> None:
    undocumented = {
        name: found for name, found in differences.items() if documented().get(name) != found
    }
    assert not undocumented, f"neither as in 3.11 nor as in {_TABLE.name}: {undocumented}"


def test_every_documented_difference_is_there(differences: Differences) -> None:
    gone = {name: row for name, row in documented().items() if differences.get(name) != row}
    assert not gone, f"in {_TABLE.name}, but not so: {gone}"


def test_every_difference_has_a_reason() -> None:
    assert all(why for *_, why in _rows())


def test_a_difference_is_noticed_whatever_it_is() -> None:
    theirs = {"a": "class", "a.b": ["x", "y=1"], "c": ["x", "y"], "d": ["x"], "e": ["x", "y=1"]}
    ours = {"c": ["y", "x"], "d": ["x", "k=None (keyword)"], "e": ["x", "y=2"], "new": ["x"]}
    assert compared(theirs, ours) == {
        "a": ("there", "missing"),
        "c": ("x, y", "y, x"),
        "d": ("", "k=None (keyword)"),
        "e": ("y=1", "y=2"),
    }


def compared(theirs: dict[str, Any], ours: dict[str, Any]) -> Differences:
    """Return how what 3.11 has differs here; what is only here harms no script."""
    found: Differences = {}
    for name, value in theirs.items():
        if name not in ours:
            # What is missing is missing with all that it holds.
            owner = name.removesuffix("()") if name.endswith("()") else name.rpartition(".")[0]
            if owner not in theirs or owner in ours:
                found[name] = ("there", "missing")
        elif value != ours[name]:
            found[name] = _differing(value, ours[name])
    return found


def _differing(theirs: Any, ours: Any) -> tuple[str, str]:
    """Return the parameters that differ; all of them where a position has another name."""
    if not (isinstance(theirs, list) and isinstance(ours, list)):
        return str(theirs), str(ours)
    old, new = _positions(theirs), _positions(ours)
    if new[: len(old)] == old:
        both = set(theirs) & set(ours)
        theirs, ours = ([one for one in given if one not in both] for given in (theirs, ours))
    return ", ".join(theirs), ", ".join(ours)


def _positions(parameters: list[str]) -> list[str]:
    """Return the names of the parameters that need no name in a call."""
    return [one.partition("=")[0] for one in parameters if not one.endswith(" (keyword)")]


def documented() -> Differences:
    """Return the differences in the table of the documentation."""
    return {name: (theirs, here) for names, theirs, here, _ in _rows() for name in names}


def _rows() -> list[tuple[list[str], str, str, str]]:
    rows = []
    for line in _TABLE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            names, theirs, here, why = cells
            rows.append((re.findall(r"`([^`]+)`", names), theirs.strip("`"), here.strip("`"), why))
    return rows


def _surface(python: Path, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [python, "-I", _SCRIPT], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found
