"""Takes pages apart into sentences: how long they are, and whether they name their subject."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

#: Pronouns that stand where a noun exists.
_NAMELESS = re.compile(r"\b(whoever|whatever|whom|somebody|someone|nobody|anybody)\b", re.I)
_LONGEST = 25


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a page in its order, with `code` for each piece of code."""
    text = re.sub(r"^(`{3,}|:{3,}).*?^\1", "\n", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"``.+?``|`[^`]+`", "`code`", text, flags=re.DOTALL)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text, flags=re.DOTALL)
    text = re.sub(r"\*\*|^#+ |^: ", "", text, flags=re.MULTILINE)
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[*-]|\d+\.) )|\n(?=\||: )|(?<= )\|", text):
        plain = " ".join(re.sub(r"^\s*(?:[*|-]|\d+\.) ", "", paragraph).split())
        for sentence in re.split(r"(?<=[.!?])(?:\))? (?=[\"'(`A-Z\d])", plain):
            if re.search(r"[a-z]", sentence):
                yield sentence.strip(" |")


def faults(page: Path) -> list[str]:
    """Return the sentences of a page that are too long, or whose subject has no name."""
    found = []
    for sentence in sentences(page.read_text()):
        words = re.findall(r"[\w`'.-]*\w[\w`'.-]*", sentence)
        if len(words) > _LONGEST:
            found.append(f"{len(words)} words: {sentence}")
        elif _NAMELESS.search(sentence):
            found.append(f"names no subject: {sentence}")
        elif re.match(r"(What|Who) .*[.:]$", sentence) and len(words) > 6:
            found.append(f"begins with a pronoun: {sentence}")
    return found


def nameless_strings(module: Path) -> Iterator[tuple[int, str]]:
    """Yield lines of docstrings and messages whose subject has no name."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            for number, line in enumerate(node.value.splitlines()):
                if _NAMELESS.search(line):
                    yield node.lineno + number, line.strip()
