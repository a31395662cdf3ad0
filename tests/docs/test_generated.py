"""What is generated is fresh, and what is written is true."""

import re
from pathlib import Path

import pytest

from docs import generate
from vantage6.common.config import NodeConfig, ServerConfig

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", generate.PAGES)
def test_the_page_is_fresh(name: str) -> None:
    written = (ROOT / "docs" / name).read_text()
    assert written == generate.written(generate.PAGES[name]), "run: python -m docs.generate"


@pytest.mark.parametrize("name", generate.PAGES)
def test_the_page_begins_with_its_subject_and_has_no_empty_code(name: str) -> None:
    written = (ROOT / "docs" / name).read_text()
    assert "docs.generate" not in written[: len(written) // 2]
    assert "| `` |" not in written


def test_every_key_has_a_meaning() -> None:
    for model in (ServerConfig, NodeConfig):
        for key, _, meaning in generate.rows(model):
            assert meaning, key


def test_every_make_target_in_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`?make ([a-z-]+)", (ROOT / "README.md").read_text()):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_file_that_the_readme_links_to_exists() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text()):
        assert (ROOT / link).exists(), link


def test_every_reason_is_explained() -> None:
    explained = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/reasons.md").read_text(), re.M))
    source = "".join(
        file.read_text() for folder in ("node", "models") for file in (ROOT / folder).rglob("*.py")
    )
    calls = r"(?:\bReason|\brefuse|_refusal|_disagreement|RefusalError)\(([^)]*)"
    keys = (ROOT / "common/known_keys.py").read_text()
    functions = (ROOT / "common/disclosure/functions.py").read_text()
    texts = " ".join(
        [
            *re.findall(calls, source),
            *re.findall(r'reason_code="\w+"', source),
            *re.findall(r'\bcode ?= ?("\w+")', keys),
            *re.findall(r'^[A-Z_]+ = ("\w+")', functions, re.M),
        ]
    )
    given = set(re.findall(r'(?<!\[)"([a-z_]+)"', texts))
    assert len(given) > 15
    assert given == explained
