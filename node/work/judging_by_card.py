"""The part of the judgement for which the card of an image and earlier answers are needed."""

from collections.abc import Iterator
from pathlib import Path

from vantage6.common import logs
from vantage6.common.cards import Card
from vantage6.common.disclosure.floors import Floors
from vantage6.common.disclosure.verdicts import Finding
from vantage6.common.durable_files import open_plain
from vantage6.node.outcomes import RefusalError
from vantage6.node.release import walk
from vantage6.node.release.by_card import (
    Described,
    Source,
    compare_with_earlier,
    judge_by_card,
)
from vantage6.node.release.card_files import read_card_of
from vantage6.node.release.hiding import read_hidden, rewrite_output
from vantage6.node.release.judge import Check, Question
from vantage6.node.release.walk import Data
from vantage6.node.spool.spool import Entry
from vantage6.node.work.context import NodeContext

log = logs.get(__name__)

_MOST_INPUT_BYTES = 64 * 2**20


def checks_by_card(
    context: NodeContext, entry: Entry, floors: Floors, data: Data | None
) -> tuple[Check, ...]:
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
            return ()
        output = entry.io / "output"
        rewrite_output(entry.folder, output, judge_by_card(output, described, floors, data))
    except OSError:
        raise
    except Exception:
        # SECURITY: of what the card could not be applied to, nothing is assumed.
        log.exception("output not judged by its card", result_id=entry.record.result_id)
        return (lambda _, __: [walk.found("not_judged")],)
    hidden = read_hidden(entry.folder)
    source = _source(context, entry)

    def by_card(output: Path, question: Question) -> Iterator[Finding]:
        judged = judge_by_card(output, described, question.floors, data)
        yield from hidden
        yield from judged.findings
        yield from compare_with_earlier(
            context.earlier_answers, source, described, judged, question.floors
        )

    return (by_card,)


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
    return Source(str(entry.record.initiator), label, _version(context, label))


def _version(context: NodeContext, label: str) -> str:
    """Return what tells versions of a database apart; nothing where the node cannot."""
    try:
        path = context.databases.get(label).path
        if path is None or not path.is_file():
            return ""
        stat = path.stat()
    except (OSError, RefusalError):
        return ""
    return f"{stat.st_ino}-{stat.st_size}-{stat.st_mtime_ns}"
