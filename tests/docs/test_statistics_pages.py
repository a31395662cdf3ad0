"""The pages of the statistical methods: their examples print what they show, none is missing."""

import contextlib
import io
import threading
from pathlib import Path

import pytest

from tests.docs.markdown import DOCS, blocks
from tests.docs.prose import faults
from vantage6.algorithms.catalogue import CENTRAL

PAGES = sorted((DOCS / "statistics").glob("*.md"))


class _OfThisThread(io.StringIO):
    """What this thread prints: servers of earlier tests may still log in threads of theirs."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def write(self, text: str) -> int:
        return super().write(text) if threading.get_ident() == self._thread else len(text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_example_prints_what_the_page_shows(page: Path) -> None:
    (example,) = [block for block in blocks(page) if block.language == "python"]
    said = _OfThisThread()
    with contextlib.redirect_stdout(said):
        exec(compile(example.text, page.name, "exec"), {})
    # The function tells about its rounds in the log.
    lines = [line for line in said.getvalue().splitlines() if not line.startswith("info > ")]
    assert example.shows is not None
    assert [line.rstrip() for line in lines] == example.shows.splitlines()


def test_each_function_has_a_page_that_is_listed() -> None:
    names = {page.stem.replace("-", "_") for page in PAGES}
    assert names == set(CENTRAL)
    index = (DOCS / "statistics.md").read_text()
    assert all(f"(statistics/{page.name})" in index for page in PAGES)
    assert all(f"\nstatistics/{page.stem}\n" in index for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_sentences_are_short_and_name_their_subject(page: Path) -> None:
    assert not faults(page)
