"""The one way from an answer and its card to findings, and to an answer that may leave."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vantage6.common.cards import Function, Steps, TooMuch
from vantage6.common.disclosure.floors import Floors
from vantage6.common.disclosure.shares import aggregates, counts, lengths, texts
from vantage6.common.disclosure.shares.context import Context, Question
from vantage6.common.disclosure.shares.places import Answer, Place
from vantage6.common.disclosure.verdicts import Finding, Verdict, strictest


@dataclass(frozen=True, slots=True)
class Judged:
    """What the card rules say of an answer."""

    findings: tuple[Finding, ...]
    #: The answer that may leave: the same one, or a copy with hidden values.
    document: Any

    @property
    def verdict(self) -> Verdict:
        """The strictest verdict."""
        return strictest(self.findings)


#: Looks at entries of one answer, at most. An answer of a megabyte takes a tenth of them.
MOST_STEPS = 2_000_000
#: The longest answer that is worth reading for this check, in bytes.
MOST_BYTES = 16 * 1024**2

_Rule = Callable[[Context, list[Place]], None]

#: The rule of each class, for all places of a share.
_RULES: dict[str, _Rule] = {
    "count": counts.judge_counts,
    **dict.fromkeys(("sum", "mean", "variance", *aggregates.MODELS), aggregates.judge_aggregates),
    "quantile": aggregates.judge_quantiles,
    "extreme": aggregates.judge_extremes,
    "survival_table": counts.judge_curves,
    "risk_set_sum": aggregates.judge_risk_sets,
    "residual_df": aggregates.judge_residual_df,
    "text": texts.judge_texts,
    "status": texts.judge_status,
    "parameter": texts.judge_parameters,
}
#: Classes whose numbers can be running totals.
_RUNNING = frozenset({"quantile", "histogram", "frequency_table", "survival_table"})


def is_declared(function: Function) -> bool:
    """Tell whether the card says of the answer of a function what is in it.

    A central function has answers of other stations, and no shares. A function without a database
    has none of the station's data.
    """
    return not function.is_central and bool(function.shares) and function.database != "none"


def judge_shares(
    document: Any, function: Function, floors: Floors, question: Question | None = None
) -> Judged:
    """Judge an answer by the shares of its function.

    Parameters
    ----------
    document
        The answer: JSON as Python reads it.
    function
        Its entry in the card of the image.
    floors
        Of the station.
    question
        What else is known.

    Returns
    -------
    Judged
        Findings, and the document that may leave unless one of them refuses it.
    """
    if not is_declared(function):
        return Judged((), document)
    try:
        context = _judge_all(document, function, floors, question or Question())
        findings = tuple(context.findings)
        # What a person decides about has its small cells hidden, too.
        if context.edits and strictest(findings) is not Verdict.REFUSED:
            document = _hide_values(context, document)
    except (TooMuch, RecursionError):
        remedy = "Send fewer numbers, or group them less deeply."
        return Judged((Finding("too_much_to_check", "", Verdict.REFUSED, remedy),), document)
    return Judged(findings, document)


def _judge_all(document: Any, function: Function, floors: Floors, question: Question) -> Context:
    """Apply all rules to an answer."""
    answer = Answer(document, function.shares, Steps(MOST_STEPS))
    context = Context(answer, floors, question)
    for path in sorted(answer.undeclared):
        context.refuse("undeclared", path, "Declare it in `shares` of the card.")
    texts.judge_keys(context)
    by_share: dict[int, list[Place]] = {}
    for place in answer.places:
        by_share.setdefault(id(place.share), []).append(place)
    tables: list[Place] = []
    for places in by_share.values():
        _judge(context, places, tables)
    counts.judge_tables(context, tables)
    lengths.judge_lengths(context, by_share.values())
    return context


def _judge(context: Context, places: list[Place], tables: list[Place]) -> None:
    """Judge the places of one share; tables of several shares are collected."""
    share = places[0].share
    if share.cumulative and share.class_ in _RUNNING:
        counts.judge_steps(context, places)
    elif share.class_ in ("frequency_table", "histogram"):
        tables.extend(places)
    else:
        _RULES[share.class_](context, places)


def _hide_values(context: Context, document: Any) -> Any:
    """Return a copy of the answer with the values hidden that were chosen."""
    copies: dict[int, Any] = {}
    changed = copy.deepcopy(document, copies)
    for container, key, value in context.edits:
        copies[id(container)][key] = value
    return changed
