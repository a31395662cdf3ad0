"""Reads the seed documents: what is code in them, and what kind of it.

They are plain text without any markup, so that code is told from prose by what it is: a paragraph
that Python understands is Python.
"""

import ast
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

#: Names another folder with the documents.
VARIABLE = "V6_SEEDS"
MISSING = f"The seed documents are not here; {VARIABLE} may name their folder."

_BEGINNING = re.compile(r"^(?:[^\n:]+\n)?(?=[a-z_]+:(?:\n +\S|$))")
_CALL = re.compile(r"help\([a-z][\w.]*\)|\b(?:client|db)(?:\.\w+)+(?:\([^()]*\))?")
_ADDRESS = re.compile(r"https?://[^\s)]+/version")
_ARGUMENT = re.compile(r"\b\w+ ?= ?(?:True|False|'[^']*')")
_OPTIONS = r"(?: (?:--[a-z]+|<\w+>|/[\w./]+|\[\w+\]))*"


@dataclass(frozen=True)
class Statement:
    """Something in a document that a reader can run or write.

    Parameters
    ----------
    document
        Title of the document.
    chapter
        Heading under which it stands.
    kind
        ``python``, ``example`` (Python with what it shows), ``yaml``, ``key`` (of a YAML
        configuration), ``command``; or, within a sentence, ``call``, ``argument``, ``address``.
    text
        What is written.
    number
        1, or more when the chapter has something that begins alike.
    """

    document: str
    chapter: str
    kind: str
    text: str
    number: int = 1

    @property
    def id(self) -> str:
        """Chapter and first line, for people."""
        again = f" ({self.number})" if self.number > 1 else ""
        return f"{self.chapter}: {self.beginning[:60]}{again}"

    @property
    def beginning(self) -> str:
        """The first line that is no comment."""
        lines = self.text.splitlines()
        return next(line for line in lines if line and not line.startswith("#"))


def statements() -> list[Statement]:
    """Return everything that the documents show; nothing if they are not here."""
    return [statement for file in _files() for statement in read(file.read_text())]


def _files() -> list[Path]:
    beside = Path(__file__).resolve().parents[3] / "shared" / "seeds"
    return sorted(Path(os.environ.get(VARIABLE) or beside).glob("*.txt"))


def read(text: str) -> list[Statement]:
    """Return what a document shows, in its order."""
    blocks = list(_blocks(re.split(r"\n(?:[ \t]*\n)+", text.strip("\n"))))
    title = blocks[0].chapter
    blocks = [replace(block, document=title) for block in blocks]
    shown = "\n".join(block.text for block in blocks if block.kind not in ("prose", "heading"))
    verbs = {block.text.split()[1] for block in blocks if block.kind == "command"}
    command = re.compile(rf"\bvserver(?= --| (?:{'|'.join(verbs)})\b)(?: [a-z]+)?{_OPTIONS}")
    found: list[Statement] = []
    times: Counter[str] = Counter()
    for block in blocks:
        for one in _within(block, command) if block.kind == "prose" else _with_keys(block):
            # A sentence that repeats what was shown before adds nothing to run.
            inline = block.kind == "prose"
            if inline and (one.text in [*shown.splitlines(), *(other.text for other in found)]):
                continue
            if one.kind == "argument" and _squeezed(one.text) in _squeezed(shown):
                continue
            times[one.id] += 1
            found.append(replace(one, number=times[one.id]))
    return found


def _blocks(paragraphs: list[str]) -> Iterator[Statement]:
    """Yield the paragraphs, those that belong to one piece of code as one."""
    chapter, current = "", None
    for paragraph in paragraphs:
        if re.fullmatch(r"[^#\n].*#", paragraph):
            if current:
                yield current
            current, chapter = None, re.sub(r"^[\d.]+ ", "", paragraph[:-1])
            yield Statement("", chapter, "heading", paragraph)
            continue
        kind, text = _classified(paragraph)
        if current and current.kind == "yaml" and re.match(r" +[^\s•]", paragraph):
            kind = "yaml"
        if current and kind == current.kind and kind in ("python", "yaml"):
            current = replace(current, text=f"{current.text}\n\n{text}")
            continue
        if current:
            yield current
        current = Statement("", chapter, kind, text)
    if current:
        yield current


def _classified(paragraph: str) -> tuple[str, str]:
    if paragraph.startswith(">>>"):
        return "example", paragraph
    if re.fullmatch(r"(?:vserver [a-z]|pip install ).*", paragraph):
        return "command", paragraph
    if beginning := _BEGINNING.match(paragraph):
        return "yaml", paragraph[beginning.end() :]
    return ("python" if _is_python(paragraph) else "prose"), paragraph


def _is_python(paragraph: str) -> bool:
    """Tell whether this is Python: single words, and words with "and" in between, are not."""
    try:
        body = ast.parse(paragraph).body
    except SyntaxError:
        return False
    return not any(
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Name | ast.BoolOp)
        for node in body
    )


def _within(block: Statement, command: re.Pattern[str]) -> Iterator[Statement]:
    """Yield what a sentence mentions."""
    kinds = {"call": _CALL, "argument": _ARGUMENT, "address": _ADDRESS, "command": command}
    for kind, pattern in kinds.items():
        for mention in pattern.finditer(block.text):
            yield replace(block, kind=kind, text=mention.group().strip())


def _with_keys(block: Statement) -> Iterator[Statement]:
    """Yield a piece of code, and the keys of a configuration file."""
    if block.kind == "heading":
        return
    yield block
    if block.kind == "yaml" and "environments" in (content := yaml.safe_load(block.text)):
        for key in keys(content["environments"]["test"]):
            yield replace(block, kind="key", text=key)


def keys(section: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the paths of the values in a section."""
    for name, value in section.items():
        if isinstance(value, dict):
            yield from keys(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)
