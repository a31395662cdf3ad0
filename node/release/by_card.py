"""What the card of an image, and earlier answers, say of an output."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vantage6.common.cards import MOST_VALUES, Card, Function, name_arguments
from vantage6.common.disclosure.floors import Floors
from vantage6.common.disclosure.shares import MOST_BYTES, Question, is_declared, judge_shares
from vantage6.common.disclosure.shares.counting import (
    TooManyCounts,
    digest_of,
    find_counts,
    name_columns,
)
from vantage6.common.disclosure.verdicts import Finding, Verdict, strictest
from vantage6.common.durable_files import open_plain
from vantage6.common.json_values import read_certain
from vantage6.node.release.data import Data
from vantage6.node.release.earlier_answers import Answered, EarlierAnswers, TooManyAnswers

_JSON = b"json."
#: Values of one answer that are read.
_MOST_VALUES = 1_000_000

REMEDIES = {
    "too_large_for_card": "Return less: an answer with a card has at most 16 MiB.",
    "not_json": "Return JSON, and each key of an object once.",
    "near_an_earlier_answer": "Ask an earlier question again, or about a group that differs by "
    "at least {cell} records.",
    "too_many_answers": "Ask the station: it has given very many answers about this data.",
    "too_many_counts": "Return fewer counts.",
}


@dataclass(frozen=True, slots=True)
class Described:
    """A partial function whose card says what is in its answer, and what it was asked."""

    function: Function
    #: None where they are not known, as for a file that a person asks about.
    arguments: Mapping[str, Any] | None = None

    @classmethod
    def of(
        cls, card: Card, name: str, input_: bytes | None, *, is_central: bool
    ) -> "Described | None":
        """Return the function that was asked for; None if its card says nothing of answers.

        Parameters
        ----------
        card
            The card of the image.
        name, is_central
            The function.
        input_
            The plain input, which was checked against the card before the function ran; None
            where it is not known.
        """
        function = card.find(name, is_central=is_central)
        if function is None or not is_declared(function):
            return None
        if input_ is None:
            return cls(function)
        return cls(
            function,
            name_arguments(function, read_certain(input_.removeprefix(_JSON), MOST_VALUES) or {}),
        )


@dataclass(frozen=True, slots=True)
class CardJudgement:
    """What the rules with a card say of an output."""

    findings: tuple[Finding, ...]
    #: What leaves in the place of the output: small cells hidden, and written by the station.
    rewritten: bytes | None = None
    #: Counts of records, by which answers are compared.
    counts: Mapping[str, int] = field(default_factory=dict)


def judge_by_card(
    output: Path, described: Described, floors: Floors, data: Data | None = None
) -> CardJudgement:
    """Judge an output by the card of its image.

    Parameters
    ----------
    output
        The file that the algorithm wrote, after the algorithm ended.
    described
        The function, and its arguments.
    floors
        Of the station.
    data
        The sketch of the database; None where the node does not read it.

    Raises
    ------
    OSError
        If the output cannot be read now.
    """
    with open_plain(output) as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        return CardJudgement((_found("too_large_for_card", Verdict.REFUSED),))
    document = read_certain(raw.removeprefix(_JSON), _MOST_VALUES)
    if document is None:
        return CardJudgement((_found("not_json", Verdict.REFUSED),))
    known, rows = described.arguments, None if data is None else data.rows
    totals = {} if data is None else data.totals
    question = Question(rows, columns=totals)
    if known is not None:
        question = Question.of(known, rows, totals)
    question = replace(question, people=None if data is None else data.people)
    judged = judge_shares(document, described.function, floors, question)
    if judged.verdict is Verdict.REFUSED:
        return CardJudgement(judged.findings)
    try:
        counts = find_counts(judged.document, described.function)
    except TooManyCounts:
        return CardJudgement((*judged.findings, _found("too_many_counts", Verdict.REFUSED)))
    # SECURITY: spaces between values, and ways to write one, can hold anything. So what leaves is
    # written by the station.
    try:
        written = _JSON * raw.startswith(_JSON) + json.dumps(judged.document).encode()
    except RecursionError:
        return CardJudgement((_found("not_json", Verdict.REFUSED),))
    return CardJudgement(judged.findings, None if written == raw else written, counts)


@dataclass(frozen=True, slots=True)
class Source:
    """The organization that asks, and the data that it asks about."""

    #: The organization that asks.
    requester: str
    database: str
    #: Empty where the node cannot tell versions of the database apart.
    version: str


def compare_with_earlier(
    earlier: EarlierAnswers,
    source: Source,
    described: Described,
    judged: CardJudgement,
    floors: Floors,
) -> Iterator[Finding]:
    """Yield what earlier answers say against one; remember its counts if there is nothing.

    Only answers of the same function about the same columns are compared, and those whose
    arguments are the same always have the same counts.

    Raises
    ------
    OSError
        If the earlier answers cannot be read now.
    """
    if floors.cell <= 1 or strictest(judged.findings) is Verdict.REFUSED:
        return
    columns = name_columns(described.arguments or {}, described.function)
    subject = digest_of([described.function.name, columns])
    answered = Answered(source.requester, source.database, source.version, subject, judged.counts)
    try:
        if not earlier.admit(answered, floors.cell):
            yield _found("near_an_earlier_answer", Verdict.REFUSED, floors.cell)
    except TooManyAnswers:
        yield _found("too_many_answers", Verdict.HELD)


def _found(rule: str, verdict: Verdict, cell: int = 0) -> Finding:
    return Finding(rule, "", verdict, REMEDIES[rule].format(cell=cell))
