"""Finished pages have short sentences that name their subject; see CONTRIBUTING.md."""

from pathlib import Path

import pytest

from tests.architecture.test_layout import FOLDERS, sources
from tests.docs.markdown import DOCS
from tests.docs.prose import faults, nameless_strings

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
            *("web", "client-differences", "compatibility", "configuration", "http-api", "seeds"),
            *(
                "cards",
                "disclosure",
                "ethics",
                "shelf",
                "commands",
                "examples",
                "exit-codes",
                "metrics",
            ),
        )
    ),
]


@pytest.mark.parametrize("page", FINISHED, ids=lambda page: str(page.relative_to(ROOT)))
def test_sentences_are_short_and_name_their_subject(page: Path) -> None:
    assert not faults(page), "\n".join(faults(page))


def test_docstrings_and_messages_name_their_subject() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sources(*FOLDERS)
        for line, text in nameless_strings(path)
    ]
    assert not found, "\n".join(found)


def test_a_message_without_a_subject_is_found(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        'def f():\n    """One line.\n\n    Nobody may."""\n    return f"{1} whoever"\n'
    )
    assert [line for line, _ in nameless_strings(module)] == [4, 5]


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
