"""The papers for maintainers name what exists, and agree with each other."""

import re
from pathlib import Path

import pytest
import yaml

from tests.docs.markdown import DOCS
from vantage6.common import __version__

ROOT = DOCS.parent
PAPERS = [
    *sorted(ROOT.glob("*.md")),
    *sorted(DOCS.rglob("*.md")),
    ROOT / "examples" / "README.md",
]
PAPERS = [paper for paper in PAPERS if "_build" not in paper.parts]


def without_code(paper: Path) -> str:
    """Return the prose of a page."""
    return re.sub(r"^```.*?^```$", "", paper.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(paper: Path) -> set[str]:
    """Return the names of the headings of a page, as links to them are written."""
    headings = re.findall(r"^#+ (.+)$", without_code(paper), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
def test_every_link_leads_somewhere(paper: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(paper)):
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (paper.parent / path) if path else paper
        assert target.exists(), link
        # Pages that are made while the documentation is built have no headings here.
        if anchor and target.suffix == ".md" and target.name != "client.md":
            assert anchor in anchors(target), link


@pytest.mark.parametrize(
    "name", ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/versions.md", "docs/upgrade.md"]
)
def test_every_file_and_target_of_a_paper_exists(name: str) -> None:
    text = (ROOT / name).read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:`|^\$ )make ([a-z][a-z-]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    folders = "api|client|common|compose|docs|models|sandbox|server|tests|algorithms|changes"
    for path in re.findall(rf"`((?:{folders})/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path


def test_the_citation_has_the_version_of_the_code() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert str(citation["version"]) == __version__
    assert {"cff-version", "message", "title", "authors", "license"} <= set(citation)


def test_the_hosted_run_is_the_one_of_developers() -> None:
    (file,) = (ROOT / ".github" / "workflows").iterdir()
    workflow = yaml.safe_load(file.read_text())
    steps = workflow["jobs"]["run"]["steps"]
    assert next(step["run"] for step in steps if "run" in step).endswith("bash .ci/run")
    assert workflow["permissions"] == {"contents": "read"}
    for step in steps:
        # SECURITY: a name can be moved to other code, a hash cannot.
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step.get("uses", f"a@{'0' * 40}"))


@pytest.mark.parametrize(
    "file", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").iterdir()), ids=lambda file: file.name
)
def test_the_forms_are_valid(file: Path) -> None:
    form = yaml.safe_load(file.read_text())
    if file.name == "config.yml":
        assert set(form) == {"blank_issues_enabled"}
        return
    assert {"name", "description", "body"} <= set(form)
    for field in form["body"]:
        assert field["type"] in {"markdown", "input", "textarea", "dropdown"}
        assert field["type"] == "markdown" or field["attributes"]["label"]


def test_the_decisions_are_numbered_short_and_listed() -> None:
    records = sorted(file for file in (DOCS / "decisions").iterdir() if file.name != "index.md")
    listed = (DOCS / "decisions" / "index.md").read_text()
    for number, file in enumerate(records, start=1):
        text = file.read_text()
        assert text.startswith(f"# {number}. ")
        assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == [
            "Situation",
            "Decision",
            "Consequences",
        ]
        assert len(text.splitlines()) <= 16
        assert f"\n{file.stem}\n" in listed


def test_the_map_of_the_readme_has_every_package() -> None:
    setup = (ROOT / "setup.cfg").read_text()
    folders = set(re.findall(r"^    vantage6\.\w+ = (\w+)$", setup, re.MULTILINE))
    assert len(folders) > 5
    assert folders <= set(re.findall(r"\]\((\w+)\)", (ROOT / "README.md").read_text()))
