"""Finished pages have short sentences that name their subject; see CONTRIBUTING.md."""

from pathlib import Path

import pytest

from tests.docs.markdown import DOCS
from tests.docs.prose import faults

ROOT = DOCS.parent
#: Pages that keep to the rule. Add a page when it does; none is ever taken out.
FINISHED = [
    *sorted(ROOT.glob("*.md")),
    ROOT / "examples" / "README.md",
    *sorted((DOCS / "decisions").glob("*.md")),
    *(
        DOCS / f"{name}.md"
        for name in (
            *("algorithms", "client", "deployment", "index", "monitoring", "operator", "reasons"),
            *("audit", "security", "start", "station", "tutorial", "upgrade", "versions"),
            *("client-differences", "compatibility", "configuration", "http-api", "seeds"),
            *("cards", "commands", "examples", "exit-codes", "metrics"),
        )
    ),
]


@pytest.mark.parametrize("page", FINISHED, ids=lambda page: str(page.relative_to(ROOT)))
def test_sentences_are_short_and_name_their_subject(page: Path) -> None:
    assert not faults(page), "\n".join(faults(page))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One two. Three `code four` five.", 0),
        ("Whoever comes is let in.", 1),
        ("What may run?", 0),
        ("What the node has kept it sends again.", 1),
        (f"{'word ' * 26}.", 1),
        (f"| {'word ' * 20} | {'word ' * 20} |", 0),
        (f"```text\n{'word ' * 30}\n```\n", 0),
    ],
)
def test_the_rule(tmp_path: Path, text: str, count: int) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    assert len(faults(page)) == count
