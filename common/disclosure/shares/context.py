"""What the rules know beside an answer: the floors, the question, and facts about the data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vantage6.common.disclosure.floors import Floors
from vantage6.common.disclosure.shares.numbers import is_number
from vantage6.common.disclosure.shares.places import Answer, Container, Key
from vantage6.common.disclosure.verdicts import Finding, Verdict

#: Columns or groups that a question names, as far as rules count with them.
MOST_NAMED = 200


@dataclass(frozen=True, slots=True)
class ColumnTotals:
    """What a station knows of a column without negative values."""

    count: int
    total: float
    largest: float
    second: float


@dataclass(frozen=True, slots=True)
class Question:
    """What is known of the question and the data. Less knowledge means fewer checks."""

    #: Records of the database; None where the node does not read it.
    rows: int | None = None
    #: Texts of the arguments, such as names of columns.
    texts: frozenset[str] = frozenset()
    #: Numbers of the arguments; None where they are not known.
    numbers: frozenset[float] | None = None
    #: Column -> its totals.
    columns: Mapping[str, ColumnTotals] = field(default_factory=dict)
    #: Lists of numbers in the arguments.
    lists: frozenset[tuple[float, ...]] = frozenset()
    #: The people of the records; None where records count.
    people: int | None = None

    @property
    def most_named(self) -> int:
        """How many columns or groups the question may name, so that each has an entry of a list.

        SECURITY: the author of a question may name as much as fits into it.
        """
        return min(len(self.texts), MOST_NAMED)

    @classmethod
    def of(
        cls,
        arguments: Any,
        rows: int | None = None,
        columns: Mapping[str, ColumnTotals] | None = None,
    ) -> "Question":
        """Return a question with these arguments."""
        leaves = list(_leaves(arguments))
        return cls(
            rows,
            frozenset(leaf for leaf in leaves if isinstance(leaf, str)),
            frozenset(float(leaf) for leaf in leaves if is_number(leaf)),
            columns or {},
            frozenset(_lists(arguments)),
        )


@dataclass(slots=True)
class Context:
    """One answer under judgement; the rules add findings to it."""

    answer: Answer
    floors: Floors
    question: Question
    findings: list[Finding] = field(default_factory=list)
    #: Entries to hide, and counts of hidden entries: container, key and new value.
    edits: list[tuple[Container, Key, Any]] = field(default_factory=list)

    def refuse(self, rule: str, path: str, remedy: str) -> None:
        """Add a finding that keeps the answer at the station."""
        self._add(Finding(rule, path, Verdict.REFUSED, remedy))

    def hold(self, rule: str, path: str, remedy: str) -> None:
        """Add a finding that a person decides about."""
        self._add(Finding(rule, path, Verdict.HELD, remedy))

    def mitigate(self, rule: str, path: str, remedy: str) -> None:
        """Add a finding about values that were hidden."""
        self._add(Finding(rule, path, Verdict.MITIGATED, remedy))

    def _add(self, finding: Finding) -> None:
        # One of a kind: an answer can break a rule a million times.
        if finding not in self.findings:
            self.findings.append(finding)


def _leaves(value: Any) -> Iterable[Any]:
    """Yield keys, texts and numbers of arguments."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, Mapping):
            stack.extend(item.keys())
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            stack.extend(item)
        else:
            yield item


def _lists(value: Any) -> Iterable[tuple[float, ...]]:
    """Yield the lists of numbers in arguments."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, Mapping):
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            if item and all(map(is_number, item)):
                yield tuple(item)
            else:
                stack.extend(item)
