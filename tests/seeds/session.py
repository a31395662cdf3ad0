"""Python sessions in which the chapters of a document are run, as a reader runs them."""

import ast
import doctest
import json
import os
import re
import selectors
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.seeds.document import Statement

#: A reader who copies a snippet needs a result of it within this time.
SECONDS = 60


@dataclass(frozen=True)
class Outcome:
    """What came of a piece of code."""

    #: What an interactive session shows of each value.
    shown: list[str]
    printed: str


class Session:
    """A Python process in a folder.

    Parameters
    ----------
    folder
        Its working folder; files that a document tells to write are written there.
    substitutes
        What to write instead of the host names, ports and file paths of the document.
    expected
        A regular expression for the beginning of warnings that may come.
    """

    def __init__(
        self, folder: Path, substitutes: Mapping[str, str], expected: str | None = None
    ) -> None:
        self.expected = expected
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.substitutes = substitutes
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", str(Path(__file__).with_name("interpreter.py"))],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )

    def run(self, text: str) -> list[Outcome]:
        """Run a snippet, an example line by line; a file that is shown is written.

        Raises
        ------
        AssertionError
            If it fails.
        """
        for documented, real in self.substitutes.items():
            text = text.replace(documented, real)
        if name := re.match(r"# (\w+\.py)\n", text):
            (self.folder / name[1]).write_text(text)
            return []
        if text.startswith(">>>"):
            examples = doctest.DocTestParser().get_examples(text + "\n")
            return [self._exchange(example.source, "single") for example in examples]
        return [self._exchange(text, "exec")]

    def value(self, expression: str) -> Any:
        """Return the value of an expression that has a literal form."""
        (shown,) = self._exchange(expression, "single").shown
        return ast.literal_eval(shown)

    def _exchange(self, source: str, mode: str) -> Outcome:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([source, mode]) + "\n")
        self._process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(SECONDS):
                self.close()
                raise AssertionError(f"no end after {SECONDS} seconds:\n{source}")
        answer = json.loads(self._process.stdout.readline())
        # The client logs a refusal of the server and goes on.
        assert not answer["error"], f"{source}\n{answer['error']}"
        warnings = [
            said
            for said in answer["warnings"]
            if self.expected is None or not re.match(self.expected, said)
        ]
        assert not warnings, f"{source}\n{warnings}"
        return Outcome(answer["shown"], answer["printed"])

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


@dataclass
class Chapter:
    """Statements that build on each other, run once each and in order, as far as tests ask."""

    session: Session
    statements: list[Statement]
    outcomes: dict[Statement, list[Outcome]] = field(default_factory=dict)

    def run(self, statement: Statement) -> list[Outcome]:
        """Return what comes of a statement, after those before it."""
        for one in self.statements:
            if one not in self.outcomes:
                self.outcomes[one] = self.session.run(one.text)
            if one == statement:
                break
        return self.outcomes[statement]

    def check(self, statement: Statement) -> None:
        """Fail if a statement fails, or shows something else than its document."""
        outcomes = self.run(statement)
        if statement.kind == "example":
            documented = doctest.DocTestParser().get_examples(statement.text + "\n")
            shown = [[ast.literal_eval(value) for value in outcome.shown] for outcome in outcomes]
            assert shown == [[ast.literal_eval(example.want)] for example in documented]


def after_login(session: Session, statements: Iterable[Statement], name: str) -> Chapter:
    """Return a chapter that begins, as the documents assume, with a client that is logged in."""
    kinds, names = ("python", "example"), ("Authentication", name)
    chosen = [one for one in statements if one.chapter in names and one.kind in kinds]
    return Chapter(session, chosen)
