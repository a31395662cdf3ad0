"""The site builds without warnings, and its reference is what ``help`` shows."""

import html
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import DOCS, PAGES
from vantage6.client import UserClient

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

GROUPS = ["collaboration", "node", "organization", "result", "role", "rule", "task", "user", "util"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the site, built as ``make docs`` does."""
    folder = tmp_path_factory.mktemp("site")
    makefile = (DOCS.parent / "Makefile").read_text()
    (options,) = re.findall(r"-m sphinx (.*) docs docs/_build", makefile)
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options.split(), DOCS, folder / "html"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert {"-W", "-n"} <= set(options.split())
    return folder / "html"


def entries(page: Path) -> dict[str, str]:
    """Return what a reference says of each thing, by its full name: letters and digits alone."""
    _, *found = re.split(r'<dt class="sig[^>]* id="', page.read_text())
    return {
        one.partition('"')[0]: _squeezed(html.unescape(re.sub(r"<[^>]+>", "", "<" + one)))
        for one in found
    }


def _squeezed(text: str) -> str:
    return re.sub(r"\W", "", text)


def test_every_page_is_there(site: Path) -> None:
    assert {page.stem for page in PAGES} <= {page.stem for page in site.glob("*.html")}


def test_the_front_page_is_three_entrances(site: Path) -> None:
    page = (site / "index.html").read_text()
    article = page.partition('<article role="main"')[2].partition("</article>")[0]
    assert re.findall(r"<h2>([^<]+)<", article) == [
        "I am a researcher",
        "I am responsible for a data station",
        "I operate a server",
    ]
    assert len(re.findall(r'<a class="reference', article)) < 20


def test_tables_fit_their_page(site: Path) -> None:
    for page in ("configuration.html", "decisions/index.html"):
        assert "_static/tables.css" in (site / page).read_text()
    assert "overflow-wrap: anywhere" in (site / "_static" / "tables.css").read_text()


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in site.glob("*.html"):
        for address in re.findall(r"""(?:src=|<link[^>]* href=)"([^"]+)""", page.read_text()):
            assert not re.match(r"https?:|//", address), (page.name, address)


@pytest.mark.parametrize("group", GROUPS)
def test_the_reference_is_what_help_shows(site: Path, group: str) -> None:
    shown = entries(site / "client.html")
    commands = getattr(UserClient, group.capitalize())
    for name, method in inspect.getmembers(commands, inspect.isfunction):
        if name.startswith("_"):
            continue
        entry = shown[f"{commands.__module__}.{commands.__qualname__}.{name}"]
        for parameter in inspect.signature(method).parameters:
            assert parameter == "self" or parameter in entry, f"client.{group}.{name}: {parameter}"
        documentation = re.sub(
            r"^[\w ]+\n-+$", "", inspect.getdoc(method) or "", flags=re.MULTILINE
        )
        for line in documentation.splitlines():
            # Parameters that stand together in `help` have an entry each.
            for words in re.split(",", line) if re.fullmatch(r"\w+(, \w+)+", line) else [line]:
                assert _squeezed(words) in entry, f"client.{group}.{name}: {line}"
