"""The part of the judgement for which the card of an image and earlier answers are needed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vantage6.common import logs
from vantage6.common.cards import Card
from vantage6.common.disclosure.floors import Floors
from vantage6.common.disclosure.verdicts import Finding, Verdict, strictest
from vantage6.common.durable_files import open_plain
from vantage6.node.outcomes import RefusalError
from vantage6.node.release import walk
from vantage6.node.release.by_card import (
    CardJudgement,
    Described,
    Source,
    compare_with_earlier,
    judge_by_card,
)
from vantage6.node.release.card_files import read_card_of
from vantage6.node.release.data import Data
from vantage6.node.release.hiding import read_hidden, rewrite_output
from vantage6.node.release.judge import Check, LastCheck, Question
from vantage6.node.spool.spool import Entry
from vantage6.node.work.context import NodeContext

log = logs.get(__name__)

_MOST_INPUT_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class ByCard:
    """What an output is judged by, with the card of its image."""

    checks: tuple[Check, ...] = ()
    #: Whether earlier answers are too close, which is asked of what would leave.
    last: tuple[LastCheck, ...] = ()


def checks_by_card(context: NodeContext, entry: Entry, floors: Floors, data: Data | None) -> ByCard:
    """Write an output as its card lets it leave, and return what else it is judged by.

    Parameters
    ----------
    context, entry
        The node, and the result whose algorithm has ended.
    floors
        Of the station.
    data
        The sketch of the database; None where the node does not read it.

    Raises
    ------
    OSError
        If something cannot be read or written now.
    """
    try:
        described = _describe(entry)
        if described is None:
            return ByCard()
        output = entry.io / "output"
        rewrite_output(entry.folder, output, judge_by_card(output, described, floors, data))
    except OSError:
        raise
    except Exception:
        # SECURITY: of what the card could not be applied to, nothing is assumed.
        log.exception("output not judged by its card", result_id=entry.record.result_id)
        return ByCard((lambda _, __: [walk.found("not_judged")],))
    hidden = read_hidden(entry.folder)
    source = _source(context, entry)

    judgements: list[CardJudgement] = []

    def by_card(output: Path, question: Question) -> Iterator[Finding]:
        judged = judge_by_card(output, described, question.floors, data)
        judgements.append(judged)
        yield from hidden
        yield from judged.findings

    def by_earlier(findings: tuple[Finding, ...]) -> Iterator[Finding]:
        # What stays at the station has answered nothing. What is held may leave later.
        if judgements and strictest(findings) is not Verdict.REFUSED:
            earlier, judged = context.earlier_answers, judgements[-1]
            yield from compare_with_earlier(earlier, source, described, judged, floors)

    return ByCard((by_card,), (by_earlier,))


def _describe(entry: Entry) -> Described | None:
    """Return the function that computed a result; None if no card says what is in its answer."""
    kept = read_card_of(entry.folder)
    if kept is None or kept.function is None:
        return None
    with open_plain(entry.io / "input") as file:
        input_ = file.read(_MOST_INPUT_BYTES)
    card = Card.model_validate(kept.card, strict=False)
    return Described.of(card, kept.function, input_, is_central=kept.is_central)


def _source(context: NodeContext, entry: Entry) -> Source:
    label = entry.record.database or ""
    version = entry.record.database_version
    if version is None:
        version = _version(context, label)
    return Source(str(entry.record.initiator), label, version)


def _version(context: NodeContext, label: str) -> str:
    """Return the version of a database now, for what an earlier version of the node started."""
    try:
        return context.databases.get(label).version()
    except (OSError, RefusalError):
        return ""
