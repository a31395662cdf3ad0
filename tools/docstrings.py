"""Reads docstrings in numpy style: summary, text, and what they say of each argument."""

import inspect
import re
from dataclasses import dataclass, field
from itertools import zip_longest

_HEADING = re.compile(r"^(?P<name>[A-Z][A-Za-z ]+)\n-{3,}[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Docstring:
    """The parts of a docstring, in Markdown."""

    #: Its first sentence, without the full stop.
    summary: str = ""
    #: The text below it.
    text: str = ""
    #: Description of each argument.
    parameters: dict[str, str] = field(default_factory=dict)
    #: Other sections by their names, such as ``Returns`` and ``Notes``.
    sections: dict[str, str] = field(default_factory=dict)


def parse(docstring: str | None) -> Docstring:
    """Return the parts of a docstring; all are empty where there is none."""
    whole = inspect.cleandoc(docstring or "")
    headings = [*_HEADING.finditer(whole)]
    sections = {
        heading["name"]: whole[heading.end() : after.start() if after else None].strip("\n")
        for heading, after in zip_longest(headings, headings[1:])
    }
    head = whole[: headings[0].start()] if headings else whole
    summary, _, text = head.strip().partition("\n\n")
    parameters = {
        name: _markdown(description)
        for title in ("Parameters", "Other Parameters")
        for name, description in _entries(sections.pop(title, ""))
    }
    return Docstring(
        summary=_in_one_line(_markdown(summary)).removesuffix("."),
        text=_markdown(text.strip()),
        parameters=parameters,
        sections={name: _markdown(section) for name, section in sections.items()},
    )


def _entries(section: str) -> list[tuple[str, str]]:
    """Return names and descriptions; one line may name several arguments."""
    found: list[tuple[str, str]] = []
    names: list[str] = []
    lines: list[str] = []
    for line in [*section.splitlines(), "end"]:
        if line.strip() and not line[0].isspace():
            description = inspect.cleandoc("\n".join(lines))
            found += [(name, _in_one_line(description)) for name in names]
            names = [name.strip().lstrip("*") for name in line.partition(":")[0].split(",")]
            lines = []
        else:
            lines.append(line)
    return found


def _in_one_line(text: str) -> str:
    """Return text without the line breaks of the source; paragraphs stay."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _markdown(text: str) -> str:
    return text.replace("``", "`")
