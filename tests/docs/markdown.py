"""Reads the pages of the documentation: what in them is code."""

import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
#: The pages that people wrote or a program made.
PAGES = sorted(DOCS.glob("*.md"))

_BLOCK = re.compile(r"^```([a-z]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced piece of code; ``shows`` is the text block right behind it: what it prints."""

    language: str
    text: str
    line: int
    shows: str | None = None


def blocks(page: Path) -> list[Block]:
    """Return the code on a page, in its order."""
    content = page.read_text()
    found: list[Block] = []
    end = 0
    for match in _BLOCK.finditer(content):
        language, text = match.groups()
        if language == "text" and found and not content[end : match.start()].strip():
            last = found.pop()
            found.append(Block(last.language, last.text, last.line, text))
        else:
            line = content.count("\n", 0, match.start()) + 1
            found.append(Block(language, text, line))
        end = match.end()
    return found
