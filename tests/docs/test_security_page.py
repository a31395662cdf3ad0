"""The threat model names tests that exist, and each of its lines names at least one."""

import ast
import re
from pathlib import Path

import pytest

from tests.docs.markdown import DOCS

TESTS = DOCS.parent / "tests"
PAGE = (DOCS / "security.md").read_text()
MODEL = PAGE.partition("## Threat model")[2].partition("## What the system does not protect")[0]
LINES = [
    line
    for line in MODEL.splitlines()
    if line.startswith("| ") and not line.rstrip().endswith("| shown by |")
]


def name_tests(text: str) -> list[str]:
    """Return the tests that a text names, as ``folder/file.py`` or ``folder/file.py::test``."""
    return re.findall(r"`([a-z_]+/[a-z_]+\.py(?:::[a-z_0-9]+)?)`", text)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[2:50])
def test_each_line_of_the_threat_model_names_a_test(line: str) -> None:
    assert name_tests(line.split("|")[3])


@pytest.mark.parametrize("name", sorted(set(name_tests(PAGE))))
def test_each_test_that_the_page_names_exists(name: str) -> None:
    file, _, function = name.partition("::")
    path: Path = TESTS / file
    found = {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    }
    assert any(each.startswith("test_") for each in found)
    assert not function or function in found
